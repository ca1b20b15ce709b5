"""Staleness as it is shown: how many hold something untrue on each channel, and why that is not over yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from broadcaster.planning.broadcast import Among, BroadcastState
from broadcaster.storage import broadcasts, staleness
from broadcaster.storage.believers import Count

UNDER_WAY = "their correction is under way"
NO_CORRECTION = "no correction is planned"
LEFT_OUT = "left out"
"""How the reason of whoever must not be told begins: they opted out, or it was no longer true."""


def stale(connection: Connection, slug: str, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Each channel on which something untrue was told: `stale`, `uncorrected`, `why` (words → number), `counted_at`.

    `counted_at` is machine time: the number is as old as that.
    """
    return [
        {
            "channel": channel,
            "stale": row.count.stale,
            "uncorrected": row.count.uncorrected,
            "why": dict(_why(connection, slug, channel, row.count, zone)),
            "counted_at": row.at.isoformat(timespec="seconds"),
        }
        for channel, row in sorted(staleness.counted(connection, slug).items())
    ]


def _why(connection: Connection, slug: str, channel: str, count: Count, zone: ZoneInfo) -> Iterator[tuple[str, int]]:
    if count.uncorrected:
        yield _awaited(connection, slug, channel, zone), count.uncorrected
    for (outcome, reason), number in sorted(count.reasons.items(), key=lambda row: -row[1]):
        words = _OUTCOMES.get(outcome, outcome)
        yield (f"{words}: {reason}" if reason else words), number


def _awaited(connection: Connection, slug: str, channel: str, zone: ZoneInfo) -> str:
    """What will correct them, as it stands."""
    rows = [row for row in broadcasts.of_announcement(connection, slug, zone) if row.channel == channel]
    corrections = [row for row in rows if row.among is Among.STALE]
    if any(row.state is BroadcastState.OPEN for row in corrections):
        return UNDER_WAY
    planned = [row for row in rows if row.state is BroadcastState.PLANNED]
    soonest = min(planned, key=lambda row: (row.among is not Among.STALE, row.due_at), default=None)
    if soonest is None:
        return NO_CORRECTION
    return f"told by {soonest.phase}, due {soonest.due_at:%Y-%m-%d %H:%M}"


_OUTCOMES = {
    "rejected": "refused",
    "failed": "accepted, and not delivered",
    "unknown": "in doubt",
    "skipped": LEFT_OUT,
}
