"""What applying a plan would change: the wanted broadcasts against those that stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from broadcaster.planning.broadcast import Broadcast, BroadcastState


@dataclass(frozen=True, slots=True)
class Changes:
    """Broadcasts to add, to move (due time, expiry or revision), to revoke; and those that stay as they are."""

    added: tuple[Broadcast, ...]
    moved: tuple[Broadcast, ...]
    revoked: tuple[Broadcast, ...]
    kept: tuple[Broadcast, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.moved or self.revoked)


def compare(standing: Iterable[Broadcast], wanted: Iterable[Broadcast]) -> Changes:
    """How to get from the standing broadcasts to the wanted ones. What is open, closed or skipped is never touched."""
    have = {row.id: row for row in standing}
    want = {row.id: row for row in wanted}
    # A revoked broadcast that is wanted again (a cancelled announcement reinstated) stands up with its old id.
    replaceable = (BroadcastState.PLANNED, BroadcastState.REVOKED)
    moved = [
        row for id_, row in want.items() if id_ in have and have[id_].state in replaceable and _differs(have[id_], row)
    ]
    gone = [
        replace(row, state=BroadcastState.REVOKED, reason="no longer in the plan")
        for id_, row in have.items()
        if id_ not in want and row.state is BroadcastState.PLANNED
    ]
    moved_ids = {row.id for row in moved}
    return Changes(
        added=tuple(row for id_, row in want.items() if id_ not in have),
        moved=tuple(moved),
        revoked=tuple(gone),
        kept=tuple(row for id_, row in have.items() if id_ in want and id_ not in moved_ids),
    )


def _differs(old: Broadcast, new: Broadcast) -> bool:
    return (old.state, old.due_at, old.expires_at, old.revision) != (
        new.state,
        new.due_at,
        new.expires_at,
        new.revision,
    )
