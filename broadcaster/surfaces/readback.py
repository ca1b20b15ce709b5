"""Reading back: what the public gets at each surface's addresses, compared with what should show.

After every change the control worker reads until all of them are confirmed, at ever longer intervals, and now and then
after that. So taking an outage down is a step with a confirmation, and not a hope.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from broadcaster import clock
from broadcaster.channels.base import Channel, ChannelKind
from broadcaster.channels.transport import Transport
from broadcaster.errors import BroadcasterError, DeliveryError
from broadcaster.rendering.environment import Templates
from broadcaster.site import Site
from broadcaster.storage import events, readbacks
from broadcaster.storage.database import Database
from broadcaster.storage.readbacks import Reading, Result
from broadcaster.surfaces.comparison import differences
from broadcaster.surfaces.publishing import current_document

log = structlog.get_logger()

ACTOR = "scheduler"
TIMEOUT = 10.0
"""Seconds that an address may take to answer."""
LONGEST_WAIT = timedelta(minutes=1)
"""The longest interval at which an address is read that does not show the right thing."""
AGAIN_AFTER = timedelta(minutes=10)
"""When an address that was confirmed is looked at again."""
MOST_KEPT = 20
"""Differences of one reading that are kept."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the public sees a surface: our own document (`endpoint` is empty), or what an endpoint serves itself."""

    channel: Channel
    endpoint: str
    url: str

    @property
    def key(self) -> tuple[str, str]:
        """What names it."""
        return self.channel.slug, self.endpoint


def addresses(site: Site, channels: Mapping[str, Channel]) -> list[Address]:
    """Every address at which the site's surfaces can be read back."""
    surfaces = [channel for channel in channels.values() if channel.kind is ChannelKind.SURFACE]
    public = [Address(row, "", f"{site.public_url}/surfaces/{row.slug}.json") for row in surfaces]
    own = [Address(row, one.name, one.shows) for row in surfaces for one in site.providers(row.slug) if one.shows]
    return [*public, *own]


def wait_after(tries: int) -> timedelta:
    """How long an address that did not show the right thing `tries` times is left alone: 2, 4, 8, … seconds."""
    return min(timedelta(seconds=2 ** min(tries, 10)), LONGEST_WAIT)


class Reader:
    """Reads a site's surfaces back, and keeps what it saw."""

    def __init__(
        self,
        database: Database,
        templates: Templates,
        transport: Transport,
        site: Site,
        channels: Mapping[str, Channel],
    ) -> None:
        self._database = database
        self._templates = templates
        self._transport = transport
        self._embedded = f"{site.public_url}/surfaces/"
        self._addresses = addresses(site, channels)
        self._thread: threading.Thread | None = None

    def read_all(self, actor: str = ACTOR) -> list[Reading]:
        """Read every address now."""
        return self._read(self._addresses, actor)

    def read_due(self) -> list[Reading]:
        """Read the addresses that are due: not read since the last change, or not right when they were."""
        with self._database.begin() as connection:
            seq = events.newest_seq(connection)
            left_alone = readbacks.waiting(connection, seq)
            readbacks.forget_others(connection, [row.key for row in self._addresses])
        due = [row for row in self._addresses if row.key not in left_alone]
        return self._read(due, ACTOR) if seq else []

    def look(self) -> None:
        """Read what is due beside the caller, who goes on at once; does nothing while an earlier look is under way."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._look, name="readback", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        try:
            self.read_due()
        except (BroadcasterError, SQLAlchemyError) as error:
            log.warning("surfaces_not_read_back", error=type(error).__name__)

    def _read(self, wanted: Iterable[Address], actor: str) -> list[Reading]:
        return [self._read_one(address, actor) for address in wanted]

    def _read_one(self, address: Address, actor: str) -> Reading:
        body: bytes | None = None
        why = ""
        try:
            body = self._transport.get_page(address.endpoint or "the public address", address.url, TIMEOUT)
        except DeliveryError as error:
            why = f"{error.message} ({error.hint})" if error.hint else error.message
        # What should show is looked up afterwards: what changed while the answer came is not held against it.
        with self._database.begin() as connection:
            reading = self._compare(connection, address, body, why)
            _keep(connection, reading, actor)
        return reading

    def _compare(self, connection: Connection, address: Address, body: bytes | None, why: str) -> Reading:
        now = clock.now()
        expected = current_document(connection, address.channel, self._templates, now)
        if body is None:
            return Reading(*address.key, expected["seq"], Result.UNREACHED, [("", why)], now)
        found = differences(expected, body, self._embedded)[:MOST_KEPT]
        return Reading(*address.key, expected["seq"], Result.OTHER if found else Result.CONFIRMED, found, now)


def _keep(connection: Connection, reading: Reading, actor: str) -> None:
    before = readbacks.find(connection, reading.channel, reading.endpoint)
    if reading.result is Result.CONFIRMED:
        readbacks.store(connection, reading, 0, AGAIN_AFTER)
        if before is None or (before.seq, before.result) != (reading.seq, reading.result):
            details = {"channel": reading.channel, "endpoint": reading.endpoint, "seq": reading.seq}
            events.record(connection, actor, "confirm", "", reading.at, details)
        return
    tries = before.tries + 1 if before and before.seq == reading.seq else 1
    readbacks.store(connection, reading, tries, wait_after(tries))
    log.warning("surface_not_confirmed", channel=reading.channel, endpoint=reading.endpoint, result=reading.result)
