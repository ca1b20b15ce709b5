"""Statements: what a screen or a post stated when, against what was true then. Pure.

A screen states what the document says that it fetched last, a post account what its newest accepted post says. Whatever
was never fetched or posted before a change states nothing false. Times are campaign time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from broadcaster.announcement.facts import Facts

Differs = Callable[[Facts, Facts], object]
"""Whether facts that were stated, the first, are false while the second are true."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What became true at an instant by somebody's word; `seq` is the number of the first document that says it."""

    seq: int
    at: datetime
    facts: Facts


@dataclass(frozen=True, slots=True)
class Held:
    """What is stated from an instant on; None when nothing is said of the announcement."""

    at: datetime
    facts: Facts | None


@dataclass(frozen=True, slots=True)
class FalseTime:
    """For how long something false was stated: by all together, and in one go by the one that was worst."""

    total: timedelta = timedelta(0)
    longest: timedelta = timedelta(0)

    @property
    def minutes(self) -> float:
        """All of it, in minutes."""
        return _minutes(self.total)

    @property
    def longest_minutes(self) -> float:
        """The longest time in one go, in minutes."""
        return _minutes(self.longest)

    def and_those(self, other: FalseTime) -> FalseTime:
        """Two of them together."""
        return FalseTime(self.total + other.total, max(self.longest, other.longest))


def is_stale(fetched: int, changes: Sequence[int]) -> bool:
    """Whether a screen that last fetched the document of a number lacks a change; `changes` are numbers in order."""
    return bool(changes) and fetched < changes[-1]


def stale_since(fetched: int, changes: Sequence[tuple[int, datetime]]) -> datetime | None:
    """When the first change was made that a screen has not fetched; None when it has them all."""
    return next((at for seq, at in changes if seq > fetched), None)


def held_by_screen(fetches: Sequence[tuple[datetime, int]], truths: Sequence[Truth]) -> list[Held]:
    """What a screen stated from each document on that it fetched, as (when, `seq`)."""
    return [Held(at, _said(seq, truths)) for at, seq in fetches]


def false_time(
    truths: Sequence[Truth], held: Sequence[Held], until: datetime, differs: Differs = operator.ne
) -> FalseTime:
    """For how long what was held was false, up to an instant; both are in order of time."""
    stated = [Held(_not_before(row, truths), row.facts) for row in held]
    marks = sorted({*(row.at for row in stated), *(row.at for row in truths), until})
    found, run = FalseTime(), timedelta(0)
    for start, end in pairwise(mark for mark in marks if mark <= until):
        run = run + (end - start) if _is_false(truths, stated, start, differs) else timedelta(0)
        found = FalseTime(found.total + (end - start if run else timedelta(0)), max(found.longest, run))
    return found


def _said(seq: int, truths: Sequence[Truth]) -> Facts | None:
    said = [row.facts for row in truths if row.seq <= seq]
    return said[-1] if said else None


def _not_before(held: Held, truths: Sequence[Truth]) -> datetime:
    """Nobody states what is not true yet: a rehearsal puts an operator's word down shortly before its instant."""
    return max([held.at, *[row.at for row in truths if row.facts == held.facts][:1]])


def _is_false(truths: Sequence[Truth], held: Sequence[Held], at: datetime, differs: Differs) -> bool:
    true = [row.facts for row in truths if row.at <= at]
    stated = [row.facts for row in held if row.at <= at]
    return bool(true and stated and stated[-1] is not None and differs(stated[-1], true[-1]))


def _minutes(span: timedelta) -> float:
    return round(span.total_seconds() / 60, 3)
