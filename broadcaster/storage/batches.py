"""Batches and calls in the database: claiming, fencing, writing ahead, recording.

A claim raises the batch's token; whatever a worker records afterwards names the token it holds, so that one which was
frozen past its lease can no longer write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from broadcaster.announcement.revision import RevisionState
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.storage.recipients import Range
from broadcaster.storage.tables import announcements, batches, broadcasts, calls, revisions

_PARKED = timedelta(seconds=30)
"""A batch that was put on the queue but not claimed is put there again after this, in case the queue lost it."""


def create(connection: Connection, broadcast_id: str, ranges: Sequence[Range]) -> None:
    """Write the batches of a broadcast."""
    rows = [
        {"broadcast_id": broadcast_id, "first_id": part.first_id, "last_id": part.last_id, "recipients": part.size}
        for part in ranges
    ]
    if rows:
        connection.execute(insert(batches), rows)


def take_for_queue(connection: Connection, now: datetime, limit: int) -> list[int]:
    """Up to `limit` batches that are ready and that nobody works on, marked as enqueued. `now` is campaign time."""
    machine_now = func.now()
    ready = (
        select(batches.c.id)
        .where(~batches.c.done)
        .where(or_(batches.c.lease_until.is_(None), batches.c.lease_until < machine_now))
        .where(or_(batches.c.next_attempt_at.is_(None), batches.c.next_attempt_at <= machine_now))
        .where(or_(batches.c.hold_until.is_(None), batches.c.hold_until <= now))
        .where(or_(batches.c.enqueued_at.is_(None), batches.c.enqueued_at < machine_now - _PARKED))
        .where(batches.c.broadcast_id == broadcasts.c.id, broadcasts.c.slug == announcements.c.slug)
        .where(~announcements.c.paused)
        .order_by(batches.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=batches)
    )
    taken = (
        update(batches).where(batches.c.id.in_(ready.correlate(None).scalar_subquery())).values(enqueued_at=machine_now)
    )
    return sorted(connection.execute(taken.returning(batches.c.id)).scalars())


def forget_queue(connection: Connection) -> int:
    """Let every batch that waits on the queue be put there again, because the queue is known to be empty."""
    waiting = update(batches).where(~batches.c.done, batches.c.enqueued_at.is_not(None))
    free = or_(batches.c.lease_until.is_(None), batches.c.lease_until < func.now())
    return connection.execute(waiting.where(free).values(enqueued_at=None)).rowcount


def claim(connection: Connection, batch_id: int, now: datetime, lease: timedelta) -> Row[Any] | None:
    """Take the batch for `lease`: its row with the new token and its broadcast's; None when it is not free."""
    machine_now = func.now()
    statement = (
        update(batches)
        .where(batches.c.id == batch_id, ~batches.c.done, broadcasts.c.id == batches.c.broadcast_id)
        .where(or_(batches.c.lease_until.is_(None), batches.c.lease_until < machine_now))
        .where(or_(batches.c.next_attempt_at.is_(None), batches.c.next_attempt_at <= machine_now))
        .where(or_(batches.c.hold_until.is_(None), batches.c.hold_until <= now))
        .values(
            token=batches.c.token + 1,
            lease_until=machine_now + lease,
            enqueued_at=None,
            next_attempt_at=None,
            hold_until=None,
        )
        .returning(
            batches.c.id,
            batches.c.broadcast_id,
            batches.c.first_id,
            batches.c.last_id,
            batches.c.recipients,
            batches.c.token,
            batches.c.attempts,
            broadcasts.c.slug,
            broadcasts.c.revision,
            broadcasts.c.channel,
            broadcasts.c.phase,
            broadcasts.c.expires_at,
            broadcasts.c.opened_at,
        )
    )
    return connection.execute(statement).one_or_none()


def guard_state(connection: Connection, batch_id: int, token: int, lease: timedelta) -> Row[Any]:
    """What the guard must know, with the batch locked against another claim and its lease renewed when still held."""
    held = (batches.c.id == batch_id) & (batches.c.token == token)
    connection.execute(update(batches).where(held).values(lease_until=func.now() + lease))
    query = (
        select(
            (batches.c.token == token).label("lease_held"),
            (broadcasts.c.state == BroadcastState.OPEN).label("open"),
            (revisions.c.state == RevisionState.APPROVED).label("revision_approved"),
            broadcasts.c.revision,
            broadcasts.c.reason,
            broadcasts.c.phase,
            broadcasts.c.channel,
            broadcasts.c.expires_at,
            announcements.c.state.label("announcement_state"),
            announcements.c.paused,
        )
        .join(broadcasts, broadcasts.c.id == batches.c.broadcast_id)
        .join(announcements, announcements.c.slug == broadcasts.c.slug)
        .join(revisions, (revisions.c.slug == broadcasts.c.slug) & (revisions.c.number == broadcasts.c.revision))
        .where(batches.c.id == batch_id)
    )
    return connection.execute(query).one()


def write_ahead(connection: Connection, values: dict[str, Any]) -> None:
    """Make a call durable before it is made."""
    connection.execute(insert(calls).values(values))


def unsettled_calls(connection: Connection, batch_id: int) -> list[Row[Any]]:
    """The batch's calls whose outcome is not recorded, oldest first."""
    age = (func.now() - calls.c.written_at).label("age")
    query = select(calls, age).where(calls.c.batch_id == batch_id, ~calls.c.settled).order_by(calls.c.prepared_at)
    return list(connection.execute(query))


def settle_call(connection: Connection, key: str) -> None:
    """The call's outcomes are recorded."""
    connection.execute(update(calls).where(calls.c.key == key).values(settled=True, in_doubt=False))


def mark_call(connection: Connection, key: str, *, in_doubt: bool) -> None:
    """Count another attempt at the call; `in_doubt` says whether the public may have seen it."""
    values = {"attempts": calls.c.attempts + 1, "in_doubt": in_doubt}
    connection.execute(update(calls).where(calls.c.key == key).values(**values))


def finish(connection: Connection, batch_id: int, token: int) -> bool:
    """Close the batch; False when the lease was lost."""
    held = (batches.c.id == batch_id) & (batches.c.token == token)
    done = update(batches).where(held).values(done=True, lease_until=None, enqueued_at=None)
    return connection.execute(done).rowcount == 1


def is_held(connection: Connection, batch_id: int, token: int) -> bool:
    """Whether the batch is still this claim's; it is locked against another one until the transaction ends."""
    query = select(batches.c.token).where(batches.c.id == batch_id).with_for_update()
    return connection.execute(query).scalar() == token


def retry_later(connection: Connection, batch_id: int, token: int, seconds: float) -> bool:
    """Give the batch back, to be tried again after `seconds` of machine time; False when the lease was lost."""
    held = (batches.c.id == batch_id) & (batches.c.token == token)
    values = {
        "lease_until": None,
        "attempts": batches.c.attempts + 1,
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
    """How many batches are not done and not held beyond the campaign time `now`."""
    held = batches.c.hold_until.is_not(None) & (batches.c.hold_until > now)
    query = select(func.count()).select_from(batches).where(~batches.c.done, ~func.coalesce(held, False))
    return int(connection.execute(query).scalar_one())
