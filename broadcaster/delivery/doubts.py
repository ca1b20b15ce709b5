"""Doubts: what to do with the calls that an earlier claim of a batch left open. Each of them may have been seen."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from broadcaster.channels.base import Delivery, Idempotency, Outcome, adapter_of, idempotency_of
from broadcaster.delivery.recording import Result
from broadcaster.delivery.run import Run, Step


@dataclass(slots=True)
class Doubts:
    """The open calls of a batch: those to repeat, those to ask about, and what will never be known."""

    repeats: list[Row[Any]] = field(default_factory=list)
    questions: list[Row[Any]] = field(default_factory=list)
    unknown: list[Result] = field(default_factory=list)

    @property
    def members(self) -> set[int]:
        """The recipients that these calls are about."""
        open_ = (id_ for row in (*self.repeats, *self.questions) for id_ in row.members)
        return {*open_, *(row.recipient_id for result in self.unknown for row in result.deliveries)}


def sort_out(
    run: Run, rows: Sequence[Row[Any]], outdated: Set[int] = frozenset(), superseded: Set[int] = frozenset()
) -> Doubts:
    """What becomes of each call that is open; `outdated` are revisions whose words are no longer true, `superseded`
    recipients whom a newer message tells."""
    found = Doubts()
    for row in rows:
        reason = "in doubt when a newer event superseded it" if set(row.members) <= superseded else None
        reason = reason or _why_unknown(run, row, outdated)
        if reason:
            deliveries = [Delivery(id_, Outcome.UNKNOWN, reason) for id_ in row.members]
            found.unknown.append(Result(deliveries, row.revision, row.provider, row.key))
        elif idempotency_of(run.channel, run.providers[row.provider]) is Idempotency.QUERYABLE:
            found.questions.append(row)
        else:
            found.repeats.append(row)
    return found


def question(step: Step, row: Row[Any]) -> Step:
    """The call as something to ask about, with its age."""
    return Step(step.call, step.provider, doubt=True, age=row.made_ago)


def _why_unknown(run: Run, row: Row[Any], outdated: Set[int]) -> str | None:
    """Why a call in doubt can be neither made again nor asked about; None when it can."""
    provider = run.providers.get(row.provider)
    if provider is None:
        return "its provider is no longer configured"
    idempotency = idempotency_of(run.channel, provider)
    if idempotency is Idempotency.NONE:
        return "a worker stopped during the call"
    if row.revision in outdated and idempotency is not Idempotency.QUERYABLE:
        # Perhaps nobody has seen it: made again, it would tell now what is no longer true.
        return "in doubt when what it says stopped being true"
    if row.age > adapter_of(run.channel, provider).dedupes_for:
        return "in doubt for longer than its provider remembers calls"
    return None
