"""Faults on order: the sandbox misbehaves as told, a given number of times or by chance until it is told to stop."""

from __future__ import annotations

import hashlib
import random
import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from broadcaster.channels.simulation import Target


class FaultKind(StrEnum):
    """How a call, its receipts or a question about it goes wrong."""

    SLOW = "slow"
    """Accepted and answered after `seconds`."""
    STATUS = "status"
    """Answered with `status`, not accepted unless `accepted`; with `retry_after` when given."""
    DROP_BEFORE = "drop_before"
    """The connection breaks, and the call was not accepted."""
    DROP_AFTER = "drop_after"
    """The connection breaks, and the call was accepted."""
    HALF_OPEN = "half_open"
    """Read and never answered: the client waits until its own time-out. Not accepted unless `accepted`."""
    HIDDEN = "hidden"
    """Goes well, but questions about it are answered as if it had never been seen, for `seconds`."""
    UNREACHABLE = "unreachable"
    """Goes well, but receipts say later that it failed for a `share` of the people: always the same ones."""
    RECEIPTS_FIRST = "receipts_first"
    """Goes well, but its receipts arrive before its answer."""
    RECEIPTS_TWICE = "receipts_twice"
    """Goes well, but its receipts come a second time, `seconds` later."""
    RECEIPTS_LATE = "receipts_late"
    """Goes well, but its receipts come in another order, `seconds` late."""


_OF_A_QUESTION = frozenset({FaultKind.SLOW, FaultKind.STATUS, FaultKind.DROP_BEFORE, FaultKind.HALF_OPEN})
_SURELY_NOT_ACCEPTED = frozenset({425, 429, 503})


class Fault(BaseModel):
    """An order: a kind of fault for the next `times` calls of a channel, or for a `share` of all until cancelled."""

    model_config = ConfigDict(extra="forbid")
    channel: str
    kind: FaultKind
    target: Target = Target.CALLS
    times: Annotated[int, Field(ge=1, le=100_000)] = 1
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int = 0
    """Of the chance by which `share` chooses."""
    status: Annotated[int, Field(ge=400, le=599)] = 503
    retry_after: Annotated[int, Field(ge=0, le=60)] | None = None
    accepted: bool = False
    """Whether the call was accepted all the same."""
    seconds: Annotated[float, Field(ge=0, le=60)] = 1.0

    def strikes(self, phone: str) -> bool:
        """Whether somebody is one of those who cannot be reached."""
        chance = hashlib.blake2b(f"{self.seed}/{phone}".encode(), digest_size=4).digest()
        return int.from_bytes(chance, "big") < (self.share or 1) * 2**32

    @property
    def sort(self) -> str:
        """What it is counted as, such as `status_429_retry_after`."""
        parts = [str(self.kind)]
        if self.kind is FaultKind.STATUS:
            parts += [str(self.status), *(["retry_after"] if self.retry_after is not None else [])]
        if self.accepted:
            parts.append("accepted")
        if self.target is Target.QUESTIONS:
            parts.insert(0, "question")
        return "_".join(parts)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.target is Target.QUESTIONS and (self.kind not in _OF_A_QUESTION or self.accepted):
            raise ValueError("a question can be slow, refused, dropped or left without an answer")
        honest = self.status >= 500 and self.status not in _SURELY_NOT_ACCEPTED
        may_be_accepted = self.kind is FaultKind.HALF_OPEN or (self.kind is FaultKind.STATUS and honest)
        if self.accepted and not may_be_accepted:
            raise ValueError("only a half-open call, or one answered with a 5xx that says nothing, may be accepted")
        return self


@dataclass(slots=True)
class _Order:
    """An order that stands: how many times are left of it, and its chance."""

    fault: Fault
    left: int
    chance: random.Random

    def strikes(self) -> bool:
        """Whether it is this call's turn. Of those who cannot be reached there may be some in every call."""
        if self.fault.kind is FaultKind.UNREACHABLE:
            return True
        return self.fault.share is None or self.chance.random() < self.fault.share


class FaultBook:
    """The orders that stand, and how many faults of each kind there were."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []
        self._done: Counter[str] = Counter()
        self._lock = threading.Lock()

    def order(self, fault: Fault) -> None:
        """Add an order."""
        chance = random.Random(fault.seed)  # noqa: S311 - a seed makes a run repeatable; nothing is secret here
        with self._lock:
            self._orders.append(_Order(fault, fault.times, chance))
            # What was ordered for the next calls is not left to chance.
            self._orders.sort(key=lambda order: order.fault.share is not None)

    def cancel(self) -> None:
        """Let all go well from now on."""
        with self._lock:
            self._orders.clear()

    def done(self) -> dict[str, int]:
        """How many faults of each sort there were since the start."""
        with self._lock:
            return dict(self._done)

    def next_for(self, channel: str, target: Target = Target.CALLS) -> Fault | None:
        """The fault of this call or question, used up by asking; None when it goes well."""
        with self._lock:
            for order in self._orders:
                if (order.fault.channel, order.fault.target) == (channel, target) and order.strikes():
                    self._use(order)
                    return order.fault
        return None

    def _use(self, order: _Order) -> None:
        self._done[order.fault.sort] += 1
        if order.fault.share is None:
            order.left -= 1
            if not order.left:
                self._orders.remove(order)
