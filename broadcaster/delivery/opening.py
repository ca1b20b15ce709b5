"""Opening broadcasts that are due: from a row of the plan to an audience that no longer changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.channels.base import Channel
from broadcaster.delivery.canary import Canary
from broadcaster.planning.broadcast import EVERYONE, Among
from broadcaster.storage import audiences, batches, broadcasts, events
from broadcaster.storage.database import Database

BATCH_SIZE = 1000
OPENED_AT_ONCE = 200
"""Broadcasts in one transaction."""

ACTOR = "scheduler"


def open_due(database: Database, channels: Mapping[str, Channel], now: datetime, canary: Canary) -> int:
    """Open every due broadcast and skip those whose time is over; gives how many were taken from the plan."""
    taken = 0
    while True:
        with database.begin() as connection:
            due = broadcasts.claim_due(connection, now, OPENED_AT_ONCE)
            _open(connection, due, channels, now, canary)
        taken += len(due)
        if len(due) < OPENED_AT_ONCE:
            return taken


def close_finished(database: Database, now: datetime) -> list[str]:
    """Close the broadcasts whose batches are all done."""
    with database.begin() as connection:
        return broadcasts.close_finished(connection, now)


def _open(
    connection: Connection, due: list[Row[Any]], channels: Mapping[str, Channel], now: datetime, canary: Canary
) -> None:
    sizes = _Sizes(connection)
    opened, skipped = [], []
    for row in due:
        reason = _why_not(row, channels, now)
        if reason:
            skipped.append({"id": row.id, "slug": row.slug, "reason": reason})
            continue
        version, size, whole = sizes.of(channels[row.channel].pool, row)
        begun = {"id": row.id, "slug": row.slug, "version": version, "recipients": size, "cut": whole}
        opened.append({**begun, **canary.begin(size)})
    broadcasts.open_all(connection, now, opened)
    batches.create_whole(connection, [(row["id"], row["recipients"]) for row in opened if row["cut"]])
    broadcasts.skip_all(connection, skipped)
    events.record_all(connection, ACTOR, "open", now, [(row["slug"], _details(row)) for row in opened])
    events.record_all(connection, ACTOR, "skip", now, [(row["slug"], _details(row)) for row in skipped])


def _why_not(row: Row[Any], channels: Mapping[str, Channel], now: datetime) -> str | None:
    if row.expires_at <= now:
        return "expired before it could be sent"
    return None if row.channel in channels else "the site has no such channel"


def _details(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("recipients", "reason") if name in row}
    return {"broadcast": row["id"], **kept}


class _Sizes:
    """The version of each pool and how many of it an audience covers, asked once a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, int, str], tuple[int, int, bool]] = {}
        self._newest: dict[str, int] = {}
        self._begun: dict[tuple[str, ...], int] = {}

    def of(self, pool: str, row: Row[Any]) -> tuple[int, int, bool]:
        """(version, recipients, whether one batch takes the whole pool) for a broadcast."""
        if row.retries:
            return (*broadcasts.failed_in(self._connection, row.retries), False)
        version = self._version(pool, row)
        if row.among:
            # Whoever it is for is found when its batches are cut, and counted then; this is how many at the most.
            return version, self._at_most(row, pool, version), False
        key = (pool, version, row.audience)
        if key not in self._known:
            size = audiences.reach(self._connection, pool, version, row.audience)
            whole = audiences.size(self._connection, pool, version) <= BATCH_SIZE
            self._known[key] = version, size, whole
        return self._known[key]

    def _at_most(self, row: Row[Any], pool: str, version: int) -> int:
        if row.among == Among.STALE:
            return broadcasts.told_on(self._connection, row.slug, row.channel)
        return audiences.joined_since(self._connection, pool, version, broadcasts.newest_version(self._connection, row))

    def _version(self, pool: str, row: Row[Any]) -> int:
        """The newest; for a part of the people that with which the first part of its occasion was opened.

        Whoever changed tags in between would else be in two parts, or in none.
        """
        if pool not in self._newest:
            self._newest[pool] = audiences.newest(self._connection, pool)
        if row.audience == EVERYONE:
            return self._newest[pool]
        occasion = (row.slug, row.channel, row.phase, row.occurrence)
        if occasion not in self._begun:
            self._begun[occasion] = broadcasts.version_begun(self._connection, row) or self._newest[pool]
        return self._begun[occasion]
