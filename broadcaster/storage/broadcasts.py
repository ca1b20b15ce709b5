"""Broadcasts in the database: the plan, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.planning.broadcast import Broadcast, BroadcastState
from broadcaster.planning.changes import UNOPENED, Changes
from broadcaster.planning.phase import Phase
from broadcaster.storage.tables import batches, broadcasts

OUTCOME_COUNTERS = ("accepted", "rejected", "unknown", "skipped")


def of_announcement(connection: Connection, slug: str, zone: ZoneInfo) -> list[Broadcast]:
    """The broadcasts that stand for an announcement, with times in its zone."""
    rows = connection.execute(select(broadcasts).where(broadcasts.c.slug == slug).order_by(broadcasts.c.due_at))
    return [_broadcast(row, zone) for row in rows]


def rows_of(connection: Connection, slug: str) -> list[Row[Any]]:
    """The broadcasts of an announcement with their counters, by due time and channel."""
    query = select(broadcasts).where(broadcasts.c.slug == slug)
    return list(connection.execute(query.order_by(broadcasts.c.due_at, broadcasts.c.phase, broadcasts.c.channel)))


def find(connection: Connection, broadcast_id: str) -> Row[Any] | None:
    """One broadcast with its counters, or None."""
    return connection.execute(select(broadcasts).where(broadcasts.c.id == broadcast_id)).one_or_none()


def told_channels(connection: Connection, slug: str) -> frozenset[str]:
    """The channels on which somebody may have been told something about the announcement."""
    told = (broadcasts.c.accepted > 0) | (broadcasts.c.unknown > 0) | (broadcasts.c.state == BroadcastState.OPEN)
    query = select(broadcasts.c.channel).distinct().where(broadcasts.c.slug == slug, told)
    return frozenset(connection.execute(query).scalars())


def carry_out(connection: Connection, changes: Changes) -> None:
    """Add, move and revoke broadcasts. One that is under way, or was opened meanwhile, goes on as its new revision."""
    for row in (*changes.added, *changes.moved, *changes.carried):
        values = asdict(row)
        statement = insert(broadcasts).values(values)
        unopened = broadcasts.c.state.in_(UNOPENED)
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values, where=unopened))
        under_way = (broadcasts.c.id == row.id) & (broadcasts.c.state == BroadcastState.OPEN)
        renewed = {"revision": row.revision, "expires_at": row.expires_at}
        connection.execute(update(broadcasts).where(under_way).values(**renewed))
    revoke(connection, [row.id for row in changes.revoked], "no longer in the plan")


def revoke(connection: Connection, ids: Iterable[str], reason: str) -> None:
    """Take broadcasts out that are not yet opened."""
    planned = broadcasts.c.state == BroadcastState.PLANNED
    statement = update(broadcasts).where(broadcasts.c.id.in_(list(ids)), planned)
    connection.execute(statement.values(state=BroadcastState.REVOKED, reason=reason))


def claim_due(connection: Connection, now: datetime, limit: int) -> list[Row[Any]]:
    """Lock up to `limit` due broadcasts for this transaction; two schedulers at once never get the same one."""
    earlier = broadcasts.alias("earlier")
    in_a_call = (
        select(literal(1))
        .select_from(batches.join(earlier, earlier.c.id == batches.c.broadcast_id))
        .where(earlier.c.slug == broadcasts.c.slug, earlier.c.channel == broadcasts.c.channel)
        .where(~batches.c.done, batches.c.lease_until > func.now())
        .correlate(broadcasts)
        .exists()
    )
    query = (
        select(broadcasts)
        # What is said later must not arrive earlier: a call of the channel that is under way ends first.
        .where(broadcasts.c.state == BroadcastState.PLANNED, broadcasts.c.due_at <= now, ~in_a_call)
        .order_by(broadcasts.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=broadcasts)
    )
    return list(connection.execute(query))


def skip(connection: Connection, broadcast_id: str, reason: str) -> None:
    """Mark a broadcast as never sent, with the reason."""
    values = {"state": BroadcastState.SKIPPED, "reason": reason}
    connection.execute(update(broadcasts).where(broadcasts.c.id == broadcast_id).values(**values))


def open_(connection: Connection, broadcast_id: str, at: datetime, recipients: int) -> None:
    """Mark a broadcast as open with the number of recipients that its batches hold."""
    values = {"state": BroadcastState.OPEN, "opened_at": at, "recipients": recipients}
    connection.execute(update(broadcasts).where(broadcasts.c.id == broadcast_id).values(**values))


def add_counts(connection: Connection, broadcast_id: str, counts: dict[str, int]) -> None:
    """Raise counters by what was just recorded."""
    values = {name: broadcasts.c[name] + number for name, number in counts.items() if number}
    if values:
        connection.execute(update(broadcasts).where(broadcasts.c.id == broadcast_id).values(**values))


def close_finished(connection: Connection, at: datetime) -> list[str]:
    """Close every open broadcast whose batches are all done; gives their ids."""
    undone = select(literal(1)).where(batches.c.broadcast_id == broadcasts.c.id, ~batches.c.done).exists()
    statement = update(broadcasts).where(broadcasts.c.state == BroadcastState.OPEN, ~undone)
    closed = statement.values(state=BroadcastState.CLOSED, closed_at=at).returning(broadcasts.c.id)
    return list(connection.execute(closed).scalars())


def close_if_finished(connection: Connection, broadcast_id: str, at: datetime) -> None:
    """Close the broadcast when no batch of it is left; two last batches at once leave that to `close_finished`."""
    undone = select(literal(1)).where(batches.c.broadcast_id == broadcast_id, ~batches.c.done).exists()
    of_id = (broadcasts.c.id == broadcast_id) & (broadcasts.c.state == BroadcastState.OPEN)
    connection.execute(update(broadcasts).where(of_id, ~undone).values(state=BroadcastState.CLOSED, closed_at=at))


def next_due(connection: Connection) -> datetime | None:
    """The earliest due time among planned broadcasts and held batches of live announcements."""
    planned = select(func.min(broadcasts.c.due_at)).where(broadcasts.c.state == BroadcastState.PLANNED)
    held = select(func.min(batches.c.hold_until)).where(~batches.c.done)
    found = [connection.execute(query).scalar() for query in (planned, held)]
    return min((instant for instant in found if instant), default=None)


def any_due(connection: Connection, now: datetime) -> bool:
    """Whether a planned broadcast is due, or an open one has no batch left and waits to be closed."""
    planned = (broadcasts.c.state == BroadcastState.PLANNED) & (broadcasts.c.due_at <= now)
    undone = select(literal(1)).where(batches.c.broadcast_id == broadcasts.c.id, ~batches.c.done).exists()
    closable = (broadcasts.c.state == BroadcastState.OPEN) & ~undone
    return bool(connection.execute(select(select(broadcasts.c.id).where(planned | closable).exists())).scalar())


def _broadcast(row: Row[Any], zone: ZoneInfo) -> Broadcast:
    return Broadcast(
        id=row.id,
        slug=row.slug,
        revision=row.revision,
        channel=row.channel,
        phase=Phase(row.phase),
        occurrence=row.occurrence,
        audience=row.audience,
        due_at=row.due_at.astimezone(zone),
        expires_at=row.expires_at.astimezone(zone),
        state=BroadcastState(row.state),
        reason=row.reason,
        note=row.note,
    )
