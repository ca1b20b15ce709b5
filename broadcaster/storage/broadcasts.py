"""Broadcasts in the database: the plan, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, func, literal, literal_column, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.planning.broadcast import PERHAPS_SENT, Among, Broadcast, BroadcastState
from broadcaster.planning.changes import UNOPENED, Changes
from broadcaster.planning.phase import Phase
from broadcaster.storage.tables import batches, broadcasts

# Written out, not as parameters: only then are the indexes of planned and of open broadcasts surely used.
_IS_PLANNED = literal_column("broadcasts.state") == literal_column("'planned'")
_IS_OPEN = literal_column("broadcasts.state") == literal_column("'open'")

OUTCOME_COUNTERS = ("accepted", "rejected", "unknown", "skipped")


def of_announcement(connection: Connection, slug: str, zone: ZoneInfo) -> list[Broadcast]:
    """The broadcasts that stand for an announcement, with times in its zone."""
    rows = connection.execute(select(broadcasts).where(broadcasts.c.slug == slug).order_by(broadcasts.c.due_at))
    return [_broadcast(row, zone) for row in rows]


def lock_planned(connection: Connection, slug: str) -> None:
    """Let none of an announcement's broadcasts be opened before this transaction ends; waits for one that is."""
    planned = (broadcasts.c.slug == slug) & (broadcasts.c.state == BroadcastState.PLANNED)
    connection.execute(select(broadcasts.c.id).where(planned).order_by(broadcasts.c.id).with_for_update()).all()


def rows_of(connection: Connection, slug: str) -> list[Row[Any]]:
    """The broadcasts of an announcement with their counters, by due time and channel."""
    query = select(broadcasts).where(broadcasts.c.slug == slug)
    return list(connection.execute(query.order_by(broadcasts.c.due_at, broadcasts.c.phase, broadcasts.c.channel)))


def find(connection: Connection, broadcast_id: str) -> Row[Any] | None:
    """One broadcast with its counters, or None."""
    return connection.execute(select(broadcasts).where(broadcasts.c.id == broadcast_id)).one_or_none()


def starting_with(connection: Connection, beginning: str) -> list[Row[Any]]:
    """The broadcasts whose id begins like this; at most two, because one is wanted."""
    query = select(broadcasts).where(broadcasts.c.id.startswith(beginning, autoescape=True)).limit(2)
    return list(connection.execute(query))


def told_channels(connection: Connection, slug: str) -> frozenset[str]:
    """The channels on which somebody may have been told something about the announcement."""
    counted = (broadcasts.c.accepted > 0) | (broadcasts.c.unknown > 0)
    told = counted | (broadcasts.c.state == BroadcastState.OPEN) | (broadcasts.c.reason == PERHAPS_SENT)
    query = select(broadcasts.c.channel).distinct().where(broadcasts.c.slug == slug, told)
    return frozenset(connection.execute(query).scalars())


def carry_out(connection: Connection, changes: Changes) -> None:
    """Add, move and revoke broadcasts. One that is under way, or was opened meanwhile, goes on as its new revision."""
    rows = [asdict(row) for row in (*changes.added, *changes.moved, *changes.carried)]
    if rows:
        connection.execute(_PUT, rows)
        connection.execute(_CARRY_ON, rows)
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
        .where(_IS_PLANNED, broadcasts.c.due_at <= now, ~in_a_call)
        .order_by(broadcasts.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=broadcasts)
    )
    return list(connection.execute(query))


def skip_all(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Mark broadcasts (`id`, `reason`) as never sent."""
    if rows:
        connection.execute(_SKIP, [{"state": BroadcastState.SKIPPED, **row} for row in rows])


def open_all(connection: Connection, at: datetime, rows: Sequence[dict[str, Any]]) -> None:
    """Open broadcasts (`id`, `version`, `recipients`, `cut`, `canary`): their audience no longer changes."""
    if rows:
        connection.execute(_OPEN, [{"state": BroadcastState.OPEN, "at": at, **row} for row in rows])


def version_begun(connection: Connection, row: Row[Any]) -> int | None:
    """The audience version with which a broadcast of the same occasion was opened already; None when none was."""
    columns = (broadcasts.c.slug, broadcasts.c.channel, broadcasts.c.phase, broadcasts.c.occurrence)
    same = [column == getattr(row, column.name) for column in columns]
    return connection.execute(select(func.min(broadcasts.c.version)).where(*same)).scalar()


def newest_version(connection: Connection, row: Row[Any]) -> int:
    """The newest audience version from which anything was opened for the row's announcement on its channel."""
    same = (broadcasts.c.slug == row.slug) & (broadcasts.c.channel == row.channel)
    wanted = same & (broadcasts.c.among != Among.STALE)
    return int(connection.execute(select(func.max(broadcasts.c.version)).where(wanted)).scalar() or 0)


def newest_versions(connection: Connection, slug: str) -> dict[str, int]:
    """Channel → the newest audience version from which anything was opened for an announcement."""
    wanted = (broadcasts.c.slug == slug) & broadcasts.c.version.is_not(None) & (broadcasts.c.among != Among.STALE)
    query = select(broadcasts.c.channel, func.max(broadcasts.c.version)).where(wanted)
    return {row[0]: row[1] for row in connection.execute(query.group_by(broadcasts.c.channel))}


def told_on(connection: Connection, slug: str, channel: str) -> int:
    """How often somebody was, or may have been, told of an announcement on a channel: not fewer than whoever was."""
    same = (broadcasts.c.slug == slug) & (broadcasts.c.channel == channel)
    told = func.sum(broadcasts.c.accepted + broadcasts.c.unknown)
    undone = (
        select(func.coalesce(func.sum(batches.c.accepted + batches.c.unknown), 0))
        .select_from(batches.join(broadcasts, broadcasts.c.id == batches.c.broadcast_id))
        .where(same, ~batches.c.done)
    )
    closed = select(func.coalesce(told, 0)).where(same)
    return sum(int(connection.execute(query).scalar_one()) for query in (closed, undone))


def failed_in(connection: Connection, broadcast_id: str) -> tuple[int, int]:
    """(audience version, recipients) of those whom a broadcast and its retries failed to reach, from their counters.

    Refused, or failed by a receipt; whoever a retry told, or may have told, is none of them any more.
    """
    row = connection.execute(select(broadcasts).where(broadcasts.c.id == broadcast_id)).one()
    since = func.sum(broadcasts.c.accepted + broadcasts.c.unknown - broadcasts.c.failed)
    told = connection.execute(select(since).where(_retries(broadcast_id))).scalar() or 0
    return int(row.version), max(0, int(row.rejected + row.failed - told))


def retries_of(connection: Connection, broadcast_id: str) -> list[Row[Any]]:
    """The broadcasts that try the failures of another one again, oldest first."""
    query = select(broadcasts).where(_retries(broadcast_id)).order_by(broadcasts.c.due_at, broadcasts.c.id)
    return list(connection.execute(query))


def recount(connection: Connection, broadcast_id: str) -> None:
    """A retry is for those who are in its batches: a receipt may have failed somebody since it was opened."""
    cut = select(func.coalesce(func.sum(batches.c.recipients), 0)).where(batches.c.broadcast_id == broadcast_id)
    of_id = broadcasts.c.id == broadcast_id
    connection.execute(update(broadcasts).where(of_id).values(recipients=cut.scalar_subquery()))


def cut_to(connection: Connection, broadcast_id: str, last_id: int, *, cut: bool) -> None:
    """Batches now reach up to a recipient id; `cut` when they reach the end of the audience."""
    values = {"cut_to": last_id, "cut": cut}
    connection.execute(update(broadcasts).where(broadcasts.c.id == broadcast_id).values(**values))


def pass_canary(connection: Connection, broadcast_id: str, before: str, after: str) -> bool:
    """Put down that the canary of a broadcast has come from one stage to another; False when it was not there."""
    at = (broadcasts.c.id == broadcast_id) & (broadcasts.c.canary == before)
    return connection.execute(update(broadcasts).where(at).values(canary=after)).rowcount == 1


def close_finished(connection: Connection, at: datetime) -> list[str]:
    """Close every open broadcast whose batches are all cut and done; gives their ids."""
    undone = select(literal(1)).where(batches.c.broadcast_id == broadcasts.c.id, ~batches.c.done).exists()
    statement = update(broadcasts).where(_IS_OPEN, broadcasts.c.cut, ~undone)
    closed = statement.values(state=BroadcastState.CLOSED, closed_at=at).returning(broadcasts.c.id)
    return list(connection.execute(closed).scalars())


def close_if_finished(connection: Connection, broadcast_id: str, at: datetime) -> None:
    """Close the broadcast when no batch of it is left; two last batches at once leave that to `close_finished`."""
    undone = select(literal(1)).where(batches.c.broadcast_id == broadcast_id, ~batches.c.done).exists()
    of_id = (broadcasts.c.id == broadcast_id) & (broadcasts.c.state == BroadcastState.OPEN) & broadcasts.c.cut
    connection.execute(update(broadcasts).where(of_id, ~undone).values(state=BroadcastState.CLOSED, closed_at=at))


def next_due(connection: Connection) -> datetime | None:
    """The earliest due time among planned broadcasts and held batches of live announcements."""
    planned = select(func.min(broadcasts.c.due_at)).where(_IS_PLANNED)
    held = select(func.min(batches.c.hold_until)).where(~batches.c.done)
    found = [connection.execute(query).scalar() for query in (planned, held)]
    return min((instant for instant in found if instant), default=None)


def any_due(connection: Connection, now: datetime) -> bool:
    """Whether a planned broadcast is due, or an open one has no batch left and waits to be closed."""
    planned = _IS_PLANNED & (broadcasts.c.due_at <= now)
    undone = select(literal(1)).where(batches.c.broadcast_id == broadcasts.c.id, ~batches.c.done).exists()
    closable = _IS_OPEN & broadcasts.c.cut & ~undone
    return bool(connection.execute(select(select(broadcasts.c.id).where(planned | closable).exists())).scalar())


def _retries(broadcast_id: str) -> ColumnElement[bool]:
    # The second part lets Postgres use an index that holds nothing but retries.
    return (broadcasts.c.retries == broadcast_id) & (broadcasts.c.retries != "")


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
        retries=row.retries,
        among=Among(row.among),
    )


_INSERT = insert(broadcasts)
_PUT = _INSERT.on_conflict_do_update(
    index_elements=["id"],
    set_={field.name: _INSERT.excluded[field.name] for field in fields(Broadcast)},
    where=or_(*(broadcasts.c.state == state for state in UNOPENED)),  # a list would be written anew for every row
)
_CARRY_ON = text(
    "UPDATE broadcasts SET revision = :revision, expires_at = :expires_at WHERE id = :id AND state = 'open'"
)
_SKIP = text("UPDATE broadcasts SET state = :state, reason = :reason WHERE id = :id")
_OPEN = text(
    """
    UPDATE broadcasts
    SET state = :state, opened_at = :at, version = :version, recipients = :recipients, cut = :cut, canary = :canary
    WHERE id = :id
    """
)
