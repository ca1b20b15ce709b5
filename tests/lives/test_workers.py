"""Twenty lives at once through real workers, beat and sandbox: what the public saw is held against what was true."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from celery import Celery
from sqlalchemy import text

from broadcaster import clock
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.operations import correcting
from broadcaster.rehearsal import witness
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.settings import Settings
from broadcaster.stack import HOST, Stack, environment, free_port, programs
from broadcaster.storage import announcements, audiences, batches, broadcasts, receipts, staleness
from broadcaster.wiring import App, open_app
from tests.conftest import Servers
from tests.lives.judge import WAITING
from tests.lives.life import HOUR, Cancel, Extend, Finish, Reinstate, Step
from tests.lives.operators import Operators, day, first_story
from tests.lives.truth import Statement, Status, Story
from tests.lives.words import LANGUAGE, write_templates
from tests.lives.world import ACCOUNTS, CHANNELS_TOLD, phone
from tests.support import databases
from tests.support.polling import eventually
from tests.support.processes import working_on

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]

LIVES = 20
SEED = int(os.environ.get("LIVES_SEED", "20220226"))
PEOPLE = 6
WAITS = (60, 240, 1)
"""Hours after each round of deeds."""
_TOLD_BY = {"overrun": Status.OVERRUN, "restored": Status.RESTORED, "cancelled": Status.CANCELLED}


@dataclass(slots=True)
class Lives:
    """Several announcements of one running product."""

    parts: App
    stack: Stack
    sandbox_url: str
    offset_file: Path
    data: Path
    celery: Celery
    chances: random.Random
    broken: list[str] = field(default_factory=list)
    operators: dict[str, Operators] = field(default_factory=dict)

    def publish(self) -> None:
        """Begin every life."""
        for number in range(LIVES):
            slug = f"life-{number}"
            found = Operators(self.parts, slug, first_story(), False, self.broken.append, alone=False)
            self.operators[slug] = found
            found.publish()

    def deeds(self) -> None:
        """Every operator does something, or nothing."""
        for found in self.operators.values():
            step: Step | None = self.chances.choice(
                (Extend(16), Extend(24), Extend(12), Cancel(), Reinstate(None), Finish(0), None, None)
            )
            if step is not None:
                found.act(step)

    def trouble(self) -> None:
        """Providers lose calls and answers for a while."""
        for kind, share in (("drop_after", 0.2), ("drop_before", 0.1), ("status", 0.1)):
            order = {"channel": "sms", "kind": kind, "share": share, "seed": self.chances.randrange(1000)}
            requests.post(f"{self.sandbox_url}/faults", json=order, timeout=10).raise_for_status()

    def kill_a_worker(self) -> None:
        """End one in the middle of whatever it does."""
        workers = sorted(pid for pid, words in working_on(self.data).items() if "delivery@" in words)
        os.kill(self.chances.choice(workers), signal.SIGKILL)

    def come_to_rest(self) -> None:
        """Wait until nothing is due or under way."""
        requests.delete(f"{self.sandbox_url}/faults", timeout=10).raise_for_status()
        eventually(self._is_quiet, "everything has come to rest")

    def _is_quiet(self) -> bool:
        self.stack.revive()
        for task in ("control.tick", "control.merge_receipts"):
            self.celery.send_task(task, queue="control", expires=1)
        if self._is_busy() or requests.get(f"{self.sandbox_url}/api/totals", timeout=10).json()["waiting"]:
            return False
        correcting.correct(self.parts.database, clock.now(), self.parts.reach)
        return not self._is_busy()

    def _is_busy(self) -> bool:
        now = clock.now()
        with self.parts.database.begin() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            return bool(
                announcements.overdue(connection, now)
                or broadcasts.any_due(connection, now)
                or batches.in_flight(connection, now)
                or receipts.unsettled(connection)
            )

    def judge(self) -> None:
        """Hold what the public saw against the stories."""
        now, shown = clock.now(), witness.shown(self.parts, self.sandbox_url)
        for slug, found in self.operators.items():
            rows = self._told(slug, shown)
            self._twice(slug, rows)
            self._current(slug, rows, found.story)
            self._nobody_left(slug, rows, found.story, now)
        assert not self.broken, "\n".join(self.broken)

    def _told(self, slug: str, shown: Mapping[str, Mapping[int, int]]) -> Sequence[dict[str, Any]]:
        """What somebody saw of an announcement, or may have, in order: how often (0: perhaps) and by which words."""
        with self.parts.database.begin() as connection:
            rows = connection.execute(_TOLD, {"slug": slug}).mappings().all()
        seen = [dict(row) | {"times": shown.get(row["id"], {}).get(row["recipient_id"], 0)} for row in rows]
        return [row for row in seen if row["times"] or row["outcome"] == "unknown"]

    def _twice(self, slug: str, rows: Sequence[dict[str, Any]]) -> None:
        seen = Counter[tuple[Any, ...]]()
        for row in rows:
            seen[row["channel"], row["recipient_id"], row["phase"], row["occurrence"]] += row["times"]
        if any(times > 1 for times in seen.values()):
            self.broken.append(f"{slug}: somebody saw the same occasion twice")

    def _current(self, slug: str, rows: Sequence[dict[str, Any]], story: Story) -> None:
        if story.finished_at is None and any(row["phase"] == "restored" for row in rows):
            self.broken.append(f"{slug}: restored is said, and no human said it")
        told: dict[tuple[str, int], list[Statement]] = {}
        for row in rows:
            reader, said = (row["channel"], row["recipient_id"]), _statement(row, story)
            if row["phase"] == "changed" and all(said == other for other in told.get(reader, [said])):
                self.broken.append(f"{slug}: {reader} is corrected, and was told nothing else")
            told.setdefault(reader, []).append(said)

    def _nobody_left(self, slug: str, rows: Sequence[dict[str, Any]], story: Story, now: datetime) -> None:
        """Who saw something untrue last is counted as stale, with a reason."""
        last = {(row["channel"], row["recipient_id"]): _statement(row, story) for row in rows if row["times"]}
        with self.parts.database.begin() as connection:
            counted = staleness.counted(connection, slug)
        for channel in CHANNELS_TOLD:
            wrong = [said for reader, said in last.items() if reader[0] == channel and _is_untrue(said, story, now)]
            found = counted[channel].count if channel in counted else None
            stale, reasons = (found.stale, sum(found.reasons.values())) if found else (0, 0)
            if len(wrong) > stale or (reasons != stale and not self._waits(slug, channel)):
                self.broken.append(f"{slug} {channel}: {len(wrong)} hold something untrue, {stale} are counted")

    def _waits(self, slug: str, channel: str) -> bool:
        with self.parts.database.begin() as connection:
            return bool(connection.execute(text(WAITING), {"slug": slug, "channel": channel}).first())


def _statement(row: Mapping[str, Any], story: Story) -> Statement:
    end = datetime.fromisoformat(row["facts"]["window.end"])
    status = _TOLD_BY.get(row["phase"], Status.PLANNED)
    return Statement(status, story.plan.start, end, back=story.finished_at)


def _is_untrue(said: Statement, story: Story, now: datetime) -> bool:
    return bool(story.wrong(said, now, concerned=False))


@contextmanager
def running(folder: Path, url: str, redis_url: str) -> Iterator[Lives]:
    """A running product with nobody told of anything yet."""
    folder.mkdir(parents=True, exist_ok=True)
    sandbox_port, web_port, offset_file = free_port(), free_port(), folder / "clock-offset"
    sandbox_url, web_url = f"http://{HOST}:{sandbox_port}", f"http://{HOST}:{web_port}"
    stand_ins: dict[str, list[dict[str, Any]]] = {
        "sms": [{"name": "vendor", "members_per_call": 2}],
        "wechat": [{"name": name} for name in ACCOUNTS],
    }
    templates = write_templates(folder / "templates")
    write_sandbox_site(folder, sandbox_url=sandbox_url, public_url=web_url, templates=templates, stand_ins=stand_ins)
    settings = Settings(data=folder, database_url=url, redis_url=redis_url, rehearsal=True)
    redis.Redis.from_url(redis_url).flushdb()
    clock.move_to(day(8) + 10 * HOUR, offset_file)
    parts, stack = open_app(settings), Stack(folder / "logs", environment(settings, offset_file))
    celery = Celery(broker=settings.broker_url)
    try:
        with clock.following(offset_file):
            _gather(parts, PEOPLE)
            stack.start(programs(settings, web_port=web_port, sandbox_port=sandbox_port))
            clock.move_to(day(8) + 10 * HOUR, offset_file)
            yield Lives(parts, stack, sandbox_url, offset_file, folder, celery, random.Random(SEED))  # noqa: S311
    finally:
        stack.stop(at_once=True)
        celery.close()
        parts.database.close()


def _gather(parts: App, people: int) -> None:
    rows = [(phone(one), f"N{one}", LANGUAGE, ["counters"] if one % 2 == 0 else []) for one in range(people)]
    with parts.database.begin() as connection:
        sync_endpoints(connection, parts.vault, parts.site, parts.channels, clock.now())
        audiences.stage(connection, audiences.PEOPLE, parts.vault, rows)
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=True)


def test_twenty_lives_through_real_workers(servers: Servers, tmp_path: Path) -> None:
    """Operators change their minds while calls are lost and workers killed; nobody is left believing what is untrue."""
    with databases.fresh(servers.postgres) as url, running(tmp_path / "data", url, servers.redis) as lives:
        lives.publish()
        for number, hours in enumerate(WAITS):
            lives.trouble()
            lives.deeds()
            lives.kill_a_worker()
            lives.come_to_rest()
            lives.judge()
            clock.move_to(clock.now() + hours * HOUR, lives.offset_file)
            _gather(lives.parts, PEOPLE + number)


_TOLD = text(
    """
    SELECT b.id, b.channel, b.phase, b.occurrence, d.recipient_id, d.outcome, r.facts
    FROM deliveries d
    JOIN broadcasts b ON b.id = d.broadcast_id
    JOIN revisions r ON (r.slug, r.number) = (b.slug, d.revision)
    WHERE d.announcement = (SELECT number FROM announcements WHERE slug = :slug) AND b.slug = :slug
    ORDER BY d.at
    """
)
