"""The stage that the sandbox lends to the stand-in of one provider."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from broadcaster import clock
from broadcaster.channels.call import Fate
from broadcaster.channels.callback import Callback
from broadcaster.channels.provider import Provider
from broadcaster.channels.simulation import Reception
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind
from broadcaster.sandbox.postman import Letter, Postman
from broadcaster.surfaces.document import milliseconds

in_hand: ContextVar[Fault | None] = ContextVar("fault in hand", default=None)
"""The fault of the request that is being dealt with."""


class SandboxStage:
    """See `Stage`; what is shown goes to the archive, what is called back through the postman."""

    def __init__(self, channel: str, provider: Provider, archive: Archive, faults: FaultBook, postman: Postman) -> None:
        self._channel = channel
        self._provider = provider
        self._archive = archive
        self._faults = faults
        self._postman = postman

    @property
    def provider(self) -> Provider:
        """See `Stage`."""
        return self._provider

    @property
    def hidden_for(self) -> float:
        """See `Stage`."""
        fault = in_hand.get()
        return fault.seconds if fault and fault.kind is FaultKind.HIDDEN else 0.0

    def show(self, broadcast: str, phase: str, reception: Reception) -> None:
        """See `Stage`."""
        self._archive.show(self._channel, milliseconds(clock.now()), broadcast, phase, reception)

    def replace(self, successor: str, account: str, fates: tuple[Fate, ...]) -> None:
        """See `Stage`."""
        self._archive.replace(successor, account, fates)

    def is_away(self, address: str) -> bool:
        """See `Stage`."""
        fault = in_hand.get()
        return bool(fault and fault.kind is FaultKind.UNREACHABLE and fault.strikes(address))

    def call_back(self, make: Callable[[], Callback], delay: float = 0.0) -> None:
        """See `Stage`; a fault of the receipts brings them late or twice."""
        fault = in_hand.get()
        kind = fault.kind if fault else None
        late = fault.seconds if fault and kind is FaultKind.RECEIPTS_LATE else 0.0
        letter = Letter(self._provider, make)
        if kind is FaultKind.RECEIPTS_FIRST and delay == 0:
            self._postman.deliver_now(letter)
            return
        self._postman.add(letter, delay + late)
        if fault and kind is FaultKind.RECEIPTS_TWICE:
            self._postman.add(letter, delay + fault.seconds)
