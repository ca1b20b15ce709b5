"""Cautions: what an announcement's dates and plan do against the precautions of its policy. Pure.

What is past is left out: nothing can be done about it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime

from broadcaster.announcement.model import Announcement
from broadcaster.announcement.rules import Finding
from broadcaster.planning.broadcast import Broadcast
from broadcaster.planning.calendars import calendar_called, calendar_of
from broadcaster.planning.caution import Caution
from broadcaster.planning.cautions.concern import Concern
from broadcaster.planning.cautions.days import (
    first_working_days,
    holidays,
    payment_days,
    unknown_years,
    weekends,
)
from broadcaster.planning.cautions.notice import minimum_notice
from broadcaster.planning.cautions.telling import holiday_broadcasts, quiet_hours
from broadcaster.planning.moments import Frame
from broadcaster.planning.precautions import Level
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.situation import Situation

RULES: Mapping[str, Callable[[Concern], Iterator[Finding]]] = {
    "minimum_notice": minimum_notice,
    "payment_days": payment_days,
    "first_working_days": first_working_days,
    "holidays": holidays,
    "weekends": weekends,
    "holiday_broadcasts": holiday_broadcasts,
    "quiet_hours": quiet_hours,
}
"""Every rule, by the name under which `levels` has it."""


def cautions(
    proposal: Proposal,
    situation: Situation,
    broadcasts: Iterable[Broadcast],
    now: datetime,
    *,
    approved: Announcement | None = None,
    pushes: Collection[str] = (),
) -> tuple[Caution, ...]:
    """What a proposal does against its precautions, in the order of the rules.

    `broadcasts` are its plan in this situation. `approved` is what the public was told until now. `pushes` are the
    channels that reach people; the others are looked at.
    """
    precautions = proposal.policy.precautions
    name, zone = precautions.calendar, proposal.announcement.zone
    calendar = calendar_called(name) if name else calendar_of(zone)
    # In UTC, as the planner counts: two local times of one zone compare by the clock face, which autumn shows twice.
    concern = Concern(Frame(proposal, situation, now), tuple(broadcasts), approved, frozenset(pushes), calendar)
    levels = {name: Level(getattr(precautions.levels, name)) for name in RULES}
    found = [
        Caution(levels[name], finding)
        for name, rule in RULES.items()
        if levels[name] is not Level.OFF
        for finding in rule(concern)
    ]
    return (*found, *(Caution(Level.WARNING, finding) for finding in unknown_years(concern)))
