"""Concluding: the human words that end an announcement. The clock never says them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from broadcaster.announcement.lifecycle import Event, next_state
from broadcaster.errors import StateError
from broadcaster.operations.replan import replan
from broadcaster.operations.revise import required
from broadcaster.planning.changes import Changes
from broadcaster.storage import announcements, events, staleness


def finish(connection: Connection, slug: str, at: datetime, actor: str, now: datetime) -> Changes:
    """Say that service is back since `at`; lets `restored` go out."""
    standing = required(connection, slug)
    state = next_state(standing.state, Event.FINISH)
    if at > now:
        raise StateError(
            f"{at:%Y-%m-%d %H:%M} has not come yet",
            hint="say that service is back once it is; the plan can be extended",
        )
    if standing.started_at and at < standing.started_at:
        raise StateError(f"{at:%Y-%m-%d %H:%M} is before the outage started, {standing.started_at:%Y-%m-%d %H:%M} UTC")
    announcements.change(connection, slug, state=state, finished_at=at, concluded_at=now)
    events.record(connection, actor, "finish", slug, now, {"at": at.isoformat()})
    return _planned(connection, slug, now)


def cancel(connection: Connection, slug: str, reason: str, actor: str, now: datetime) -> Changes:
    """Call the outage off; lets `cancelled` go out to the channels on which anybody was told of it."""
    standing = required(connection, slug)
    announcements.change(
        connection, slug, state=next_state(standing.state, Event.CANCEL), cancelled_at=now, concluded_at=now
    )
    events.record(connection, actor, "cancel", slug, now, {"reason": reason})
    return _planned(connection, slug, now)


def _planned(connection: Connection, slug: str, now: datetime) -> Changes:
    staleness.forget(connection, slug)
    # A draft has no plan; concluding it changes no broadcast. Its news goes out at once, whatever the site's pace.
    return replan(connection, slug, now, {}) or Changes()
