"""The periodic rounds of delivery: feeding the queue, sweeping what it lost, joining receipts."""

from __future__ import annotations

import time
from datetime import datetime

from broadcaster.storage import batches, heartbeats, ledger
from broadcaster.storage.database import Database

TICK = "tick"
"""The heartbeat of the scheduler."""

LONGEST_MERGE = 0.5
"""Seconds after which a round of merging ends, whatever still waits."""
_RECEIPTS_AT_ONCE = 5_000


def feed(database: Database, now: datetime, room: int) -> list[int]:
    """Up to `room` batches to put on the queue now, marked as such; also leaves the scheduler's heartbeat."""
    with database.begin() as connection:
        heartbeats.beat(connection, TICK)
        return batches.take_for_queue(connection, now, room) if room > 0 else []


def forget_queue(database: Database) -> int:
    """The queue is empty: whatever was put there and is not claimed goes there again. Gives how many."""
    with database.begin() as connection:
        return batches.forget_queue(connection)


def merge_receipts(database: Database) -> int:
    """Join waiting receipts whose delivery is recorded, for a moment at a time; gives how many.

    The scheduler's ticks share the worker: a flood of receipts must not keep them waiting.
    """
    joined, deadline = 0, time.monotonic() + LONGEST_MERGE
    while True:
        with database.begin() as connection:
            merged = ledger.merge_receipts(connection, _RECEIPTS_AT_ONCE)
        joined += merged
        if merged < _RECEIPTS_AT_ONCE or time.monotonic() > deadline:
            return joined
