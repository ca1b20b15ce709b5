"""Windows as they were approved one after the other: what was planned first, what it was revised to, and when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ApprovedWindow:
    """The window of a revision, and when that was approved."""

    revision: int
    approved_at: datetime
    start: datetime
    end: datetime | None


def told_apart(approved: Sequence[ApprovedWindow]) -> list[ApprovedWindow]:
    """The windows that differ from the one approved before; the first is what was planned, the others are revised.

    `approved` is in the order of approval. A plan that comes back to an earlier window has been revised once more.
    """
    return [
        row
        for number, row in enumerate(approved)
        if number == 0 or (row.start, row.end) != (approved[number - 1].start, approved[number - 1].end)
    ]


def end_planned_since(approved: Sequence[ApprovedWindow]) -> datetime:
    """When the present planned end became the planned end; `approved` is not empty, in the order of approval."""
    since = approved[-1]
    for row in reversed(approved):
        if row.end != since.end:
            break
        since = row
    return since.approved_at
