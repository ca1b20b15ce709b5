"""Batches in the database: cutting, claiming, fencing.

A claim raises the batch's token; whatever a worker records afterwards names the token it holds, so that one which was
frozen past its lease can no longer write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, text, update

from broadcaster.storage.recipients import Range
from broadcaster.storage.tables import batches, broadcasts

LAST_ID = 2**63 - 1

_PARKED = timedelta(seconds=30)
"""A batch that was put on the queue but not claimed is put there again after this, in case the queue lost it."""


def create(connection: Connection, broadcast_id: str, parts: Iterable[Range]) -> None:
    """Write a batch of a broadcast for each of these ranges that has anybody in it."""
    rows = [
        {"broadcast_id": broadcast_id, "first_id": part.after + 1, "last_id": part.last, "recipients": part.size}
        for part in parts
        if part.size
    ]
    if rows:
        connection.execute(insert(batches), rows)


def take_for_queue(connection: Connection, now: datetime, limit: int) -> list[int]:
    """Up to `limit` batches that are ready and that nobody works on, marked as enqueued. `now` is campaign time."""
    return sorted(connection.execute(_TAKE, {"now": now, "limit": limit, "parked": _PARKED}).scalars())


def create_whole(connection: Connection, broadcasts_and_sizes: Sequence[tuple[str, int]]) -> None:
    """Write one batch for each broadcast, over all ids: for pools that are no larger than a batch."""
    rows = [
        {"broadcast_id": id_, "first_id": 1, "last_id": LAST_ID, "recipients": size}
        for id_, size in broadcasts_and_sizes
        if size
    ]
    if rows:
        connection.execute(insert(batches), rows)


def uncut(connection: Connection, ahead: int, after: tuple[datetime, str] | None, limit: int) -> list[Row[Any]]:
    """Open broadcasts with less than `ahead` undone batches that more are to be cut from, by due time and id.

    `cut_size` is how many recipients their batches hold already, `undone` how many of these batches are not done.
    """
    due_at, id_ = after or (None, "")
    return list(connection.execute(_UNCUT, {"ahead": ahead, "limit": limit, "due_at": due_at, "id": id_}))


def lock_uncut(connection: Connection, row: Row[Any]) -> bool:
    """Whether a broadcast of `uncut` is as it was when it was read; nobody else changes it from now on.

    Whoever finishes a batch has to wait for that: what is to be cut is looked for before.
    """
    values = {"id": row.id, "cut_to": row.cut_to, "revision": row.revision}
    return connection.execute(_LOCK_UNCUT, values).one_or_none() is not None


def forget_queue(connection: Connection) -> int:
    """Let every batch that waits on the queue be put there again, because the queue is known to be empty."""
    waiting = update(batches).where(~batches.c.done, batches.c.enqueued_at.is_not(None))
    free = or_(batches.c.lease_until.is_(None), batches.c.lease_until < func.now())
    return connection.execute(waiting.where(free).values(enqueued_at=None)).rowcount


def claim(connection: Connection, batch_id: int, now: datetime, lease: timedelta) -> Row[Any] | None:
    """Take the batch for `lease`: its row with the new token and its broadcast's; None when it is not free.

    `settled` is how many of its recipients have a delivery already, `left_open` whether calls of an earlier claim are
    in doubt; beside them what the guard must know, as `strides.take` gives it.
    """
    values = {"batch": batch_id, "now": now, "lease": lease}
    return connection.execute(_CLAIM, values).one_or_none()


def take_over(connection: Connection, batch_id: int, lease: timedelta) -> Row[Any] | None:
    """Take the batch from whoever has it, and whatever it waits for; None when it is done."""
    return connection.execute(_TAKE_OVER, {"batch": batch_id, "lease": lease}).one_or_none()


def finish(connection: Connection, batch_id: int, token: int) -> bool:
    """Close the batch and add its counters to its broadcast's; False when the lease was lost."""
    return connection.execute(_FINISH, {"batch": batch_id, "token": token}).rowcount == 1


def resize(connection: Connection, batch: Row[Any], size: int) -> None:
    """The batch has `size` recipients after all, and its broadcast accordingly more or less."""
    connection.execute(_RESIZE, {"batch": batch.id, "size": size})


def retry_later(connection: Connection, batch_id: int, token: int, seconds: float, attempts: int) -> bool:
    """Give the batch back for `seconds` of machine time, after so many failed `attempts` in a row; False when lost."""
    held = (batches.c.id == batch_id) & (batches.c.token == token)
    values = {
        "lease_until": None,
        "attempts": attempts,
        "next_attempt_at": func.now() + timedelta(seconds=seconds),
    }
    return connection.execute(update(batches).where(held).values(**values)).rowcount == 1


def release(connection: Connection, batch_id: int, token: int) -> None:
    """Give the batch back as it is."""
    held = (batches.c.id == batch_id) & (batches.c.token == token)
    connection.execute(update(batches).where(held).values(lease_until=None))


def hold(connection: Connection, batch_id: int, token: int, until: datetime) -> None:
    """Give the batch back until an instant of campaign time, such as the end of the quiet hours."""
    held = (batches.c.id == batch_id) & (batches.c.token == token)
    connection.execute(update(batches).where(held).values(lease_until=None, hold_until=until))


def in_flight(connection: Connection, now: datetime) -> int:
    """How many batches are not done and not held beyond the campaign time `now`, or are still to be cut."""
    held = batches.c.hold_until.is_not(None) & (batches.c.hold_until > now)
    undone = select(func.count()).select_from(batches).where(~batches.c.done, ~func.coalesce(held, False))
    to_cut = select(func.count()).select_from(broadcasts).where(broadcasts.c.state == "open", ~broadcasts.c.cut)
    return sum(int(connection.execute(query).scalar_one()) for query in (undone, to_cut))


# What is held back is looked up from the few batches that are ready, never from the whole plan.
_TAKE = text(
    """
    UPDATE batches SET enqueued_at = now() WHERE id IN (
        SELECT b.id FROM batches b
        WHERE NOT b.done
          AND (b.lease_until IS NULL OR b.lease_until < now())
          AND (b.next_attempt_at IS NULL OR b.next_attempt_at <= now())
          AND (b.hold_until IS NULL OR b.hold_until <= :now)
          AND (b.enqueued_at IS NULL OR b.enqueued_at < now() - :parked)
          AND NOT EXISTS (
              SELECT 1 FROM holds h
              WHERE h.target IN ('', b.broadcast_id, (SELECT d.slug FROM broadcasts d WHERE d.id = b.broadcast_id))
          )
        ORDER BY b.id LIMIT :limit FOR UPDATE OF b SKIP LOCKED
    ) RETURNING id
    """
)

_UNCUT = text(
    """
    SELECT d.id, d.slug, d.revision, d.channel, d.audience, d.among, d.version, d.retries, d.cut_to, d.canary, d.due_at,
           d.recipients, d.accepted, d.rejected, d.unknown, d.failed, d.phase, a.number AS announcement, w.undone,
           a.state AS announcement_state, r.state AS revision_state,
           -- Only a canary asks how much is cut; it is over before there are many batches.
           CASE WHEN d.canary = 'sending'
                THEN coalesce((SELECT sum(b.recipients) FROM batches b WHERE b.broadcast_id = d.id), 0)
           END AS cut_size
    FROM broadcasts d JOIN announcements a ON a.slug = d.slug
    JOIN revisions r ON (r.slug, r.number) = (d.slug, d.revision)
    CROSS JOIN LATERAL (SELECT count(*) AS undone FROM batches b WHERE b.broadcast_id = d.id AND NOT b.done) w
    WHERE d.state = 'open' AND NOT d.cut AND w.undone < :ahead
      AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.target IN ('', d.slug, d.id))
      AND (CAST(:due_at AS timestamptz) IS NULL OR (d.due_at, d.id) > (:due_at, :id))
    ORDER BY d.due_at, d.id LIMIT :limit
    """
)

_LOCK_UNCUT = text(
    """
    SELECT d.id FROM broadcasts d
    WHERE d.id = :id AND (d.cut_to, d.revision) = (:cut_to, :revision) AND d.state = 'open' AND NOT d.cut FOR UPDATE
    """
)

# By `:batch`, not `b.id`: else Postgres may read all calls, of which most are gone but not yet vacuumed.
_CLAIMED = """
    UPDATE batches b
    SET token = b.token + 1, lease_until = now() + :lease, enqueued_at = NULL, next_attempt_at = NULL, hold_until = NULL
    FROM broadcasts d
    JOIN announcements a ON a.slug = d.slug
    JOIN revisions r ON (r.slug, r.number) = (d.slug, d.revision)
    WHERE b.id = :batch AND NOT b.done AND d.id = b.broadcast_id
    {free}
    RETURNING b.id, b.broadcast_id, b.first_id, b.last_id, b.recipients, b.token, b.attempts,
              b.accepted + b.rejected + b.unknown + b.skipped AS settled,
              d.slug, a.number AS announcement, d.revision, d.channel, d.phase, d.audience, d.among, d.version,
              d.retries, d.due_at, d.expires_at, d.state, a.state AS announcement_state, r.state AS revision_state,
              EXISTS (SELECT 1 FROM holds h WHERE h.target IN ('', d.id, d.slug)) AS held,
              (SELECT coalesce(max(s.id), 0) FROM suppressions s) AS suppressions,
              EXISTS (SELECT 1 FROM calls c WHERE c.batch_id = :batch) AS left_open
"""
_FREE = """
AND (b.lease_until IS NULL OR b.lease_until < now())
AND (b.next_attempt_at IS NULL OR b.next_attempt_at <= now())
AND (b.hold_until IS NULL OR b.hold_until <= :now)
"""
_CLAIM = text(_CLAIMED.format(free=_FREE))
_TAKE_OVER = text(_CLAIMED.format(free=""))

_RESIZE = text(
    """
    WITH before AS (SELECT id, recipients FROM batches WHERE id = :batch AND recipients <> :size),
    resized AS (
        UPDATE batches b SET recipients = :size FROM before WHERE b.id = before.id
        RETURNING b.broadcast_id, b.recipients - before.recipients AS more
    )
    UPDATE broadcasts d SET recipients = d.recipients + r.more FROM resized r WHERE d.id = r.broadcast_id
    """
)

_FINISH = text(
    """
    WITH finished AS (
        UPDATE batches SET done = true, lease_until = NULL, enqueued_at = NULL
        WHERE id = :batch AND token = :token AND NOT done
        RETURNING broadcast_id, accepted, rejected, unknown, skipped
    )
    UPDATE broadcasts d
    SET accepted = d.accepted + f.accepted, rejected = d.rejected + f.rejected,
        unknown = d.unknown + f.unknown, skipped = d.skipped + f.skipped
    FROM finished f WHERE d.id = f.broadcast_id
    """
)
