"""The overview: every announcement, how it stands, and what holds it back. Cheap enough to be asked every second."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.planning.broadcast import BroadcastState
from broadcaster.reporting.asked import asked
from broadcaster.reporting.report import COUNTERS, hold_data
from broadcaster.reporting.surfaces import stale_by_channel
from broadcaster.storage import announcements, holds, operator_events, progress, staleness

UTC = ZoneInfo("UTC")


def overview(connection: Connection, now: datetime) -> dict[str, Any]:
    """Announcements, newest first; every hold, the halted first; what waits for operators. Times in each one's zone."""
    sums, stale = progress.by_announcement(connection, now), staleness.by_announcement(connection)
    held = sorted(holds.standing(connection), key=lambda hold: not hold.halted)
    return {
        "holds": [hold_data(hold, UTC) for hold in held],
        "screens": _stale_screens(connection),
        "asked": asked(operator_events.waiting(connection), UTC),
        "announcements": [
            _data(row, sums.get(row.slug), stale.get(row.slug)) for row in announcements.all_standing(connection)
        ],
    }


def _stale_screens(connection: Connection) -> list[dict[str, Any]]:
    """Each surface with screens that lack a change: which, and since when the first does."""
    return [
        {
            "channel": channel,
            "names": [row.name for row in rows],
            "since": min(row.since for row in rows).isoformat(timespec="seconds"),
        }
        for channel, rows in stale_by_channel(connection).items()
        if rows
    ]


def _data(row: announcements.Standing, sums: Row[Any] | None, stale: int | None) -> dict[str, Any]:
    """One announcement; without a plan its numbers are 0.

    `stale` is None where nothing that was told ever became untrue, or where nobody knows any more who was told what.
    """
    next_due = sums.next_due.astimezone(ZoneInfo(row.zone)) if sums and sums.next_due else None
    names = (*COUNTERS, "in_doubt")
    return {
        "slug": row.slug,
        "state": str(row.state),
        "revision": row.approved_revision,
        "zone": row.zone,
        "broadcasts": {str(state): getattr(sums, f"{state}_broadcasts") if sums else 0 for state in BroadcastState},
        **{name: getattr(sums, name) if sums else 0 for name in names},
        "accounted": sum(getattr(sums, name) for name in progress.OUTCOMES) if sums else 0,
        "stale": None if row.purged_at else stale,
        "next_due": next_due.isoformat(timespec="seconds") if next_due else None,
    }
