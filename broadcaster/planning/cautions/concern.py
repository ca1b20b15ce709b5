"""A concern: everything that is looked at for cautions, and how dates are said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from broadcaster.announcement.model import Announcement, Impact, ImpactState
from broadcaster.planning.broadcast import Among, Broadcast, BroadcastState
from broadcaster.planning.calendars import Calendar
from broadcaster.planning.moments import Frame
from broadcaster.planning.phase import Phase
from broadcaster.planning.precautions import Precautions

_CHOSEN = frozenset({Phase.NOTICE, Phase.REMINDER, Phase.ONGOING, Phase.CHANGED})

_MOST = 5


@dataclass(frozen=True, slots=True)
class Concern:
    """A proposal in its situation, its plan, what was approved before, and the calendar of the place."""

    frame: Frame
    broadcasts: tuple[Broadcast, ...]
    approved: Announcement | None
    pushes: frozenset[str]
    calendar: Calendar

    @property
    def announcement(self) -> Announcement:
        """What is announced."""
        return self.frame.proposal.announcement

    @property
    def precautions(self) -> Precautions:
        """What the policy asks of it."""
        return self.frame.proposal.policy.precautions

    @property
    def affected(self) -> tuple[Impact, ...]:
        """The impacts in which something stops."""
        return tuple(row for row in self.announcement.impacts if row.state is not ImpactState.UNAFFECTED)

    @property
    def untold(self) -> tuple[Broadcast, ...]:
        """The broadcasts of the plan that did not go out: it also wants what did."""
        told = {row.id for row in self.told}
        return tuple(row for row in self.broadcasts if row.id not in told)

    @property
    def planned(self) -> tuple[Broadcast, ...]:
        """The broadcasts that are to come."""
        return tuple(row for row in self.untold if row.state is BroadcastState.PLANNED)

    @property
    def told(self) -> tuple[Broadcast, ...]:
        """The broadcasts that went out, or are going out."""
        known = self.frame.situation.known.values()
        return tuple(row for row in known if row.state in {BroadcastState.OPEN, BroadcastState.CLOSED})

    def is_past(self, instant: datetime) -> bool:
        """Whether nothing can be done about it any more."""
        return instant.astimezone(UTC) <= self.frame.now.astimezone(UTC)

    def day(self, instant: datetime) -> date:
        """The calendar day of an instant in the announcement's zone."""
        return instant.astimezone(self.announcement.zone_info).date()

    def minute(self, instant: datetime) -> str:
        """An instant as `Sat 2022-02-26 00:00`, in the announcement's zone."""
        return f"{instant.astimezone(self.announcement.zone_info):%a %Y-%m-%d %H:%M}"


def is_chosen(row: Broadcast) -> bool:
    """Whether somebody has chosen its time: others follow the outage itself, or an import, whatever hour it is."""
    return row.phase in _CHOSEN and row.among is not Among.NEWCOMERS


def weekday(day: date) -> str:
    """A day as `Sat 2022-02-26`."""
    return f"{day:%a %Y-%m-%d}"


def listed(days: Iterable[date]) -> str:
    """Days, by name as far as anybody reads on."""
    found: Sequence[date] = list(days)
    more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return ", ".join([*(weekday(day) for day in found[:_MOST]), *more])
