"""Truths: the instants of an announcement and the fields that hold them, to compare what a text tells with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from broadcaster.announcement.facts import UNKNOWN
from broadcaster.announcement.instants import Held, instants
from broadcaster.announcement.model import Announcement
from broadcaster.announcement.rules import FieldPath
from broadcaster.announcement.times import parse_instant
from broadcaster.rendering.lint.moment import MIDNIGHT_AFTER, Moment
from broadcaster.rendering.lint.telling import Telling
from broadcaster.rendering.view import Occasion

AROUND = timedelta(days=31)
"""Before the first and after the last time of an outage, a text of the announcement may tell other dates."""
_TIMES = frozenset({"start", "end", "resume", "last_acceptance", "deadline"})
"""The last word of a fact that is an instant."""


@dataclass(frozen=True, slots=True)
class Truth:
    """An instant in the announcement's zone and the field that holds it; an empty path for one that no field holds.

    `ends` is whether something ends then: an end at midnight is told as the day before, also without its 24:00.
    """

    path: FieldPath
    local: datetime
    ends: bool = False

    def agrees(self, moment: Moment, *, begins: bool) -> bool:
        """Whether `moment` can mean this instant."""
        for day, minutes in self.faces():
            on_eve = minutes == MIDNIGHT_AFTER
            if moment.minutes is None and on_eve and (begins or not self.ends):
                continue
            if moment.minutes in (None, minutes) and _same_day(moment, day):
                return True
        return False

    def shown(self) -> str:
        """The instant as files write it: an end at midnight is 24:00 of the day before."""
        if self.ends and self.path[-1:] != ("start",) and (self.local.hour, self.local.minute) == (0, 0):
            return f"{self.local - timedelta(days=1):%Y-%m-%d} 24:00"
        return f"{self.local:%Y-%m-%d %H:%M}"

    def only_another_year(self, moment: Moment) -> bool:
        """Whether nothing but its year speaks against `moment`."""
        bare = Moment(None, moment.month, moment.day, moment.minutes)
        return moment.year is not None and self.agrees(bare, begins=False)

    def distance(self, moment: Moment) -> timedelta:
        """How far `moment` is from this instant, as near as it can be meant."""
        years = range(self.local.year - 1, self.local.year + 2)
        written = timedelta(minutes=moment.minutes or 0)
        naive = self.local.replace(tzinfo=None)
        spans = [abs(datetime(day.year, day.month, day.day) + written - naive) for day in moment.on_day(years)]  # noqa: DTZ001 - clock times of one zone are compared
        return min(spans, default=timedelta.max)

    def faces(self) -> Iterator[tuple[date, int]]:
        """The ways to write the instant: midnight is 0:00 of a day and 24:00 of the one before."""
        minutes = self.local.hour * 60 + self.local.minute
        yield self.local.date(), minutes
        if minutes == 0:
            yield self.local.date() - timedelta(days=1), MIDNIGHT_AFTER


@dataclass(frozen=True, slots=True)
class Truths:
    """Every instant that a text may tell, and the other days that it may."""

    instants: tuple[Truth, ...]
    other_days: tuple[date, ...] = ()

    def meant(self, telling: Telling) -> frozenset[datetime | date]:
        """The instants and other days that `telling` can mean; empty when it is not true."""
        found = {
            truth.local
            for truth in self.instants
            for moment in telling.moments
            if truth.agrees(moment, begins=telling.begins)
        }
        days = {day for day in self.other_days for moment in telling.moments if _same_day(moment, day)}
        return frozenset((*found, *days))

    def nearest(self, telling: Telling) -> Truth:
        """The instant that `telling` most likely should have told."""
        held = [truth for truth in self.instants if truth.path] or list(self.instants)
        return min(held, key=lambda truth: min(truth.distance(moment) for moment in telling.moments))

    def elsewhere(self, telling: Telling) -> bool:
        """Whether `telling` is of another time than the outage's: then it is no statement about it.

        A date that is wrong in its year alone is a slip of the pen, wherever that puts it.
        """
        return all(
            any(True for _ in moment.on_day(self._years))
            and not any(truth.only_another_year(moment) for truth in self.instants)
            and not any(self._first <= day <= self._last for day in moment.on_day(self._years))
            for moment in telling.moments
        )

    def fits_weekday(self, telling: Telling) -> bool:
        """Whether the weekday that is told can be that of the day; true where the year is not known."""
        days = self.days(telling)
        return telling.weekday is None or not days or any(day.weekday() == telling.weekday for day in days)

    def days(self, telling: Telling) -> list[date]:
        """The calendar days that `telling` can mean: of the year it tells, else of a year in which it is true."""
        return [
            day
            for moment in telling.moments
            for day in moment.on_day(self._years)
            if moment.year is not None or self._knows(day)
        ]

    def _knows(self, day: date) -> bool:
        # A weekday beside 24:00 is that of the day as written.
        return day in self.other_days or any(day == face for truth in self.instants for face, _ in truth.faces())

    @property
    def _first(self) -> date:
        return min(truth.local for truth in self.instants).date() - AROUND

    @property
    def _last(self) -> date:
        return max(truth.local for truth in self.instants).date() + AROUND

    @property
    def _years(self) -> range:
        return range(self._first.year, self._last.year + 1)


def truths(announcement: Announcement, occasion: Occasion) -> Truths:
    """Every instant of the announcement, and those that only the occasion knows."""
    zone = announcement.zone_info
    found = [*instants(announcement), *_occasion(announcement, occasion)]
    known = tuple(Truth(held.path, held.instant.astimezone(zone), held.ends) for held in found)
    return Truths(known, announcement.also_true)


def _occasion(announcement: Announcement, occasion: Occasion) -> Iterator[Held]:
    if occasion.finished_at:
        yield Held((), occasion.finished_at, ends=False)
    for change in occasion.changes:
        if change.path.rpartition(".")[2] in _TIMES:
            for value in (change.old, change.new):
                if value and value != UNKNOWN:
                    yield Held((), parse_instant(value, announcement.zone_info), ends=True)


def _same_day(moment: Moment, day: date) -> bool:
    told = (moment.year, moment.month, moment.day)
    return all(part in (None, real) for part, real in zip(told, (day.year, day.month, day.day), strict=True))
