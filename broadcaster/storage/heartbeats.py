"""Heartbeats: when each periodic task last ran, by machine time."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from broadcaster.storage.tables import heartbeats


def beat(connection: Connection, name: str) -> None:
    """The task `name` ran just now."""
    statement = insert(heartbeats).values(name=name, beat_at=func.now())
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"beat_at": func.now()}))


def age(connection: Connection, name: str) -> float | None:
    """Seconds since `name` last ran; None when it never did."""
    query = select(func.extract("epoch", func.now() - heartbeats.c.beat_at)).where(heartbeats.c.name == name)
    seconds = connection.execute(query).scalar()
    return None if seconds is None else float(seconds)
