"""Advancing: what the passing of time does to announcements. It starts and finds overdue; it never completes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Connection

from broadcaster.announcement.lifecycle import TRANSITIONS, Event, State, next_state
from broadcaster.announcement.model import Window
from broadcaster.errors import BroadcasterError
from broadcaster.operations.replan import replan
from broadcaster.storage import announcements, events
from broadcaster.storage.announcements import Standing

log = structlog.get_logger()

ACTOR = "clock"
_LIVE = frozenset({State.SCHEDULED, State.IN_PROGRESS, State.OVERRUN})


def advance(connection: Connection, now: datetime) -> None:
    """Move every announcement whose start or planned end has passed, and replan it."""
    _each_alone(connection, lambda row: advance_one(connection, row, now))


def advance_one(connection: Connection, standing: Standing, now: datetime) -> None:
    """Move one announcement whose start or planned end has passed, and replan it."""
    for event, edge in [(event, edge) for event, edge in _edges(connection, standing) if edge <= now]:
        _move(connection, standing.slug, event, edge, now)


def replan_all(connection: Connection, now: datetime) -> None:
    """Add what a plan without a known end needs next, and keep every live plan as the planner wants it."""
    _each_alone(connection, lambda row: replan(connection, row.slug, now))


def _each_alone(connection: Connection, work: Callable[[Standing], object]) -> None:
    """Do the work for every live announcement; one that cannot be read holds up none of the others."""
    for row in live(connection):
        try:
            with connection.begin_nested():
                work(row)
        except BroadcasterError as error:
            log.error("announcement_left_out", slug=row.slug, why=error.message)


def live(connection: Connection) -> list[Standing]:
    """The announcements to which the passing of time matters."""
    return [row for row in announcements.all_standing(connection) if row.state in _LIVE]


def next_boundary(connection: Connection, now: datetime) -> datetime | None:
    """The next start or planned end of a live announcement after `now`."""
    edges = [edge for row in live(connection) for _, edge in _edges(connection, row)]
    return min((edge for edge in edges if edge > now), default=None)


def has_passed(connection: Connection, now: datetime) -> bool:
    """Whether some start or planned end has passed that no announcement was moved for yet."""
    return any(edge <= now for row in live(connection) for _, edge in _edges(connection, row))


def _edges(connection: Connection, row: Standing) -> list[tuple[Event, datetime]]:
    """The clock's events that are still to come in this state, with their instants."""
    window = _window(connection, row)
    if window is None:
        return []
    edges = [(Event.START, window.start)] if row.state is State.SCHEDULED else []
    if window.end and row.state in (State.SCHEDULED, State.IN_PROGRESS):
        edges.append((Event.END_PASSED, window.end))
    return edges


def _window(connection: Connection, row: Standing) -> Window | None:
    stored = announcements.revision(connection, row.slug, row.approved_revision) if row.approved_revision else None
    return stored.proposal.announcement.window if stored else None


def _move(connection: Connection, slug: str, event: Event, edge: datetime, now: datetime) -> None:
    # Looked up again under a lock: another scheduler may have moved it since.
    standing = announcements.find(connection, slug, lock=True)
    if standing is None or (standing.state, event) not in TRANSITIONS:
        return
    # A scheduler that was down over the start moves it late; the outage began on time all the same.
    started = {"started_at": edge} if event is Event.START else {}
    announcements.change(connection, slug, state=next_state(standing.state, event), **started)
    events.record(connection, ACTOR, str(event), slug, now)
    replan(connection, slug, now)
