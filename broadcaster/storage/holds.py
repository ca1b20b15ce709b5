"""Holds in the database: what must not be sent now, why, and who said so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from broadcaster.storage.tables import holds


class Scope(StrEnum):
    """How much a hold holds back."""

    EVERYTHING = "everything"
    ANNOUNCEMENT = "announcement"
    BROADCAST = "broadcast"
    RESTORED = "restored"
    """Everything as well, because the database is from a backup: it does not know what went out since."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold: `target` is a slug, a broadcast's id, or empty. A halted one wants somebody to look into its reason."""

    scope: Scope
    target: str
    halted: bool
    reason: str
    actor: str
    at: datetime


def put(connection: Connection, hold: Hold) -> bool:
    """Hold something back; False when it is held already. A halt takes the place of a pause."""
    values = {"halted": hold.halted, "reason": hold.reason, "actor": hold.actor, "at": hold.at}
    statement = insert(holds).values(scope=hold.scope, target=hold.target, **values)
    harder = (~holds.c.halted) & statement.excluded.halted
    placed = statement.on_conflict_do_update(index_elements=["scope", "target"], set_=values, where=harder)
    return connection.execute(placed.returning(holds.c.scope)).one_or_none() is not None


def lift(connection: Connection, scope: Scope, target: str) -> bool:
    """Let it go on; False when it was not held."""
    of_target = (holds.c.scope == scope) & (holds.c.target == target)
    return connection.execute(delete(holds).where(of_target)).rowcount == 1


def is_restored(connection: Connection) -> bool:
    """Whether everything is held back because the database is from a backup."""
    found = select(holds.c.scope).where(holds.c.scope == Scope.RESTORED)
    return connection.execute(found).first() is not None


def standing(connection: Connection) -> list[Hold]:
    """Every hold, oldest first."""
    return [
        Hold(Scope(row.scope), row.target, row.halted, row.reason, row.actor, row.at)
        for row in connection.execute(select(holds).order_by(holds.c.at))
    ]
