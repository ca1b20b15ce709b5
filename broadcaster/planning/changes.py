"""What applying a plan would change: the wanted broadcasts against those that stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from broadcaster.planning.broadcast import PERHAPS_SENT, Broadcast, BroadcastState

UNOPENED = (BroadcastState.PLANNED, BroadcastState.SKIPPED, BroadcastState.REVOKED)
"""Nobody was told by these yet: wanted again (reinstated, postponed), one stands up with its old id."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Broadcasts to add, to move (due time, expiry or revision), to revoke; and those that stay as they are.

    `carried` are under way: whoever is left in them is told the new revision's words.
    """

    added: tuple[Broadcast, ...] = ()
    moved: tuple[Broadcast, ...] = ()
    carried: tuple[Broadcast, ...] = ()
    revoked: tuple[Broadcast, ...] = ()
    kept: tuple[Broadcast, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.moved or self.carried or self.revoked)


def compare(standing: Iterable[Broadcast], wanted: Iterable[Broadcast]) -> Changes:
    """How to get from the standing broadcasts to the wanted ones. What is closed is never touched.

    Nor is a retry: an operator asked for it, no plan wants it. Nor what may have gone out, as far as is known.
    """
    have = {row.id: row for row in standing if not row.retries}
    want = {row.id: row for row in wanted}
    both = [(have[id_], row) for id_, row in want.items() if id_ in have]
    unopened = [(old, new) for old, new in both if old.state in UNOPENED and old.reason != PERHAPS_SENT]
    moved = [new for old, new in unopened if _differs(old, new)]
    carried = [new for old, new in both if old.state is BroadcastState.OPEN and old.revision != new.revision]
    gone = [
        replace(row, state=BroadcastState.REVOKED, reason="no longer in the plan")
        for id_, row in have.items()
        if id_ not in want and row.state is BroadcastState.PLANNED
    ]
    changed = {row.id for row in (*moved, *carried)}
    return Changes(
        added=tuple(row for id_, row in want.items() if id_ not in have),
        moved=tuple(moved),
        carried=tuple(carried),
        revoked=tuple(gone),
        kept=tuple(row for id_, row in have.items() if id_ in want and id_ not in changed),
    )


def _differs(old: Broadcast, new: Broadcast) -> bool:
    if old.state is new.state is BroadcastState.SKIPPED:
        return False
    # By the instant: two times of one zone compare by the clock face, which an hour in autumn shows twice.
    return (old.state, old.due_at.timestamp(), old.expires_at.timestamp(), old.revision) != (
        new.state,
        new.due_at.timestamp(),
        new.expires_at.timestamp(),
        new.revision,
    )
