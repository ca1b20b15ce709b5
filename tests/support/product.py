"""The product in the test's own process: real Postgres, real HTTP, and campaign time that the test moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Connection, Row, select, text, update

from broadcaster import clock, settings
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.audience.generated import generated_people
from broadcaster.channels.base import Adapter, Call, Delivery, Idempotency
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.delivery import opening, rounds
from broadcaster.delivery.courier import Courier
from broadcaster.delivery.messages import Press
from broadcaster.operations import revise
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.sandbox import app as sandbox
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.storage import broadcasts, recipients
from broadcaster.storage.tables import batches, calls, deliveries
from broadcaster.storage.tables import broadcasts as broadcast_table
from broadcaster.web import app as web
from broadcaster.wiring import App, open_app
from tests.support.examples import SLUG, example
from tests.support.polling import eventually
from tests.support.serving import address_of, bound, served

ACTOR = "test"


@dataclass(slots=True)
class Product:
    """A site with a sandbox. What the scheduler and the workers do, the test asks for."""

    parts: App
    courier: Courier
    offset_file: Path
    sandbox_url: str
    web_url: str

    def at(self, instant: datetime) -> datetime:
        """Let it be `instant` of campaign time."""
        clock.move_to(instant, self.offset_file)
        return instant

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction on the product's database."""
        with self.parts.database.begin() as connection:
            yield connection

    def gather(self, people: int) -> None:
        """Have the site's endpoints and so many generated people as recipients."""
        with self.transaction() as connection:
            sync_endpoints(connection, self.parts.site, self.parts.channels, clock.now())
            recipients.merge_people(connection, generated_people(people), clock.now())

    def publish(self, proposal: Proposal | None = None) -> int:
        """Propose and approve, as an operator would; gives the revision."""
        wanted, now = proposal or example(), clock.now()
        with self.transaction() as connection:
            number = revise.propose(connection, wanted, ACTOR, now)
            assert number
            revise.approve(connection, SLUG, number, ACTOR, now, self.parts.channels)
        return number

    def open(self, channel: str, phase: Phase = Phase.NOTICE) -> str:
        """Open what is due, as the scheduler does; gives the newest broadcast of the phase on the channel."""
        opening.open_due(self.parts.database, self.parts.channels, clock.now())
        wanted = (broadcast_table.c.channel == channel) & (broadcast_table.c.phase == phase)
        query = select(broadcast_table.c.id).where(wanted, broadcast_table.c.opened_at.is_not(None))
        with self.transaction() as connection:
            return str(connection.execute(query.order_by(broadcast_table.c.due_at.desc()).limit(1)).scalar_one())

    def batches(self, broadcast: str) -> Sequence[Row[Any]]:
        """The batches of a broadcast, by recipient."""
        query = select(batches).where(batches.c.broadcast_id == broadcast).order_by(batches.c.first_id)
        with self.transaction() as connection:
            return connection.execute(query).all()

    def deliver(self, broadcast: str, courier: Courier | None = None) -> None:
        """Carry every batch of a broadcast once, as a worker does."""
        for batch in self.batches(broadcast):
            (courier or self.courier).deliver(batch.id)

    def deliver_all(self, broadcast: str) -> None:
        """Carry a broadcast to its end, with every back-off over at once."""

        def done() -> bool:
            self.deliver(broadcast)
            self.end_waits()
            return all(batch.done for batch in self.batches(broadcast))

        eventually(done, "every batch is done")

    def end_waits(self) -> None:
        """Let the machine time of every lease and every back-off be over."""
        over = {"lease_until": None, "next_attempt_at": None}
        with self.transaction() as connection:
            connection.execute(update(batches).where(~batches.c.done).values(**over))

    def merge_receipts(self) -> None:
        """Join the receipts of everything that the sandbox has shown, once they are all here."""
        eventually(lambda: self.totals()["waiting"] == 0, "the sandbox has sent its receipts")
        rounds.merge_receipts(self.parts.database)

    def broadcast(self, broadcast: str) -> Row[Any]:
        """A broadcast with its counters."""
        with self.transaction() as connection:
            found = broadcasts.find(connection, broadcast)
        assert found
        return found

    def ledger(self, broadcast: str) -> Sequence[Row[Any]]:
        """The deliveries of a broadcast, by recipient."""
        query = select(deliveries).where(deliveries.c.broadcast_id == broadcast).order_by(deliveries.c.recipient_id)
        with self.transaction() as connection:
            return connection.execute(query).all()

    def calls(self, broadcast: str) -> Sequence[Row[Any]]:
        """The provider calls of a broadcast."""
        query = select(calls).where(calls.c.broadcast_id == broadcast).order_by(calls.c.prepared_at)
        with self.transaction() as connection:
            return connection.execute(query).all()

    def value(self, statement: str) -> Any:
        """What a query answers with."""
        with self.transaction() as connection:
            return connection.execute(text(statement)).scalar_one()

    def order(self, **fault: object) -> None:
        """Order a fault of the sandbox."""
        requests.post(f"{self.sandbox_url}/faults", json=fault, timeout=10).raise_for_status()

    def totals(self) -> dict[str, int]:
        """What the sandbox counted."""
        found: dict[str, int] = requests.get(f"{self.sandbox_url}/api/totals", timeout=10).json()
        return found

    def shown(self, broadcast: str) -> dict[int, int]:
        """Recipient id → how often the public saw the broadcast."""
        answer = requests.get(f"{self.sandbox_url}/ledger", timeout=10)
        for line in answer.iter_lines():
            row = json.loads(line)
            if row["broadcast"] == broadcast:
                return {int(id_): times for id_, times in row["shown"].items()}
        return {}

    def worker(
        self,
        channel: str,
        afterwards: Callable[[], None] = lambda: None,
        idempotency: Idempotency = Idempotency.IDEMPOTENT,
    ) -> Courier:
        """Another worker, to whom something happens after each call on a channel, before it records what came of it."""
        known = self.parts.channels[channel]
        adapter = Eventful(known.adapter, afterwards, idempotency)
        channels = {**self.parts.channels, channel: replace(known, adapter=adapter)}
        transport = Transport(allow_private=True)
        providers, press = self.parts.providers(), Press(self.parts.templates)
        return Courier(self.parts.database, channels, providers, press, transport, self.web_url)


@dataclass(slots=True)
class Eventful:
    """An adapter that makes its calls as the real one does; then something else happens."""

    real: Adapter
    afterwards: Callable[[], None]
    idempotency: Idempotency
    dedupes_for: timedelta = timedelta(hours=24)

    @property
    def members_per_call(self) -> int:
        """As many as the real one takes."""
        return self.real.members_per_call

    def send(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery]:
        """Make the call."""
        found = self.real.send(call, provider, transport)
        self.afterwards()
        return found


class Killed(BaseException):
    """A worker ends here, as by SIGKILL: nothing of the product's own catches it."""


def kill() -> None:
    """End a worker."""
    raise Killed


def take_over(product: Product, broadcast: str) -> Callable[[], None]:
    """What happens to a worker that was frozen in a call: its lease ended, and another carried the batch."""

    def happen() -> None:
        product.end_waits()
        product.deliver(broadcast)

    return happen


@contextmanager
def running_product(
    folder: Path, database_url: str, redis_url: str, environment: pytest.MonkeyPatch
) -> Iterator[Product]:
    """The product on a database, with its web application and its sandbox served."""
    web_socket, sandbox_socket = bound(), bound()
    web_url, sandbox_url = address_of(web_socket), address_of(sandbox_socket)
    folder.mkdir(parents=True, exist_ok=True)
    write_sandbox_site(folder, sandbox_url=sandbox_url, public_url=web_url)
    for name, value in {
        "BROADCASTER_DATA": str(folder),
        "BROADCASTER_LOG_LEVEL": "CRITICAL",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }.items():
        environment.setenv(name, value)
    offset_file = folder / "clock-offset"
    clock.move_to(clock.machine_now(), offset_file)
    parts = open_app(settings.load())
    try:
        with clock.following(offset_file), served(web.create(), web_socket), served(sandbox.create(), sandbox_socket):
            yield Product(parts, parts.courier(), offset_file, sandbox_url, web_url)
    finally:
        parts.database.close()
