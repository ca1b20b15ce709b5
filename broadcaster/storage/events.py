"""The event log: who did what when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from broadcaster.storage.tables import events


def record(
    connection: Connection, actor: str, verb: str, slug: str, at: datetime, details: Mapping[str, Any] | None = None
) -> None:
    """Append what happened, in the transaction that makes it happen. `details` carry ids and counts, never people."""
    row = {"actor": actor, "verb": verb, "slug": slug, "at": at, "details": dict(details or {})}
    connection.execute(insert(events).values(row))


def history(connection: Connection, slug: str) -> list[Row[Any]]:
    """Everything that happened to an announcement, oldest first."""
    return list(connection.execute(select(events).where(events.c.slug == slug).order_by(events.c.id)))


def last_id(connection: Connection, verbs: Collection[str]) -> int:
    """The number of the newest event with one of `verbs`; 0 when there is none."""
    newest = select(func.coalesce(func.max(events.c.id), 0)).where(events.c.verb.in_(verbs))
    return int(connection.execute(newest).scalar_one())
