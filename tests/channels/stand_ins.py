"""Stand-ins of providers of every class, for tests: served over real HTTP, with their books open."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from fastapi import FastAPI

from broadcaster.channels.base import Call, Channel, Delivery, Idempotency
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.desk import Desk
from broadcaster.sandbox.faults import Fault, FaultBook
from broadcaster.sandbox.receipts import Clerk
from tests.channels.samples import SECRET, call
from tests.support.adapters import adapter_of
from tests.support.serving import address_of, bound, served


@dataclass(frozen=True, slots=True)
class Street:
    """Where stand-ins are: one server for all tests of this file, to which each test adds its own."""

    url: str
    archive: Archive
    faults: FaultBook
    providers: dict[str, dict[str, Provider]]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A provider's stand-in, and a sample call of the channel that reaches it."""

    street: Street
    channel: Channel
    provider: Provider
    sample: Call

    def send(self, transport: Transport | None = None) -> list[Delivery]:
        """Make the call."""
        return list(
            adapter_of(self.channel).send(self.sample, self.provider, transport or Transport(allow_private=True))
        )

    def ask(self) -> list[Delivery] | None:
        """Ask about it."""
        found = adapter_of(self.channel).ask(self.sample, self.provider, Transport(allow_private=True))
        return None if found is None else list(found)

    def shown(self) -> list[int]:
        """How often each member of the call was shown something."""
        counts = dict(self.street.archive.shown()).get(self.sample.broadcast, {})
        return [counts.get(str(member.id), 0) for member in self.sample.members]

    def everybody(self, value: object) -> list[object]:
        """The same for each member of the call."""
        return [value] * len(self.sample.members)

    def order(self, **fields: object) -> None:
        """Order a fault."""
        self.street.faults.order(Fault.model_validate({"channel": self.channel.slug, **fields}))


@contextmanager
def street() -> Iterator[Street]:
    """A server for stand-ins that send nobody receipts."""
    socket = bound()
    found = Street(address_of(socket), Archive(), FaultBook(), {slug: {} for slug in CHANNELS})
    desk = Desk(found.archive, found.faults, Clerk(found.archive, "http://127.0.0.1:9"), found.providers)
    app = FastAPI()
    app.include_router(desk.router())
    with served(app, socket):
        yield found


def add(street: Street, channel: Channel, idempotency: Idempotency, visible_after: timedelta | None = None) -> StandIn:
    """A new stand-in of this class, and a call that nobody has seen."""
    name = uuid.uuid4().hex
    provider = Provider(
        name,
        f"{street.url}/{channel.slug}/{name}",
        SECRET,
        label="青岛人社",
        timeout=5.0,
        idempotency=idempotency,
        visible_after=visible_after,
    )
    street.providers[channel.slug][name] = provider
    return StandIn(street, channel, provider, replace(call(channel), key=f"key-{name}", broadcast=name))
