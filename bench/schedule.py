"""A full calendar: what a tick costs when nothing is due, and how late what falls due at once is taken up.

A thousand announcements with a hundred broadcasts each, written as the planner plans them: their first broadcasts fall
due at the same instant, and so do their second and third ones. Lateness is from due to claimed by a tick, which opens
the broadcast, in real seconds: campaign time is moved to shortly before an instant, and runs at real speed from there,
each time at another part of the second between two ticks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from statistics import median

from sqlalchemy import ColumnElement, Connection, func, select, text

from bench import announcements as examples
from bench.ours import Setup, running
from bench.patience import await_progress
from broadcaster import clock
from broadcaster.announcement.lifecycle import State
from broadcaster.errors import StateError
from broadcaster.planning.broadcast import Broadcast, BroadcastState
from broadcaster.planning.planner import plan
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.situation import Situation
from broadcaster.settings import Settings
from broadcaster.stack import environment
from broadcaster.storage import announcements
from broadcaster.storage.copying import copy_rows
from broadcaster.storage.database import Database
from broadcaster.storage.tables import broadcasts

EACH = 100
"""Broadcasts of an announcement."""
ROUNDS = 3
"""Instants at which everything falls due at once."""
HEAD_START = timedelta(seconds=2)
LOOK_EVERY = 0.02
"""Seconds."""
PEOPLE = 2
"""In the audience: what is measured is not how they are told."""
_COLUMNS = [column.name for column in fields(Broadcast)]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The figures. Idle ticks in milliseconds, median and 99th percentile; lateness in seconds."""

    rows: int
    due_at_once: int
    idle_tick_ms: float
    idle_tick_p99_ms: float
    lateness_median_s: float
    lateness_p99_s: float


def measure(settings: Settings, rows: int) -> Scheduled:
    """Fill the calendar of a database that has a few people in it, and measure."""
    database, now = Database(str(settings.database_url)), clock.now()
    try:
        instants = _fill(database, max(1, rows // EACH), now)
        ticks = _idle_ticks(settings)
        late = _lateness(settings, database, instants)
    finally:
        database.close()
    return Scheduled(
        rows=max(1, rows // EACH) * EACH,
        due_at_once=len(late) // ROUNDS,
        idle_tick_ms=round(median(ticks), 2),
        idle_tick_p99_ms=round(percentile(ticks, 99), 2),
        lateness_median_s=round(median(late), 3),
        lateness_p99_s=round(percentile(late, 99), 3),
    )


def percentile(values: list[float], share: int) -> float:
    """The value below which `share` hundredths of the values are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def _fill(database: Database, number: int, now: datetime) -> list[datetime]:
    """Write so many approved announcements with their plans; gives the first instants at which each has one due."""
    template = examples.with_many_broadcasts("calendar", EACH)
    planned: list[Broadcast] = []
    with database.begin() as connection:
        for place in range(number):
            proposal = _renamed(template, f"calendar-{place}")
            _write(connection, proposal, now)
            planned += plan(proposal, Situation(revision=1, approved_at=now), now)
        statement = f"COPY broadcasts ({', '.join(_COLUMNS)}) FROM STDIN"
        copy_rows(connection, statement, (tuple(asdict(row).values()) for row in planned))
        connection.execute(text("ANALYZE"))
    return sorted({row.due_at for row in planned})[:ROUNDS]


def _renamed(proposal: Proposal, slug: str) -> Proposal:
    announcement = proposal.announcement.model_copy(update={"slug": slug})
    return proposal.model_copy(update={"announcement": announcement})


def _write(connection: Connection, proposal: Proposal, now: datetime) -> None:
    """What proposing and approving leave behind, without looking at what stands already."""
    slug = proposal.announcement.slug
    announcements.create(connection, slug, proposal.announcement.zone, now)
    announcements.add_revision(connection, slug, 1, proposal, None, now)
    announcements.approve_revision(connection, slug, 1, now)
    window = proposal.announcement.window
    found = {"approved_revision": 1, "approved_at": now, "starts_at": window.start, "ends_at": window.end}
    announcements.change(connection, slug, state=State.SCHEDULED, **found)


def _idle_ticks(settings: Settings) -> list[float]:
    """Milliseconds of each of a series of ticks in a process of their own."""
    command = (sys.executable, "-m", "bench.ticking")
    found = subprocess.run(command, env=environment(settings), capture_output=True, text=True, timeout=300, check=False)
    if found.returncode:
        raise StateError(f"ticking failed: {found.stderr[-2000:]}")
    ticks: list[float] = json.loads(found.stdout)
    return ticks


def _lateness(settings: Settings, database: Database, instants: list[datetime]) -> list[float]:
    """Seconds from due to claimed, of every broadcast that is due at one of the instants."""
    offset_file = settings.data.resolve() / "clock-offset"
    clock.move_to(clock.machine_now(), offset_file)
    late: list[float] = []
    with clock.following(offset_file), running(settings, Setup(), offset_file):
        for number, instant in enumerate(instants):
            clock.move_to(instant - HEAD_START - timedelta(seconds=number / ROUNDS), offset_file)
            late += _claims(database, instant)
            _await_closed(database, instant)
    return late


def _claims(database: Database, due_at: datetime) -> list[float]:
    """How late each broadcast of an instant was seen to be claimed: what counts is when others see it, too."""
    planned = partial(_count, database, due_at, broadcasts.c.state == BroadcastState.PLANNED)
    late: list[float] = []
    waiting = planned()

    def all_claimed() -> bool:
        nonlocal waiting
        left = planned()
        late.extend([(clock.now() - due_at).total_seconds()] * (waiting - left))
        waiting = left
        return not left

    await_progress(all_claimed, lambda: waiting, "the opening of everything that is due", LOOK_EVERY)
    return late


def _await_closed(database: Database, due_at: datetime) -> None:
    """What is still in a call would hold the next message back."""
    left = partial(_count, database, due_at, broadcasts.c.closed_at.is_(None))
    await_progress(lambda: not left(), left, "the end of everything that was due")


def _count(database: Database, due_at: datetime, condition: ColumnElement[bool]) -> int:
    """How many broadcasts of an instant are as the condition says."""
    query = select(func.count()).where(broadcasts.c.due_at == due_at, condition)
    with database.begin() as connection:
        return int(connection.execute(query).scalar_one())
