"""Asking: when the owner of an outage is asked whether its planned end holds. Pure.

Ahead of the end the owner is asked how things stand; after it, again and again, until somebody says that service is
back or that it takes longer. Only the newest question counts: one that was missed is not made up for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.model import Frozen
from broadcaster.planning.span import Span, Spanned

LEAST_BETWEEN = Span(minutes=5)
"""An owner who is asked more often than this reads nothing any more."""


class AskOwner(Frozen):
    """When the owner is asked; the `ask_owner:` of a policy."""

    before_end: Annotated[tuple[Spanned, ...], Field(max_length=10)] = (Span(days=2), Span(minutes=120))
    """How long before the planned end; empty: not ahead."""
    overdue_every: Spanned | None = Span(minutes=60)
    """How often after it, until somebody answers; None: not again."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if len(set(self.before_end)) < len(self.before_end):
            raise ValueError("`before_end` names the same time twice")
        every = self.overdue_every
        if every and not every.days and every.minutes < LEAST_BETWEEN.minutes:
            raise ValueError(f"`overdue_every` is {LEAST_BETWEEN} at least")
        return self


DEFAULT = AskOwner()


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage under way whose end is planned: `since` is when this end became the planned one."""

    state: State
    zone: ZoneInfo
    start: datetime
    end: datetime
    since: datetime
    rule: AskOwner


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the owner: when it fell due, and how far from the planned end that is, such as `2 days before`."""

    at: datetime
    lead: str


def newest_question(outage: Outage, now: datetime) -> Question | None:
    """The question that fell due last; None when none has. Those before it are not asked any more."""
    if outage.state is State.OVERRUN:
        return _overdue(outage, now)
    if outage.state is not State.IN_PROGRESS or outage.end <= now:
        return None
    return max((one for one in _ahead(outage) if one.at <= now), key=lambda one: one.at, default=None)


def next_question_at(outage: Outage, now: datetime) -> datetime | None:
    """When the next question falls due after `now`, in UTC, as the outage stands; None when no more does."""
    every = outage.rule.overdue_every
    if outage.state is State.OVERRUN:
        return every.after(outage.end, outage.zone, _passed(every, outage, now) + 1) if every else None
    return min((one.at for one in _ahead(outage) if one.at > now), default=None)


def _ahead(outage: Outage) -> list[Question]:
    """The questions before the end; none that fell due before the outage began, or before this end was planned."""
    first = max(outage.start, outage.since).astimezone(UTC)
    asked = [Question(span.before(outage.end, outage.zone), f"{span} before") for span in outage.rule.before_end]
    return [one for one in asked if one.at >= first]


def _overdue(outage: Outage, now: datetime) -> Question | None:
    every = outage.rule.overdue_every
    times = _passed(every, outage, now) if every else 0
    if not every or not times:
        return None
    return Question(every.after(outage.end, outage.zone, times), f"{every.repeated(times)} after")


def _passed(every: Span, outage: Outage, now: datetime) -> int:
    return every.whole_times(outage.end, now, outage.zone)
