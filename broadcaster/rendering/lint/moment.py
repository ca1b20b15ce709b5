"""Moments: what a text tells of a date and a clock time. Whatever it leaves open is None."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

MIDNIGHT_AFTER = 24 * 60
"""Minutes of 24:00."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and a clock time as written: `minutes` counts from the written day's 0:00, and 24:00 is 1,440.

    No part need exist in the calendar: a text may well tell 30 February.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    minutes: int | None = None

    @property
    def has_date(self) -> bool:
        """Whether at least month and day are told."""
        return self.month is not None and self.day is not None

    def at(self, clock: Moment) -> Moment:
        """This date with the clock time of `clock`."""
        return replace(self, minutes=clock.minutes)

    def on_day(self, years: range) -> Iterator[date]:
        """The calendar days this may be; `years` stands in for a year that is not told."""
        if self.month is None or self.day is None:
            return
        for year in (self.year,) if self.year is not None else years:
            try:
                yield date(year, self.month, self.day)
            except ValueError:  # a day that the calendar does not have
                continue

    def next_day(self) -> tuple[Moment, ...]:
        """The day after; two answers when only a year that is not told decides on 29 February."""
        # 2023 has no 29 February and 2024 has one.
        days = {day + timedelta(days=1) for day in self.on_day(range(2023, 2025))}
        year = self.year
        return tuple(
            {
                Moment(year if year is None else day.year, day.month, day.day, self.minutes)
                for day in sorted(days, reverse=True)
            }
        )
