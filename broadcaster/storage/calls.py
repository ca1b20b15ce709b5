"""Calls in the database: written before they are made, gone when their outcomes are recorded."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select, text, update

from broadcaster.channels.base import Call
from broadcaster.storage.strides import written
from broadcaster.storage.tables import calls


def write_ahead(connection: Connection, batch: Row[Any], call: Call, provider: str) -> None:
    """Make a call of a batch durable before it is made."""
    values = {
        "key": call.key,
        "batch": batch.id,
        "broadcast": batch.broadcast_id,
        "revision": call.revision,
        "provider": provider,
        "members": [member.id for member in call.members],
        "prepared_at": call.prepared_at,
        "angle": written(call),
    }
    connection.execute(_WRITE, values)


def left_open(connection: Connection, batch_id: int) -> list[Row[Any]]:
    """The batch's calls whose outcome is not recorded, oldest first; `age` is since they were first written down."""
    ages = ((func.now() - calls.c.written_at).label("age"), (func.now() - calls.c.made_at).label("made_ago"))
    query = select(calls, *ages).where(calls.c.batch_id == batch_id).order_by(calls.c.written_at, calls.c.key)
    return list(connection.execute(query))


def settle(connection: Connection, key: str) -> bool:
    """The call's outcomes are recorded in this transaction; False when they were before."""
    return connection.execute(_SETTLE, {"key": key}).rowcount == 1


def make_again(connection: Connection, key: str) -> None:
    """Count another attempt at the call."""
    values = {"attempts": calls.c.attempts + 1, "made_at": func.now()}
    connection.execute(update(calls).where(calls.c.key == key).values(**values))


_WRITE = text(
    """
    INSERT INTO calls (
        key, batch_id, broadcast_id, revision, provider, members, prepared_at, angle, attempts, made_at
    )
    VALUES (:key, :batch, :broadcast, :revision, :provider, :members, :prepared_at, CAST(:angle AS jsonb), 1, now())
    ON CONFLICT (key) DO NOTHING
    """
)
_SETTLE = text("DELETE FROM calls WHERE key = :key")
