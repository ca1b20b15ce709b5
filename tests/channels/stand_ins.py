"""Stand-ins of providers of every supplier and class, for tests: served over real HTTP, with their books open."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from fastapi import FastAPI

from broadcaster.channels.base import (
    Adapter,
    Call,
    Channel,
    Delivery,
    Idempotency,
    Member,
    RecipientKind,
    adapter_of,
    idempotency_of,
)
from broadcaster.channels.callback import Callback, Heard
from broadcaster.channels.options import NO_OPTIONS, Options
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.supplier import WEBHOOK, Supplier
from broadcaster.channels.transport import Transport
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.desk import Desk
from broadcaster.sandbox.faults import Fault, FaultBook
from broadcaster.sandbox.postman import Postman
from broadcaster.sandbox.receipts import Clerk
from broadcaster.sandbox.vendors import mount_vendors
from tests.channels.http_server import Answer, LocalServer, local_server
from tests.channels.samples import SECRET, call
from tests.support.polling import eventually
from tests.support.serving import address_of, bound, served


@dataclass(frozen=True, slots=True)
class Street:
    """Where stand-ins are: one server for all tests of a file, to which each test adds its own.

    `office` is whom they call back, and where the documents of surfaces are.
    """

    url: str
    office: LocalServer
    archive: Archive = field(default_factory=Archive)
    faults: FaultBook = field(default_factory=FaultBook)
    postman: Postman = field(default_factory=Postman)
    app: FastAPI = field(default_factory=FastAPI)
    providers: dict[str, dict[str, Provider]] = field(default_factory=lambda: {slug: {} for slug in CHANNELS})


@dataclass(frozen=True, slots=True)
class StandIn:
    """A provider's stand-in, and a sample call of the channel that reaches it."""

    street: Street
    channel: Channel
    provider: Provider
    sample: Call

    @property
    def supplier(self) -> Supplier:
        """Whose format it speaks."""
        return self.channel.suppliers[self.provider.supplier]

    @property
    def adapter(self) -> Adapter:
        """The way to it."""
        return adapter_of(self.channel, self.provider)

    @property
    def idempotency(self) -> Idempotency:
        """What repeating a call means there."""
        return idempotency_of(self.channel, self.provider)

    def send(self, transport: Transport | None = None) -> list[Delivery]:
        """Make the call."""
        return list(self.adapter.send(self.sample, self.provider, transport or Transport(allow_private=True)))

    def ask(self) -> list[Delivery] | None:
        """Ask about it."""
        found = self.adapter.ask(self.sample, self.provider, Transport(allow_private=True))
        return None if found is None else list(found)

    def shown(self) -> list[int]:
        """How often each member of the call was shown something, by our id or by what the supplier knows them as."""
        counts = dict(self.street.archive.shown()).get(self.sample.broadcast, {})
        found = [counts.get(str(row.id), 0) + counts.get(row.address, 0) for row in self.sample.members]
        assert sum(found) == sum(counts.values()), "somebody else was shown it"
        return found

    def everybody(self, value: object) -> list[object]:
        """The same for each member of the call."""
        return [value] * len(self.sample.members)

    def order(self, **fields: object) -> None:
        """Order a fault."""
        self.street.faults.order(Fault.model_validate({"channel": self.channel.slug, **fields}))

    def callback(self) -> Callback:
        """The first callback that came in its name."""
        address = urlsplit(self.provider.callback_url).path

        def came() -> list[Callback]:
            rows = [(urlsplit(row.path), row) for row in list(self.street.office.received)]
            return [
                Callback(row.method, dict(parse_qsl(url.query)), row.headers, row.body)
                for url, row in rows
                if url.path == address
            ]

        eventually(lambda: bool(came()), "it calls back")
        return came()[0]

    def hear(self, callback: Callback) -> Heard:
        """Read a callback in its name."""
        return self.supplier.hear(callback, self.provider)

    def elsewhere(self, url: str) -> StandIn:
        """The same provider at another address."""
        return replace(self, provider=replace(self.provider, url=url))


@contextmanager
def street() -> Iterator[Street]:
    """A server for stand-ins, and whom they call back."""
    socket = bound()
    with local_server() as office:
        office.answer = Answer(body=b'{"seq": 1}')
        found = Street(address_of(socket), office)
        clerk = Clerk(found.archive, office.url)
        found.app.include_router(Desk(found.archive, found.faults, clerk, found.providers).router())
        clerk.start()
        found.postman.start()
        with served(found.app, socket):
            yield found


def add(
    street: Street,
    channel: Channel,
    idempotency: Idempotency | None = None,
    visible_after: timedelta | None = None,
    *,
    supplier: str = WEBHOOK,
    secret: str = SECRET,
    options: Options = NO_OPTIONS,
) -> StandIn:
    """A new stand-in, and a call that nobody has seen; its site says these things of it."""
    name, kind = uuid.uuid4().hex, channel.suppliers[supplier]
    provider = Provider(
        name,
        f"{street.url}/{channel.slug}/{name}",
        secret,
        label="青岛人社",
        timeout=5.0,
        idempotency=idempotency,
        visible_after=visible_after,
        supplier=supplier,
        options=options,
        secrets={key: secrets.token_hex(16) for key, row in (kind.secrets or {}).items() if row.required},
        callback_url=f"{street.office.url}/callbacks/{channel.slug}/{name}",
    )
    street.providers[channel.slug][name] = provider
    mount_vendors(street.app, street.archive, street.faults, street.postman, {channel.slug: {name: provider}})
    whole = call(channel, supplier=supplier)
    sample = replace(
        whole,
        key=name,
        broadcast=name[:20],
        document=f"{street.office.url}/surfaces/{channel.slug}.json",
        members=_of_one_call(channel, provider, whole),
    )
    return StandIn(street, channel, provider, sample)


def _of_one_call(channel: Channel, provider: Provider, whole: Call) -> tuple[Member, ...]:
    """Those members who may share a request; where a provider is its own recipient, it is the only one."""
    if channel.reaches is not RecipientKind.PERSON:
        return tuple(member._replace(address=provider.name) for member in whole.members)
    room = channel.suppliers[provider.supplier].room
    if room is None:
        return whole.members
    first, *_ = alike = [room(member, whole.messages[member.language]).alike for member in whole.members]
    return tuple(member for member, word in zip(whole.members, alike, strict=True) if word == first)
