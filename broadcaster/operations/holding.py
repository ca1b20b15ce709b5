"""Holding back: pausing or halting a broadcast, an announcement or everything, and letting it go on.

A hold takes effect at the next call of every worker. Nothing is lost by it: what is still true afterwards goes on, and
what expired meanwhile is skipped and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.errors import StateError
from broadcaster.operations.naming import broadcast_named
from broadcaster.operations.restoring import HOW_TO_GO_ON
from broadcaster.operations.revise import required
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.storage import events, holds
from broadcaster.storage.holds import Hold, Scope

_OVER = frozenset({BroadcastState.CLOSED, BroadcastState.SKIPPED, BroadcastState.REVOKED})


@dataclass(frozen=True, slots=True)
class Target:
    """What is held: everything, an announcement by its slug, or a broadcast by its id (or the beginning of it)."""

    scope: Scope
    name: str = ""

    def __str__(self) -> str:
        return self.name or str(self.scope)


def hold(connection: Connection, target: Target, reason: str, actor: str, now: datetime, *, halted: bool) -> Target:
    """Hold it back; raises StateError when there is no such thing, or it is held already."""
    found, slug = _found(connection, target)
    verb = "halt" if halted else "pause"
    if not holds.put(connection, Hold(found.scope, found.name, halted, reason, actor, now)):
        raise StateError(f"{found} is held back already", hint=_standing(connection, found))
    events.record(connection, actor, verb, slug, now, {"scope": found.scope, "target": found.name, "reason": reason})
    return found


def resume(connection: Connection, target: Target, actor: str, now: datetime) -> Target:
    """Let it go on; raises StateError when it was not held back."""
    found, slug = _found(connection, target)
    if not holds.lift(connection, found.scope, found.name):
        raise StateError(f"{found} is not paused", hint=_held_instead(connection))
    events.record(connection, actor, "resume", slug, now, {"scope": found.scope, "target": found.name})
    return found


def _found(connection: Connection, target: Target) -> tuple[Target, str]:
    """The target by its full name, and the announcement that it concerns."""
    if target.scope is Scope.EVERYTHING:
        return target, ""
    if target.scope is Scope.ANNOUNCEMENT:
        return target, required(connection, target.name).slug
    row = broadcast_named(connection, target.name)
    if row.state in _OVER:
        raise StateError(f"broadcast {row.id} is {row.state}: there is nothing to hold back")
    return Target(Scope.BROADCAST, row.id), row.slug


def _standing(connection: Connection, target: Target) -> str:
    same = [row for row in holds.standing(connection) if (row.scope, row.target) == (target.scope, target.name)]
    return "; ".join(f"by {row.actor}: {row.reason or 'no reason given'}" for row in same)


def _held_instead(connection: Connection) -> str | None:
    standing = holds.standing(connection)
    if any(row.scope is Scope.RESTORED for row in standing):
        return f"the database was restored; {HOW_TO_GO_ON}"
    rows = [f"{row.scope} {row.target}".strip() for row in standing]
    return f"held back now: {', '.join(rows)}" if rows else None
