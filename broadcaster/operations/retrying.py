"""Retrying: telling those whom a broadcast failed to reach, as a broadcast of its own.

Whoever was refused, or failed by a receipt, is tried again; whoever another retry has told meanwhile, or may have told,
is not. A retry of a retry is one more retry of the original: it is for everybody whom none of them has reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.announcement.lifecycle import State
from broadcaster.errors import StateError
from broadcaster.operations.naming import broadcast_named
from broadcaster.operations.revise import required
from broadcaster.planning.broadcast import Among, Broadcast, BroadcastState, broadcast_id
from broadcaster.planning.changes import Changes
from broadcaster.planning.phase import Phase
from broadcaster.planning.truth import STILL_TRUE_IN
from broadcaster.storage import broadcasts, events
from broadcaster.storage.announcements import Standing

_UNDER_WAY = frozenset({BroadcastState.PLANNED, BroadcastState.OPEN})
_OVER = frozenset({State.COMPLETED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Retry:
    """A broadcast that was added to the plan, due now, and how many failed recipients it is for at this moment."""

    broadcast: Broadcast
    recipients: int


def retry_failed(connection: Connection, beginning: str, reason: str, actor: str, now: datetime) -> Retry:
    """Try the failures of a broadcast again; `beginning` is its id or how it begins.

    Raises StateError when nobody failed, it is still under way, a retry of it is, or it is no longer true.
    """
    slug = broadcast_named(connection, beginning).slug
    standing = required(connection, slug)
    named = broadcast_named(connection, beginning)  # again, now that the announcement is locked
    original = broadcasts.find(connection, named.retries) if named.retries else named
    assert original is not None  # noqa: S101 - a foreign fact: broadcasts are never deleted
    earlier = broadcasts.retries_of(connection, original.id)
    _refuse_under_way([original, *earlier])
    _refuse_untrue(original, standing, now)
    _, recipients = broadcasts.failed_in(connection, original.id)
    if not recipients:
        raise StateError(
            f"nobody is left whom broadcast {original.id} failed to reach", hint="there is nothing to retry"
        )
    row = _again(original, len(earlier) + 1, standing, reason, now)
    broadcasts.carry_out(connection, Changes(added=(row,)))
    details = {"broadcast": row.id, "retries": original.id, "recipients": recipients, "reason": reason}
    events.record(connection, actor, "retry", slug, now, details)
    return Retry(row, recipients)


def _again(original: Row[Any], number: int, standing: Standing, reason: str, now: datetime) -> Broadcast:
    phase, occurrence = Phase(original.phase), f"retry {number} of {original.occurrence}"
    # What is approved now is what is true now.
    revision = standing.approved_revision or original.revision
    return Broadcast(
        id=broadcast_id(original.slug, original.channel, phase, occurrence, revision, original.audience),
        slug=original.slug,
        revision=revision,
        channel=original.channel,
        phase=phase,
        occurrence=occurrence,
        due_at=now,
        expires_at=original.expires_at,
        audience=original.audience,
        note=reason,
        retries=original.id,
        among=Among(original.among),
    )


def _refuse_under_way(rows: list[Row[Any]]) -> None:
    original, *earlier = rows
    if original.state == BroadcastState.OPEN:
        raise StateError(
            f"broadcast {original.id} is still under way", hint="`broadcaster status SLUG --watch` shows its end"
        )
    if original.state == BroadcastState.PLANNED:
        raise StateError(f"broadcast {original.id} is not sent yet: it is due at {original.due_at:%Y-%m-%d %H:%M} UTC")
    if original.state != BroadcastState.CLOSED:
        why = f": {original.reason}" if original.reason else ""
        raise StateError(f"broadcast {original.id} was never sent, it was {original.state}{why}")
    for row in earlier:
        if row.state in _UNDER_WAY:
            raise StateError(
                f"broadcast {original.id} is being tried again by {row.id}, which is {row.state}",
                hint="wait for its end; `broadcaster resume` lets it go on when it is held back",
            )


def _refuse_untrue(original: Row[Any], standing: Standing, now: datetime) -> None:
    if standing.purged_at:
        raise StateError(f"who was told of {standing.slug} was purged at {standing.purged_at:%Y-%m-%d %H:%M} UTC")
    if Phase(original.phase) not in STILL_TRUE_IN[standing.state]:
        over = " over:" if standing.state in _OVER else ""
        raise StateError(f"{standing.slug} is{over} {standing.state}: a {original.phase} is no longer true")
    if original.expires_at <= now:
        raise StateError(
            f"broadcast {original.id} expired at {original.expires_at:%Y-%m-%d %H:%M} UTC: it is no longer true",
            hint="whoever it failed to reach is told by what comes after it",
        )
