"""Opening broadcasts that are due: from a row of the plan to batches of up to 1,000 recipients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.channels.base import Channel
from broadcaster.storage import batches, broadcasts, events, recipients
from broadcaster.storage.database import Database

BATCH_SIZE = 1000
OPENED_AT_ONCE = 50

ACTOR = "scheduler"


def open_due(database: Database, channels: Mapping[str, Channel], now: datetime) -> int:
    """Open every due broadcast and skip those whose time is over; gives how many were taken from the plan."""
    with database.begin() as connection:
        due = broadcasts.claim_due(connection, now, OPENED_AT_ONCE)
        for row in due:
            _open_or_skip(connection, row, channels, now)
    return len(due)


def close_finished(database: Database, now: datetime) -> list[str]:
    """Close the broadcasts whose batches are all done."""
    with database.begin() as connection:
        return broadcasts.close_finished(connection, now)


def _open_or_skip(connection: Connection, row: Row[Any], channels: Mapping[str, Channel], now: datetime) -> None:
    if row.expires_at <= now:
        _skip(connection, row, now, "expired before it could be sent")
    elif row.channel not in channels:
        _skip(connection, row, now, "the site has no such channel")
    else:
        _open(connection, row, channels[row.channel], now)


def _open(connection: Connection, row: Row[Any], channel: Channel, now: datetime) -> None:
    parts = recipients.ranges(connection, channel.reaches, channel.pool, BATCH_SIZE, now)
    size = sum(part.size for part in parts)
    broadcasts.open_(connection, row.id, now, size)
    batches.create(connection, row.id, parts)
    events.record(connection, ACTOR, "open", row.slug, now, {"broadcast": row.id, "recipients": size})


def _skip(connection: Connection, row: Row[Any], now: datetime, reason: str) -> None:
    broadcasts.skip(connection, row.id, reason)
    events.record(connection, ACTOR, "skip", row.slug, now, {"broadcast": row.id, "reason": reason})
