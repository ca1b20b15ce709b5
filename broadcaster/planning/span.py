"""Spans: how long before or after an instant something is due. Days are those of the calendar, hours elapse. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer

from broadcaster.announcement.times import localize

EXPECTED = "a number of days, hours or minutes such as 2 days, 1 hour or 90 minutes"
_PATTERN = re.compile(r"([1-9][0-9]{0,5}) (day|hour|minute)s?")
_MINUTES = {"hour": 60, "minute": 1}
_LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Span:
    """A number of calendar days, or else of minutes."""

    days: int = 0
    minutes: int = 0

    def __str__(self) -> str:
        number, unit = (self.days, "day") if self.days else (self.minutes, "minute")
        if unit == "minute" and number % 60 == 0:
            number, unit = number // 60, "hour"
        return f"{number} {unit}" if number == 1 else f"{number} {unit}s"

    def before(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """The instant this long before another, in UTC; a day before is the same clock time of `zone`."""
        return self.after(instant, zone, times=-1)

    def after(self, instant: datetime, zone: ZoneInfo, times: int = 1) -> datetime:
        """The instant so many times this long after another, in UTC."""
        if not self.days:
            return instant.astimezone(UTC) + timedelta(minutes=times * self.minutes)
        clock = instant.astimezone(zone).replace(tzinfo=None)
        return localize(clock + timedelta(days=times * self.days), zone).astimezone(UTC)

    def whole_times(self, since: datetime, now: datetime, zone: ZoneInfo) -> int:
        """How often this span has passed between two instants."""
        about = timedelta(days=self.days, minutes=self.minutes)
        # A clock change makes a day an hour shorter or longer: begin above, and go down to what has passed.
        found = (now - since) // about + 1
        while found > 0 and self.after(since, zone, found) > now:
            found -= 1
        return max(found, 0)

    def repeated(self, times: int) -> Span:
        """This span so many times."""
        return Span(self.days * times, self.minutes * times)


def parse_span(value: object) -> Span:
    """`2 days` as a span; raises ValueError that says what was expected."""
    if isinstance(value, Span):
        return value
    match = _PATTERN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a span of time; expected {EXPECTED}")
    number, unit = int(match[1]), match[2]
    found = Span(days=number) if unit == "day" else Span(minutes=number * _MINUTES[unit])
    if timedelta(days=found.days, minutes=found.minutes) > timedelta(days=_LONGEST_DAYS):
        raise ValueError(f"{value!r} is more than {_LONGEST_DAYS} days")
    return found


Spanned = Annotated[Span, BeforeValidator(parse_span), PlainSerializer(str, return_type=str)]
"""A span, written as `2 days`."""
