"""Leftovers: what a restored database holds that may have gone out already."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from broadcaster.planning.broadcast import BroadcastState
from broadcaster.storage.tables import announcements, batches, broadcasts, calls


def planned(connection: Connection, until: datetime) -> list[Row[Any]]:
    """`id` and `slug` of the broadcasts that were due up to `until` and are not begun, locked."""
    due = (broadcasts.c.state == BroadcastState.PLANNED) & (broadcasts.c.due_at <= until)
    query = select(broadcasts.c.id, broadcasts.c.slug).where(due).order_by(broadcasts.c.id)
    return list(connection.execute(query.with_for_update()))


def open_broadcasts(connection: Connection, until: datetime) -> list[str]:
    """The ids of the broadcasts that were due up to `until` and are begun, but not at their end."""
    begun = (broadcasts.c.state == BroadcastState.OPEN) & (broadcasts.c.due_at <= until)
    return list(connection.execute(select(broadcasts.c.id).where(begun).order_by(broadcasts.c.due_at)).scalars())


def locked(connection: Connection, broadcast_id: str) -> Row[Any]:
    """A broadcast with its announcement's number as `announcement`, locked."""
    number = announcements.c.number.label("announcement")
    query = select(broadcasts, number).join(announcements, announcements.c.slug == broadcasts.c.slug)
    return connection.execute(query.where(broadcasts.c.id == broadcast_id).with_for_update(of=broadcasts)).one()


def undone_batches(connection: Connection, broadcast_id: str) -> list[int]:
    """The ids of a broadcast's batches that are not done."""
    undone = (batches.c.broadcast_id == broadcast_id) & ~batches.c.done
    return list(connection.execute(select(batches.c.id).where(undone).order_by(batches.c.id)).scalars())


def forget_calls(connection: Connection, batch_id: int) -> None:
    """Delete a batch's open calls: what became of their members is recorded."""
    connection.execute(delete(calls).where(calls.c.batch_id == batch_id))
