"""Adapters of channels, for tests that reach for one or put another in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from broadcaster.channels.base import Adapter, Call, Channel, Delivery, Idempotency
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.channels.transport import Transport


def adapter_of(channel: Channel) -> Adapter:
    """The adapter of our own format."""
    return channel.suppliers[WEBHOOK].adapter


def with_adapter(channel: Channel, adapter: Adapter) -> Channel:
    """The channel, with another adapter for our own format."""
    supplier = replace(channel.suppliers[WEBHOOK], adapter=adapter)
    return replace(channel, suppliers={**channel.suppliers, WEBHOOK: supplier})


@dataclass(slots=True)
class Overheard:
    """The real adapter; every call that goes through it is kept, and `afterwards` happens before it is recorded."""

    real: Adapter
    calls: list[Call] = field(default_factory=list)
    afterwards: Callable[[], None] = lambda: None
    idempotency: Idempotency = Idempotency.IDEMPOTENT
    dedupes_for: timedelta = timedelta(hours=24)
    visible_after: timedelta = timedelta(0)

    @property
    def members_per_call(self) -> int:
        """As many as the real one takes."""
        return self.real.members_per_call

    def send(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery]:
        """Make the call."""
        self.calls.append(call)
        found = self.real.send(call, provider, transport)
        self.afterwards()
        return found

    def ask(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery] | None:
        """Ask as the real one does."""
        return self.real.ask(call, provider, transport)
