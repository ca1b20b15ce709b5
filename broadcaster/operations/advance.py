"""Advancing: what the passing of time does to announcements. It starts and finds overdue; it never completes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from broadcaster.announcement.lifecycle import TRANSITIONS, Event, State, next_state
from broadcaster.errors import BroadcasterError
from broadcaster.operations.reach import Reach
from broadcaster.operations.replan import replan
from broadcaster.storage import announcements, events
from broadcaster.storage.announcements import Standing

log = structlog.get_logger()

ACTOR = "clock"
LONGEST_REPLANNING = 0.5
"""Seconds after which a round of replanning ends, whoever has not had their turn."""


def advance(connection: Connection, now: datetime, reach: Mapping[str, Reach]) -> None:
    """Move every announcement whose start or planned end has passed, and replan it."""
    overdue = announcements.overdue(connection, now)
    _each_alone(connection, overdue, lambda row: advance_one(connection, row, now, reach))


def advance_one(connection: Connection, standing: Standing, now: datetime, reach: Mapping[str, Reach]) -> None:
    """Move one announcement whose start or planned end has passed, and replan it."""
    for event, edge in [(event, edge) for event, edge in _edges(standing) if edge <= now]:
        if _move(connection, standing.slug, event, edge, now):
            replan(connection, standing.slug, now, reach)


def replan_all(connection: Connection, now: datetime, reach: Mapping[str, Reach]) -> None:
    """Add what a plan without a known end needs next, and keep every live plan as the planner wants it."""
    _each_alone(connection, announcements.live(connection), lambda row: replan(connection, row.slug, now, reach))


def replan_in_turn(connection: Connection, now: datetime, reach: Mapping[str, Reach], after: str) -> str:
    """Replan for a moment: what has no known end always, the others in turn from `after`; gives the last one's slug.

    The scheduler's ticks wait meanwhile, and there may be a thousand announcements.
    """
    rows, deadline = announcements.live(connection), time.monotonic() + LONGEST_REPLANNING
    endless = [row for row in rows if row.ends_at is None or row.state is State.OVERRUN]
    others = [row for row in rows if row not in endless]
    _each_alone(connection, endless, lambda row: replan(connection, row.slug, now, reach))
    for row in sorted(others, key=lambda row: (row.slug <= after, row.slug)):
        _each_alone(connection, [row], lambda row: replan(connection, row.slug, now, reach))
        after = row.slug
        if time.monotonic() > deadline:
            break
    return after


def _each_alone(connection: Connection, rows: Sequence[Standing], work: Callable[[Standing], object]) -> None:
    """Do the work for every announcement; one that cannot be read holds up none of the others."""
    for row in rows:
        try:
            with connection.begin_nested():
                work(row)
        except BroadcasterError as error:
            log.error("announcement_left_out", slug=row.slug, why=error.message)


def _edges(row: Standing) -> list[tuple[Event, datetime]]:
    """The clock's events that are still to come in this state, with their instants."""
    edges = [(Event.START, row.starts_at)] if row.state is State.SCHEDULED and row.starts_at else []
    if row.ends_at and row.state in (State.SCHEDULED, State.IN_PROGRESS):
        edges.append((Event.END_PASSED, row.ends_at))
    return edges


def _move(connection: Connection, slug: str, event: Event, edge: datetime, now: datetime) -> bool:
    """Move one announcement; gives whether it was still to be moved."""
    # Looked up again under a lock: another scheduler may have moved it since.
    standing = announcements.find(connection, slug, lock=True)
    if standing is None or (standing.state, event) not in TRANSITIONS:
        return False
    # A scheduler that was down over the start moves it late; the outage began on time all the same.
    started = {"started_at": edge} if event is Event.START else {}
    announcements.change(connection, slug, state=next_state(standing.state, event), **started)
    events.record(connection, ACTOR, str(event), slug, now)
    return True
