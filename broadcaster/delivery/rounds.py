"""The periodic rounds of delivery: feeding the queue, sweeping what it lost, joining receipts."""

from __future__ import annotations

from datetime import datetime

from broadcaster.storage import batches, heartbeats, ledger
from broadcaster.storage.database import Database

TICK = "tick"
"""The heartbeat of the scheduler."""

_RECEIPTS_AT_ONCE = 20_000


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
    """Join every waiting receipt whose delivery is recorded; gives how many."""
    joined = 0
    while True:
        with database.begin() as connection:
            merged = ledger.merge_receipts(connection, _RECEIPTS_AT_ONCE)
        joined += merged
        if merged < _RECEIPTS_AT_ONCE:
            return joined
