"""Capacity: how long a channel takes to tell so many people, and when it must begin to be done in time. Pure.

Time is worked through in calendar days of the announcement's zone, in whole seconds. On each day the channel sends in
the hours that are not quiet; each provider takes messages at its pace until its quota of that day is used up. An hour
that a clock shows twice counts as quiet from the first start of quiet hours to the last end of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from broadcaster.announcement.times import at_clock
from broadcaster.planning.policy import QuietHours

ASSUMED_RATE = 5_000.0
"""Messages a second through a provider whose pace the site does not say: what a machine with two cores sends with
something to spare. It is an assumption of plans alone; nothing is held back to it."""

LONGEST = timedelta(days=400)
"""What would take longer is never finished."""

_LONGEST_DAY = 25 * 3600

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Rate:
    """What one provider takes: messages a second (None: the site does not say) and a day (None: any number)."""

    messages_per_second: float | None = None
    per_day: int | None = None

    @property
    def pace(self) -> float:
        """Messages a second, assumed where nothing is said."""
        return ASSUMED_RATE if self.messages_per_second is None else self.messages_per_second


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a channel's providers take together; false without any provider."""

    rates: tuple[Rate, ...]

    def __bool__(self) -> bool:
        return bool(self.rates)

    def __str__(self) -> str:
        said = f"{self.pace:,.10g}/s"
        return f"{said} and {self.per_day:,} a day" if self.per_day is not None else said

    @property
    def pace(self) -> float:
        """Messages a second while no quota is used up."""
        return sum(rate.pace for rate in self.rates)

    @property
    def per_day(self) -> int | None:
        """Messages a day, None where some provider takes any number."""
        quotas = [rate.per_day for rate in self.rates if rate.per_day is not None]
        return sum(quotas) if quotas and len(quotas) == len(self.rates) else None

    def within(self, seconds: int) -> int:
        """How many messages they take in so many seconds of one day."""
        taken = (rate.pace * seconds for rate in self.rates)
        return int(sum(_at_most(rate.per_day, number) for rate, number in zip(self.rates, taken, strict=True)))

    def seconds(self, messages: int, most: int = _LONGEST_DAY) -> int:
        """The fewest seconds of one day in which they take so many messages, up to `most`."""
        return bisect_left(range(most), messages, key=self.within)


UNPACED = Capacity((Rate(),))
"""One provider of which nothing is said."""


@dataclass(frozen=True, slots=True)
class Finish:
    """When the last message is out, and how many messages went out on that calendar day until then."""

    at: datetime
    that_day: int


@dataclass(frozen=True, slots=True)
class Line:
    """A channel's way to the public: what goes through it, when it must be silent, and on whose clocks."""

    capacity: Capacity
    quiet: QuietHours | None
    zone: ZoneInfo

    def finish(self, start: datetime, people: int, used: int = 0) -> Finish | None:
        """When so many people are told, beginning at `start`, in UTC; None when that takes longer than `LONGEST`.

        `used` are messages that went out on the day of `start` before it, and count against its quotas.
        """
        begin, day = start.astimezone(UTC), start.astimezone(self.zone).date()
        if people <= 0:
            return Finish(begin, used)
        for _ in range(LONGEST.days):
            spans = [(max(left, begin), right) for left, right in self._open(day) if right > begin]
            before, length = self.capacity.seconds(used), _seconds(spans)
            gone = max(used, self.capacity.within(before))
            taken = max(0, self.capacity.within(before + length) - gone)
            if taken >= people:
                needed = self.capacity.seconds(gone + people, before + length) - before
                return Finish(_forward(spans, needed), used + people)
            people, used, day = people - taken, 0, day + timedelta(days=1)
        return None

    def latest_start(self, finish_by: datetime, people: int) -> datetime | None:
        """The latest instant, in UTC, at which to begin so that so many people are told by `finish_by`; None: none."""
        end, day = finish_by.astimezone(UTC), finish_by.astimezone(self.zone).date()
        if people <= 0:
            return end
        for _ in range(LONGEST.days):
            spans = [(left, min(right, end)) for left, right in self._open(day) if left < end]
            length = _seconds(spans)
            taken = self.capacity.within(length)
            if taken >= people:
                return _backward(spans, self.capacity.seconds(people, length))
            people, day = people - taken, day - timedelta(days=1)
        return None

    def _open(self, day: date) -> tuple[Span, ...]:
        return _open_hours(day, self.quiet, self.zone)


def _at_most(limit: int | None, number: float) -> float:
    return number if limit is None else min(limit, number)


@lru_cache(maxsize=5_000)
def _open_hours(day: date, quiet: QuietHours | None, zone: ZoneInfo) -> tuple[Span, ...]:
    """The spans of a calendar day in which a channel may speak, in UTC."""
    begin, end = (at_clock(date_, time(0), zone).astimezone(UTC) for date_ in (day, day + timedelta(days=1)))
    if quiet is None:
        return ((begin, end),)
    silence = at_clock(day, quiet.start, zone).astimezone(UTC)
    voice = at_clock(day, quiet.end, zone).replace(fold=1).astimezone(UTC)
    spans = ((voice, silence),) if quiet.start > quiet.end else ((begin, silence), (voice, end))
    return tuple((left, right) for left, right in spans if left < right)


def _length(span: Span) -> int:
    return int((span[1] - span[0]).total_seconds())


def _seconds(spans: Sequence[Span]) -> int:
    return sum(_length(span) for span in spans)


def _forward(spans: Sequence[Span], seconds: int) -> datetime:
    """The instant so many seconds into the spans."""
    for span in spans[:-1]:
        if seconds <= _length(span):
            return span[0] + timedelta(seconds=seconds)
        seconds -= _length(span)
    return spans[-1][0] + timedelta(seconds=seconds)


def _backward(spans: Sequence[Span], seconds: int) -> datetime:
    """The instant so many seconds before the end of the spans."""
    for span in spans[:0:-1]:
        if seconds <= _length(span):
            return span[1] - timedelta(seconds=seconds)
        seconds -= _length(span)
    return spans[0][1] - timedelta(seconds=seconds)
