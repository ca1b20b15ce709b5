"""The world in which lives are played: the product in one process on a real Postgres, reset between two of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, text

from broadcaster import clock, settings
from broadcaster.announcement.model import Window
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.channels.base import Idempotency
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.delivery import opening, rounds
from broadcaster.delivery.courier import Courier
from broadcaster.delivery.gate import Gate
from broadcaster.delivery.messages import Press
from broadcaster.operations import advance, correcting
from broadcaster.planning.proposal import Proposal
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.storage import audiences, suppressions
from broadcaster.storage.partitions import partition
from broadcaster.wiring import App, open_app
from tests import builders
from tests.lives.books import Books, Left
from tests.lives.life import PEOPLE
from tests.lives.provider import StandIn
from tests.lives.truth import Plan
from tests.lives.words import LANGUAGE, write_templates
from tests.support.adapters import with_adapter
from tests.support.product import Killed

NOWHERE = "http://127.0.0.1:9"
CHANNELS_TOLD = ("sms", "wechat")
ACCOUNTS = ("first-account", "second-account")
BASE = frozenset({0, 1, 2, 3})
"""Who is in the audience when a life begins."""
WORDS = {LANGUAGE: "字"}


def phone(person: int) -> str:
    """The number of somebody; of a block that no carrier uses."""
    return f"+86{10_000_000_000 + person}"


def is_concerned(address: str) -> bool:
    """Whether the counters' hours concern a reader: people with the tag, and whoever is no person."""
    return not address.startswith("+") or int(address[-1]) % 2 == 0


def proposal(slug: str, plan: Plan, *, quiet_hours: bool) -> Proposal:
    """An announcement of this plan: everybody is concerned, and people with a tag by the counters' hours besides."""
    found = _pattern(quiet_hours=quiet_hours)
    everywhere, at_counters = found.announcement.impacts
    impacts = everywhere, at_counters.model_copy(update={"last_acceptance": plan.counters})
    fields = {"slug": slug, "window": Window(start=plan.start, end=plan.end), "impacts": impacts}
    return found.model_copy(update={"announcement": found.announcement.model_copy(update=fields)})


@functools.cache
def _pattern(*, quiet_hours: bool) -> Proposal:
    rules = ("notice", "started", "changed", "restored", "cancelled")
    policy: dict[str, Any] = {name: [{"channels": CHANNELS_TOLD}] for name in rules}
    policy["reminder"] = [{"channels": CHANNELS_TOLD, "days_before": [3]}]
    policy["ongoing"] = [{"channels": CHANNELS_TOLD, "every_days": 7}]
    policy["overrun"] = [{"channels": CHANNELS_TOLD}, {"channels": CHANNELS_TOLD, "every_days": 2}]
    policy["quiet_hours"] = {"sms": "21:00-08:00"} if quiet_hours else {}
    at_counters = {"services": ["records"], "access_points": ["hall"], "state": "suspended", "audience": "tag:counters"}
    return builders.proposal(
        languages=[LANGUAGE],
        title=WORDS,
        subject=WORDS,
        reason=WORDS,
        owner={"name": WORDS, "signature": WORDS},
        services=[{"id": name, "name": WORDS} for name in ("payments", "records")],
        access_points=[{"id": "hall", "kind": "hall", "name": WORDS}],
        impacts=[
            {"id": "all", "services": ["payments"], "access_points": ["hall"], "state": "suspended"},
            {"id": "counters", **at_counters},
        ],
        policy=policy,
    )


@dataclass(slots=True)
class World:
    """The product's parts for lives, one after the other; `press` renders each announcement once."""

    parts: App
    offset_file: Path
    press: Press
    number: int = 0

    @property
    def slug(self) -> str:
        """Of the present life's announcement; every life has its own."""
        return f"life-{self.number}"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction on the product's database."""
        with self.parts.database.begin() as connection:
            yield connection

    def at(self, instant: datetime) -> None:
        """Let it be that instant of campaign time."""
        clock.move_to(instant, self.offset_file)

    def renew(self) -> None:
        """Forget the last life, and begin another one with the people of the beginning."""
        with self.transaction() as connection:
            found = connection.execute(text("SELECT number FROM announcements")).scalars().all()
            parts = [f"DROP TABLE {partition(number)}" for number in found]
            connection.exec_driver_sql(";".join((*_FORGET, *parts)))
        self.number += 1

    def gather(self, people: frozenset[int]) -> None:
        """Import these people as the whole audience."""
        rows = [(phone(one), f"N{one}", LANGUAGE, ["counters"] if one % 2 == 0 else []) for one in sorted(people)]
        with self.transaction() as connection:
            audiences.stage(connection, audiences.PEOPLE, self.parts.vault, rows)
            audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=False)

    def suppress(self, person: int) -> None:
        """Write to somebody no more."""
        with self.transaction() as connection:
            suppressions.write(connection, self.parts.vault, [(phone(person), "asked")], "", "test", clock.now())

    def unsuppress(self, person: int) -> None:
        """Write to somebody again."""
        with self.transaction() as connection:
            suppressions.lift(connection, self.parts.vault.handle(audiences.PEOPLE, phone(person)), None)

    def courier(self, stand_in: StandIn, classes: Sequence[Idempotency]) -> Courier:
        """A worker whose providers are the stand-in, some of each class."""
        channels = {slug: with_adapter(CHANNELS[slug], stand_in) for slug in CHANNELS_TOLD}
        providers: Mapping[str, Mapping[str, Provider]] = {
            "sms": {f"vendor-{number}": _provider(f"vendor-{number}", row) for number, row in enumerate(classes)},
            "wechat": {name: _provider(name, None) for name in ACCOUNTS},
        }
        parts, gate = self.parts, Gate(None, providers)
        return Courier(parts.database, channels, providers, self.press, Transport(), gate, parts.vault, NOWHERE)

    def look_around(self) -> None:
        """What the scheduler does each second, but for the queue."""
        now, database = clock.now(), self.parts.database
        with database.begin() as connection:
            advance.advance(connection, now, self.parts.reach)
        opening.open_due(database, self.parts.channels, now, self.parts.canary)
        rounds.cut(database, CHANNELS, self.parts.canary, now)
        opening.close_finished(database, now)

    def deliver(self, courier: Courier, books: Books) -> int:
        """Carry every batch that is ready, once; a worker that is killed leaves its batch as it is."""
        ready = rounds.feed(self.parts.database, clock.now(), 100)
        for batch in ready:
            try:
                courier.deliver(batch)
            except Killed:
                self._leave_in_doubt(batch, books)
        return len(ready)

    def _leave_in_doubt(self, batch: int, books: Books) -> None:
        rows = self.rows(_LEFT, batch=batch)
        addresses = self._addresses()
        for row in rows:
            ids = {addresses[id_]: id_ for id_ in row.members}
            hours = datetime.fromisoformat(row.hours)
            counters = {address: hours if is_concerned(address) else None for address in ids}
            books.doubt(Left(row.key, row.broadcast_id, row.revision, row.provider, ids, counters))

    def _addresses(self) -> Mapping[int, str]:
        """Recipient id → address."""
        handle = self.parts.vault.handle
        known = {handle(audiences.PEOPLE, phone(one)): phone(one) for one in range(PEOPLE)}
        known |= {handle("wechat", name): name for name in ACCOUNTS}
        return {
            row.id: known[bytes(row.handle)]
            for row in self.rows("SELECT id, handle FROM recipients")
            if bytes(row.handle) in known
        }

    def follow_up(self) -> None:
        """Join receipts, and count who holds something untrue."""
        rounds.merge_receipts(self.parts.database)
        correcting.correct(self.parts.database, clock.now(), self.parts.reach)

    def replan(self) -> None:
        """Keep the plan as the planner wants it, as is done now and then."""
        with self.transaction() as connection:
            advance.replan_all(connection, clock.now(), self.parts.reach)

    def end_waits(self, machine_time: timedelta = timedelta(hours=1)) -> None:
        """Let machine time pass: every lease, back-off and patience is over."""
        with self.transaction() as connection:
            connection.execute(_AGE, {"by": machine_time})

    def rows(self, statement: str, **values: Any) -> Sequence[Row[Any]]:
        """What a query finds."""
        with self.transaction() as connection:
            return connection.execute(text(statement), values).all()


@contextmanager
def world(folder: Path, database_url: str, environment: pytest.MonkeyPatch) -> Iterator[World]:
    """A world on a migrated database of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    stand_ins = {"sms": [{"name": "vendor-0"}], "wechat": [{"name": name} for name in ACCOUNTS]}
    templates = write_templates(folder / "templates")
    write_sandbox_site(folder, sandbox_url=NOWHERE, public_url=NOWHERE, templates=templates, stand_ins=stand_ins)
    for name, value in {
        "BROADCASTER_DATA": str(folder),
        "BROADCASTER_LOG_LEVEL": "CRITICAL",
        "DATABASE_URL": database_url,
    }.items():
        environment.setenv(name, value)
    parts = open_app(settings.load())
    _hurry(parts)
    found = World(parts, folder / "clock-offset", Press(parts.templates))
    found.at(clock.machine_now())
    try:
        with clock.following(found.offset_file):
            with found.transaction() as connection:
                sync_endpoints(connection, parts.vault, parts.site, parts.channels, clock.now())
            found.gather(BASE)
            yield found
    finally:
        parts.database.close()


def _hurry(parts: App) -> None:
    """What a power cut would lose, nobody here misses: do not wait for the disk."""
    with parts.database.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {parts.database.engine.url.database} SET synchronous_commit = off"))
    parts.database.close()


def _provider(name: str, idempotency: Idempotency | None) -> Provider:
    return Provider(name, NOWHERE, "whsec_AAAA", idempotency=idempotency, visible_after=timedelta(0))


_LEFT = """
SELECT c.key, c.broadcast_id, c.revision, c.provider, c.members, r.facts->>'impact.counters.last_acceptance' AS hours
FROM calls c JOIN broadcasts b ON b.id = c.broadcast_id JOIN revisions r ON (r.slug, r.number) = (b.slug, c.revision)
WHERE c.batch_id = :batch
"""
_FORGET = (
    "DELETE FROM calls",
    "DELETE FROM batches",
    "DELETE FROM receipts",
    "DELETE FROM waiting_receipts",
    "DELETE FROM suppressions",
    "DELETE FROM staleness",
    "DELETE FROM broadcasts",
    "DELETE FROM revisions",
    "DELETE FROM announcements",
    "DELETE FROM tallies",
    "DELETE FROM recipients WHERE pool = '' AND since > 1",
    "UPDATE recipients SET until = NULL WHERE pool = '' AND until IS NOT NULL",
    "DELETE FROM audience_counts WHERE pool = '' AND version > 1",
    "DELETE FROM audience_versions WHERE pool = '' AND number > 1",
)
_AGE = text(
    """
    WITH free AS (
        UPDATE batches SET lease_until = NULL, next_attempt_at = NULL, enqueued_at = NULL WHERE NOT done
    ), older AS (
        UPDATE calls SET written_at = written_at - CAST(:by AS interval), made_at = made_at - CAST(:by AS interval)
    ), due AS (UPDATE waiting_receipts SET next_try_at = now())
    UPDATE staleness SET counted_at = counted_at - CAST(:by AS interval)
    """
)
