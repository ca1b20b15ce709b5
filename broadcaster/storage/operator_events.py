"""What operators' webhooks are told, in the database: written before the call, and kept for good."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.storage.tables import operator_events as table


class Kind(StrEnum):
    """What an operator is told; the `type` of the event."""

    OWNER_ASKED = "owner.asked"
    OVERRUN = "announcement.overrun"
    HALTED = "broadcast.halted"
    ENDPOINT_DISABLED = "endpoint.disabled"


class EventState(StrEnum):
    """What became of it."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    NO_LONGER_NEEDED = "no longer needed"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that one operator is told: `occasion` sets it apart from others of its kind and announcement."""

    operator: str
    kind: Kind
    slug: str
    occasion: str

    @property
    def key(self) -> str:
        """The deterministic key of its call: also a restored database tells the same thing under the same key."""
        parts = (self.operator, self.kind, self.slug, self.occasion)
        return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def end_others(connection: Connection, true: Collection[str], at: datetime) -> None:
    """Whatever waits and is not among the keys of what is true is no longer needed."""
    waiting = (table.c.state == EventState.WAITING) & table.c.key.not_in(true)
    connection.execute(update(table).where(waiting).values(state=EventState.NO_LONGER_NEEDED, ended_at=at))


def known(connection: Connection, keys: Collection[str]) -> frozenset[str]:
    """Those of the keys that wait or were accepted: nothing is to be written for them."""
    standing = table.c.key.in_(keys) & (table.c.state != EventState.NO_LONGER_NEEDED)
    return frozenset(connection.execute(select(table.c.key).where(standing)).scalars())


def write(connection: Connection, told: Told, data: Mapping[str, Any], at: datetime) -> None:
    """Write down what is to be told. One that was no longer needed, and is true again, goes on as it was."""
    row = {"key": told.key, "operator": told.operator, "kind": told.kind, "slug": told.slug, "data": data, "at": at}
    again = {"state": EventState.WAITING, "ended_at": None, "next_attempt_at": func.now()}
    statement = insert(table).values(row)
    not_needed = table.c.state == EventState.NO_LONGER_NEEDED
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=again, where=not_needed))


def claim(connection: Connection, lease: timedelta) -> Row[Any] | None:
    """The next row whose time for an attempt has come, claimed until `lease` is over; None without any."""
    due = (table.c.state == EventState.WAITING) & (table.c.next_attempt_at <= func.now())
    first = select(table.c.id).where(due).order_by(table.c.next_attempt_at).limit(1).with_for_update(skip_locked=True)
    claimed = update(table).where(table.c.id == first.scalar_subquery())
    values = {"attempts": table.c.attempts + 1, "next_attempt_at": func.now() + lease}
    return connection.execute(claimed.values(values).returning(table)).one_or_none()


def accept(connection: Connection, id_: int, at: datetime) -> None:
    """The operator has it, whatever became of its reason meanwhile."""
    values = {"state": EventState.ACCEPTED, "ended_at": at, "trouble": ""}
    connection.execute(update(table).where(table.c.id == id_).values(values))


def postpone(connection: Connection, claimed: Row[Any], trouble: str, wait: timedelta) -> None:
    """The attempt failed: try again after `wait` of machine time, unless another attempt has begun since."""
    mine = (table.c.id == claimed.id) & (table.c.attempts == claimed.attempts) & (table.c.state == EventState.WAITING)
    connection.execute(update(table).where(mine).values(trouble=trouble, next_attempt_at=func.now() + wait))


def waiting(connection: Connection) -> list[Row[Any]]:
    """Everything that no operator has accepted yet and that is still true, oldest first."""
    return list(connection.execute(select(table).where(table.c.state == EventState.WAITING).order_by(table.c.id)))


def of_announcement(connection: Connection, slug: str) -> list[Row[Any]]:
    """Everything that operators were to be told of an announcement, oldest first."""
    return list(connection.execute(select(table).where(table.c.slug == slug).order_by(table.c.at, table.c.id)))
