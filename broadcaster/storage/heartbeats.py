"""Heartbeats: when each periodic task last ran, by machine time."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.storage.tables import heartbeats

INSTALLED = "installed"
"""The row that says when this database was made; a copy of the database has the same."""


class Beat(NamedTuple):
    """How often a task ran, and when it last did, by the database's clock."""

    number: int
    at: datetime


def beat(connection: Connection, name: str) -> Beat:
    """The task `name` ran just now."""
    statement = insert(heartbeats).values(name=name, beat_at=func.now(), beats=1)
    again = {"beat_at": func.now(), "beats": heartbeats.c.beats + 1}
    raised = statement.on_conflict_do_update(index_elements=["name"], set_=again)
    return Beat(*connection.execute(raised.returning(heartbeats.c.beats, heartbeats.c.beat_at)).one())


def last(connection: Connection, name: str) -> datetime | None:
    """When `name` last ran; None when it never did."""
    return connection.execute(select(heartbeats.c.beat_at).where(heartbeats.c.name == name)).scalar()


def catch_up(connection: Connection, name: str, beats: int) -> int:
    """Let the task have run so often at least; gives how often it did."""
    raised = update(heartbeats).where(heartbeats.c.name == name).values(beats=func.greatest(heartbeats.c.beats, beats))
    return int(connection.execute(raised.returning(heartbeats.c.beats)).scalar_one())


def installed(connection: Connection) -> datetime:
    """When this database was made, by its migration."""
    at: datetime = connection.execute(select(heartbeats.c.beat_at).where(heartbeats.c.name == INSTALLED)).scalar_one()
    return at


def age(connection: Connection, name: str) -> float | None:
    """Seconds since `name` last ran; None when it never did."""
    query = select(func.extract("epoch", func.now() - heartbeats.c.beat_at)).where(heartbeats.c.name == name)
    seconds = connection.execute(query).scalar()
    return None if seconds is None else float(seconds)
