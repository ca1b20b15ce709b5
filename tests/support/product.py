"""The product in the test's own process: real Postgres, real HTTP, and campaign time that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from sqlalchemy import Connection, Row, select, text, update

from broadcaster import clock, settings
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.audience.generated import generated_people
from broadcaster.channels.base import Adapter, Call, Channel, Delivery, Idempotency
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.delivery import opening, rounds
from broadcaster.delivery.courier import Courier
from broadcaster.delivery.gate import Gate
from broadcaster.delivery.messages import Press
from broadcaster.operations import revise
from broadcaster.operations.endpoints import Registry
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.rehearsal import witness
from broadcaster.sandbox import app as sandbox
from broadcaster.sandbox.partners import PARTNERS, register_partners, secret_of
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.storage import audiences, broadcasts, progress, receipts
from broadcaster.storage.tables import batches, calls, deliveries
from broadcaster.storage.tables import broadcasts as broadcast_table
from broadcaster.web import app as web
from broadcaster.wiring import App, open_app
from tests.support.adapters import adapter_of, with_adapter
from tests.support.examples import SLUG, example
from tests.support.polling import eventually
from tests.support.serving import address_of, bound, served_together

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
            sync_endpoints(connection, self.parts.vault, self.parts.site, self.parts.channels, clock.now())
            audiences.stage(connection, audiences.PEOPLE, self.parts.vault, generated_people(people))
            audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=True)

    def registry(self, connection: Connection) -> Registry:
        """The registry of endpoints, as an operator has it now."""
        return Registry(connection, self.parts.vault, self.parts.reach, ACTOR, clock.now())

    def register_partners(self) -> None:
        """Have the sandbox's partners as recipients."""
        with self.transaction() as connection:
            register_partners(self.registry(connection), self.parts.settings.site_file.parent, self.sandbox_url)

    def publish(self, proposal: Proposal | None = None) -> int:
        """Propose and approve, as an operator would; gives the revision."""
        wanted, now = proposal or example(), clock.now()
        with self.transaction() as connection:
            number = revise.propose(connection, wanted, ACTOR, now)
            assert number
            revise.approve(connection, SLUG, number, ACTOR, now, self.parts.reach)
        return number

    def open(self, channel: str, phase: Phase = Phase.NOTICE) -> str:
        """Open what is due, as the scheduler does; gives the newest broadcast of the phase on the channel."""
        opening.open_due(self.parts.database, self.parts.channels, clock.now(), self.parts.canary)
        self.cut()
        wanted = (broadcast_table.c.channel == channel) & (broadcast_table.c.phase == phase)
        query = select(broadcast_table.c.id).where(wanted, broadcast_table.c.opened_at.is_not(None))
        with self.transaction() as connection:
            return str(connection.execute(query.order_by(broadcast_table.c.due_at.desc()).limit(1)).scalar_one())

    def cut(self) -> None:
        """Cut the next batches of what is open, as the scheduler does."""
        rounds.cut(self.parts.database, CHANNELS, self.parts.canary, clock.now())

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
            self.cut()
            return all(batch.done for batch in self.batches(broadcast))

        eventually(done, "every batch is done")

    def end_waits(self) -> None:
        """Let the machine time of every lease and every back-off be over, a provider's Retry-After included."""
        over = {"lease_until": None, "next_attempt_at": None}
        redis.Redis.from_url(str(self.parts.settings.redis_url)).flushdb()
        with self.transaction() as connection:
            connection.execute(update(batches).where(~batches.c.done).values(**over))

    def merge_receipts(self) -> None:
        """Join the receipts of everything that the sandbox has shown, once they are all here."""
        eventually(lambda: self.totals()["waiting"] == 0, "the sandbox has sent its receipts")
        eventually(self._merged, "every receipt is joined to its delivery")

    def _merged(self) -> bool:
        rounds.merge_receipts(self.parts.database)
        with self.transaction() as connection:
            return receipts.unsettled(connection) == 0

    def broadcast(self, broadcast: str) -> Row[Any]:
        """A broadcast with its counters as they are at this moment."""
        with self.transaction() as connection:
            row = broadcasts.find(connection, broadcast)
            assert row
            [found] = [one for one in progress.rows_of(connection, row.slug, clock.now()) if one.id == broadcast]
        return found

    def ledger(self, broadcast: str) -> Sequence[Row[Any]]:
        """The deliveries of a broadcast, by recipient."""
        query = select(deliveries).where(deliveries.c.broadcast_id == broadcast).order_by(deliveries.c.recipient_id)
        with self.transaction() as connection:
            return connection.execute(query).all()

    def calls(self, broadcast: str) -> Sequence[Row[Any]]:
        """The provider calls of a broadcast whose outcome is not recorded."""
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
        return dict(witness.shown(self.parts, self.sandbox_url).get(broadcast, {}))

    def another_courier(
        self,
        *,
        providers: dict[str, dict[str, Provider]] | None = None,
        channels: Mapping[str, Channel] | None = None,
        press: Press | None = None,
    ) -> Courier:
        """A worker with other providers, channels or templates than the site's."""
        parts = self.parts
        used = parts.providers() if providers is None else providers
        return Courier(
            parts.database,
            channels or parts.channels,
            used,
            press or Press(parts.templates),
            Transport(allow_private=True),
            Gate(parts.settings.redis_url, used),
            parts.vault,
            self.web_url,
        )

    def worker(
        self,
        channel: str,
        afterwards: Callable[[], None] = lambda: None,
        idempotency: Idempotency = Idempotency.IDEMPOTENT,
        providers: dict[str, dict[str, Provider]] | None = None,
        before_asking: Callable[[], None] = lambda: None,
    ) -> Courier:
        """Another worker, to whom something happens after each call on a channel, before it records what came of it,
        and before each question."""
        known = self.parts.channels[channel]
        adapter = Eventful(adapter_of(known), afterwards, idempotency, before_asking)
        channels = {**self.parts.channels, channel: with_adapter(known, adapter)}
        return self.another_courier(channels=channels, providers=providers)


@dataclass(slots=True)
class Eventful:
    """An adapter that makes its calls as the real one does; then something else happens, and before a question."""

    real: Adapter
    afterwards: Callable[[], None]
    idempotency: Idempotency
    before_asking: Callable[[], None] = lambda: None
    dedupes_for: timedelta = timedelta(hours=24)
    visible_after: timedelta = timedelta(0)

    @property
    def members_per_call(self) -> int:
        """As many as the real one takes."""
        return self.real.members_per_call

    def send(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery]:
        """Make the call."""
        found = self.real.send(call, provider, transport)
        self.afterwards()
        return found

    def ask(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery] | None:
        """Ask as the real one does."""
        self.before_asking()
        return self.real.ask(call, provider, transport)


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
    folder: Path,
    database_url: str,
    redis_url: str,
    environment: pytest.MonkeyPatch,
    stand_ins: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    templates: Path | None = None,
) -> Iterator[Product]:
    """The product on a database, with its web application and its sandbox served; its providers may be `stand_ins`.

    `templates` is a folder that overrides ours file by file."""
    web_socket, sandbox_socket = bound(), bound()
    web_url, sandbox_url = address_of(web_socket), address_of(sandbox_socket)
    folder.mkdir(parents=True, exist_ok=True)
    write_sandbox_site(folder, sandbox_url=sandbox_url, public_url=web_url, stand_ins=stand_ins, templates=templates)
    for name in PARTNERS:
        secret_of(folder, name)
    for name, value in {
        "BROADCASTER_DATA": str(folder),
        "BROADCASTER_LOG_LEVEL": "CRITICAL",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }.items():
        environment.setenv(name, value)
    # What another test's providers did must not keep this one's waiting.
    redis.Redis.from_url(redis_url).flushdb()
    offset_file = folder / "clock-offset"
    clock.move_to(clock.machine_now(), offset_file)
    parts = open_app(settings.load())
    try:
        apps = {web_socket: web.create(), sandbox_socket: sandbox.create(looking=False)}
        with clock.following(offset_file), served_together(apps):
            yield Product(parts, parts.courier(), offset_file, sandbox_url, web_url)
    finally:
        parts.database.close()
