"""Staleness as it is shown: how many hold something untrue on each channel, and why that is not over yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.channels.registry import POOLS
from broadcaster.planning.broadcast import Among, BroadcastState
from broadcaster.storage import broadcasts, staleness
from broadcaster.storage.announcements import Standing
from broadcaster.storage.believers import Count
from broadcaster.storage.scopes import truth

UNDER_WAY = "their correction is under way"
NO_CORRECTION = "no correction is planned"
COUNTED_AGAIN = "they are being counted again"
"""Something went out since the count: perhaps nobody is uncorrected any more."""
LEFT_OUT = "left out"
"""How the reason of whoever must not be told begins: they opted out, or it was no longer true."""


def stale(connection: Connection, standing: Standing) -> list[dict[str, Any]]:
    """Each channel on which something untrue was told: `stale`, `uncorrected`, `why` (words → number), `counted_at`.

    As counted last; `counted_at` is machine time: the number is as old as that. Of what was purged nobody knows it.
    """
    kept = {} if standing.purged_at else staleness.counted(connection, standing.slug)
    outdated = staleness.outdated(connection, standing.slug, truth(connection, standing)) if kept else frozenset()
    return [
        _data(connection, standing, channel, row.count, row.at, outdated=channel in outdated)
        for channel, row in sorted(kept.items())
    ]


def stale_now(connection: Connection, standing: Standing) -> list[dict[str, Any]]:
    """The same, counted now: reads the whole ledger of the announcement."""
    if standing.purged_at:
        return []
    kept = staleness.counted(connection, standing.slug)
    found = staleness.count(connection, standing, POOLS, truth(connection, standing))
    return [
        _data(connection, standing, channel, count, clock.machine_now(), outdated=False)
        for channel, count in sorted(found.items())
        if count.stale or channel in kept
    ]


def _data(
    connection: Connection, standing: Standing, channel: str, count: Count, at: datetime, *, outdated: bool
) -> dict[str, Any]:
    why = dict(_missed(count))
    if count.uncorrected:
        why = {_awaited(connection, standing, channel, outdated=outdated): count.uncorrected, **why}
    return {
        "channel": channel,
        "stale": count.stale,
        "uncorrected": count.uncorrected,
        "why": why,
        "counted_at": at.isoformat(timespec="seconds"),
    }


def _missed(count: Count) -> Iterator[tuple[str, int]]:
    """Why those still are stale for whom a correction was meant."""
    for (outcome, reason), number in sorted(count.reasons.items(), key=lambda row: -row[1]):
        words = _OUTCOMES.get(outcome, outcome)
        yield (f"{words}: {reason}" if reason else words), number


def _awaited(connection: Connection, standing: Standing, channel: str, *, outdated: bool) -> str:
    """What will correct the others, as it stands."""
    rows = broadcasts.of_announcement(connection, standing.slug, ZoneInfo(standing.zone))
    on_channel = [row for row in rows if row.channel == channel]
    if any(row.state is BroadcastState.OPEN and row.among is Among.STALE for row in on_channel):
        return UNDER_WAY
    planned = [row for row in on_channel if row.state is BroadcastState.PLANNED]
    soonest = min(planned, key=lambda row: (row.among is not Among.STALE, row.due_at), default=None)
    if soonest is None:
        return COUNTED_AGAIN if outdated else NO_CORRECTION
    return f"told by {soonest.phase}, due {soonest.due_at:%Y-%m-%d %H:%M}"


_OUTCOMES = {
    "rejected": "refused",
    "failed": "accepted, and not delivered",
    "unknown": "in doubt",
    "skipped": LEFT_OUT,
}
