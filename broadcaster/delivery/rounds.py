"""The periodic rounds of delivery: cutting batches, feeding the queue, sweeping what it lost, joining receipts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.announcement.revision import RevisionState
from broadcaster.channels.base import Channel
from broadcaster.delivery.canary import Canary, Stage
from broadcaster.delivery.opening import BATCH_SIZE
from broadcaster.planning.broadcast import Among
from broadcaster.planning.truth import STILL_TRUE_IN
from broadcaster.storage import addressed, batches, broadcasts, events, heartbeats, holds, merging, recipients
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Hold
from broadcaster.storage.recipients import Range
from broadcaster.storage.scopes import scope_of

TICK = "tick"
"""The heartbeat of the scheduler."""
ACTOR = "scheduler"

CUT_AHEAD = 200
"""Batches of one broadcast that are not done at once; the rest of its audience is not cut yet."""
_LOOKED_AT_ONCE = 50

LONGEST_MERGE = 0.5
"""Seconds after which a round of merging ends, whatever still waits."""
_RECEIPTS_AT_ONCE = 5_000


def cut(database: Database, channels: Mapping[str, Channel], canary: Canary, now: datetime) -> None:
    """Cut the next batches from the broadcasts that have few left, and judge the canaries that are in."""
    after: tuple[datetime, str] | None = None
    while True:
        with database.begin() as connection:
            found = batches.uncut(connection, CUT_AHEAD, after, _LOOKED_AT_ONCE)
        for row in found:
            # A transaction each: one that waited for a broadcast while holding another could deadlock with an approval.
            with database.begin() as connection:
                _cut_one(connection, row, channels[row.channel], canary, now)
        if len(found) < _LOOKED_AT_ONCE:
            return
        after = found[-1].due_at, found[-1].id


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
    """Join receipts to the ledger, for a moment at a time; gives how many were looked at.

    The scheduler's ticks share the worker: a flood of receipts must not keep them waiting.
    """
    joined, deadline = 0, time.monotonic() + LONGEST_MERGE
    while True:
        with database.begin() as connection:
            resolved = addressed.resolve(connection, _RECEIPTS_AT_ONCE)
            merged = merging.merge(connection, _RECEIPTS_AT_ONCE)
        joined += merged
        if max(merged, resolved) < _RECEIPTS_AT_ONCE or time.monotonic() > deadline:
            return joined


def _cut_one(connection: Connection, row: Row[Any], channel: Channel, canary: Canary, now: datetime) -> None:
    """Looking takes a while, writing does not; and workers that have finished a batch wait for the broadcast."""
    parts = _next_parts(connection, row, channel, canary, now)
    if not parts or not batches.lock_uncut(connection, row):
        return
    batches.create(connection, row.id, parts)
    last = parts[-1]
    broadcasts.cut_to(connection, row.id, last.last, cut=last.end)
    if last.end and (row.retries or row.among):
        broadcasts.recount(connection, row.id)


def _next_parts(
    connection: Connection, row: Row[Any], channel: Channel, canary: Canary, now: datetime
) -> Sequence[Range]:
    """The ranges that come next, those without anybody included; none where nothing is to be cut now."""
    if _is_overtaken(row):
        return [Range(row.cut_to, row.cut_to, 0, end=True)]
    room, limit = CUT_AHEAD - row.undone, None
    if row.canary == Stage.SENDING:
        limit = canary.size(row.recipients) - row.cut_size
        if limit <= 0:
            if row.undone or not _goes_on(connection, row, canary, now):
                return ()
            limit = None
    scope, found = scope_of(connection, channel.pool, row), list[Range]()
    after, end = row.cut_to, False
    for _ in range(CUT_AHEAD):  # a narrow audience may have nobody in many a range: the next tick looks further
        if room <= 0 or end or (limit is not None and limit <= 0):
            break
        part = recipients.next_range(connection, scope, after, BATCH_SIZE)
        found.append(part)
        if part.size:
            room -= 1
            limit = None if limit is None else limit - part.size
        after, end = part.last, part.end
    return found


def _is_overtaken(row: Row[Any]) -> bool:
    """Whether it corrects people to what is no longer true either: whoever is left is for the plan that stands now."""
    replaced = row.revision_state != RevisionState.APPROVED
    return row.among == Among.STALE and (replaced or row.phase not in STILL_TRUE_IN[row.announcement_state])


def _goes_on(connection: Connection, row: Row[Any], canary: Canary, now: datetime) -> bool:
    """The canary is in: go on, or halt with the reason. Resumed by somebody, the broadcast goes on either way."""
    if not broadcasts.pass_canary(connection, row.id, Stage.SENDING, Stage.PASSED):
        return False
    told = row.accepted + row.rejected + row.unknown
    reason = canary.verdict(told, row.rejected + row.unknown + row.failed)
    if reason:
        holds.put(connection, Hold(holds.Scope.BROADCAST, row.id, halted=True, reason=reason, actor=ACTOR, at=now))
        events.record(connection, ACTOR, "halt", row.slug, now, {"broadcast": row.id, "reason": reason})
    return reason is None
