"""Tellings: the times that a text tells, each put together from its words.

A half-written time takes the rest from the one beside it: `2022年2月26日0时至3月20日24时` tells two times of one year,
`08:00 to 12:00 on 5 May` two of one day. A clock time without any day is not read: it may well be an opening hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, product

from broadcaster.rendering.lint.grammar import CLOCK, DAY, RELATIVE, WEEKDAY, Grammar
from broadcaster.rendering.lint.moment import Moment
from broadcaster.rendering.lint.words import Word, plain, time_words, unread

_NOON = 12 * 60


@dataclass(frozen=True, slots=True)
class Telling:
    """A time that a text tells, at `[start, end)`, in its own words; `moments` are what they may mean."""

    start: int
    end: int
    quote: str
    moments: tuple[Moment, ...]
    weekday: int | None = None
    """0 for Monday."""
    begins: bool = False
    """Whether something is said to hold from then on."""

    @property
    def has_clock(self) -> bool:
        """Whether a clock time is told, not a day alone."""
        return any(moment.minutes is not None for moment in self.moments)


@dataclass(slots=True)
class _Point:
    """The words of one time. `joint` is how it hangs on the one before: through, beside, or not at all ("")."""

    joint: str
    words: list[Word] = field(default_factory=list)
    days: tuple[Moment, ...] = ()
    clocks: tuple[Moment, ...] = ()

    def first(self, kind: str) -> Word | None:
        return next((word for word in self.words if word.kind == kind), None)

    @property
    def minutes(self) -> list[int]:
        return [clock.minutes for clock in self.clocks if clock.minutes is not None]


def tellings(text: str, grammar: Grammar) -> list[Telling]:
    """The times that `text` tells, in their order. A line break ends whatever was being told."""
    seen = unread(plain(text))
    points = _points(seen, _without_weeks(seen, time_words(seen, grammar), grammar), grammar)
    for point in points:
        point.days, point.clocks = _own(point, DAY), _own(point, CLOCK)
    _halves_of_day(points)
    _days_from_before(points)
    _days_from_after(points)
    return [told for point in points if (told := _telling(text, seen, point, grammar))]


def _without_weeks(text: str, words: Sequence[Word], grammar: Grammar) -> list[Word]:
    """The words but for weekdays from one to another: they stand for all of the days before, and for none."""
    weeks = {
        place
        for place, (before, after) in enumerate(pairwise(words))
        if before.kind == after.kind == WEEKDAY and _joint(text[before.end : after.start], grammar)
    }
    return [word for place, word in enumerate(words) if not {place, place - 1} & weeks]


def _points(text: str, words: Sequence[Word], grammar: Grammar) -> list[_Point]:
    points = [_Point("", [word]) for word in words[:1]]
    for place, (before, word) in enumerate(pairwise(words), 1):
        gap = text[before.end : word.start]
        after = words[place + 1] if place + 1 < len(words) else None
        if _belongs(points[-1], word, gap, grammar) and not _taken(text, points[-1], word, after, grammar):
            points[-1].words.append(word)
        else:
            points.append(_Point(_joint(gap, grammar), [word]))
    return points


def _belongs(point: _Point, word: Word, gap: str, grammar: Grammar) -> bool:
    link = grammar.links.get((point.words[-1].kind, word.kind))
    return link is not None and "\n" not in gap and link.fullmatch(gap) is not None and point.first(word.kind) is None


def _taken(text: str, point: _Point, word: Word, after: Word | None, grammar: Grammar) -> bool:
    """Whether the word after binds harder: in `26 February, 09:00 on 27 February` the time is the second day's."""
    link = grammar.firm_links.get((word.kind, after.kind)) if after else None
    if after is None or link is None or point.first(after.kind) is None:
        return False
    return link.fullmatch(text[word.end : after.start]) is not None


def _joint(gap: str, grammar: Grammar) -> str:
    if "\n" in gap:
        return ""
    if grammar.through.fullmatch(gap):
        return "through"
    return "beside" if grammar.beside.fullmatch(gap) else ""


def _own(point: _Point, kind: str) -> tuple[Moment, ...]:
    word = point.first(kind)
    return word.moments if word else ()


def _halves_of_day(points: Sequence[_Point]) -> None:
    """`2:00–4:30 p.m.`, `下午3点、5点`: what is said of one clock time may well be meant for the one beside it."""
    for before, after in pairwise(points):
        words = (before.first(CLOCK), after.first(CLOCK))
        if not after.joint or words[0] is None or words[1] is None or words[0].halved == words[1].halved:
            continue
        bare, halved = (after, before) if words[0].halved else (before, after)
        if min(halved.minutes) < _NOON:
            continue
        bare.clocks += tuple(Moment(minutes=minutes + _NOON) for minutes in bare.minutes if minutes < _NOON)


def _days_from_before(points: Sequence[_Point]) -> None:
    """Give each time what it lacks and the one before it has."""
    for before, point in pairwise(points):
        if not point.joint or not any(day.has_date for day in before.days):
            continue
        if point.days:
            point.days = tuple(_completed(day, before.days[0], forward=point.joint == "through") for day in point.days)
        elif point.clocks:
            point.days = _same_or_next(before, point)


def _completed(day: Moment, other: Moment, *, forward: bool) -> Moment:
    """A day with the month and year of the one before, or the next month or year when it would lie before that."""
    if day.month is None:
        passed = forward and (day.day or 0) < (other.day or 0)
        month, year = (other.month or 0) + passed, other.year
        turned = year + month // 13 if year else None
        return Moment(day.year or turned, (month - 1) % 12 + 1, day.day)
    if day.year is None and other.year is not None:
        passed = forward and (day.month, day.day or 0) < (other.month or 0, other.day or 0)
        return replace(day, year=other.year + passed)
    return day


def _same_or_next(before: _Point, point: _Point) -> tuple[Moment, ...]:
    following = tuple(later for day in before.days for later in day.next_day())
    if point.first(RELATIVE):
        return before.days + following
    firsts, seconds = before.minutes, point.minutes
    if point.joint == "through" and firsts and max(seconds) <= min(firsts):
        return following
    return before.days


def _days_from_after(points: Sequence[_Point]) -> None:
    """`26 to 28 February 2022` and `08:00 to 12:00 on 5 May`: the second has what the first lacks."""
    for point, after in zip(reversed(points[:-1]), reversed(points[1:]), strict=True):
        if not after.joint or not after.days or not after.days[0].has_date:
            continue
        last = after.days[0]
        if not point.days and point.clocks and not point.first(RELATIVE):
            point.days = after.days
        elif point.days and point.days[0].month is None:
            late = (point.days[0].day or 0) > (last.day or 0)
            month = (last.month or 0) - late
            year = last.year - (month < 1) if last.year else None
            point.days = (Moment(year, (month - 1) % 12 + 1, point.days[0].day),)
        elif point.days and point.days[0].year is None and last.year is not None:
            day = point.days[0]
            late = (day.month or 0, day.day or 0) > (last.month or 0, last.day or 0)
            point.days = (replace(day, year=last.year - late),)


def _telling(text: str, seen: str, point: _Point, grammar: Grammar) -> Telling | None:
    moments = tuple(_moments(point))
    if not moments:
        return None
    start, end = point.words[0].start, point.words[-1].end
    end += seen[start:end].count("(") > seen[start:end].count(")") and seen[end : end + 1] == ")"
    weekday = point.first(WEEKDAY)
    return Telling(
        start,
        end,
        text[start:end],
        moments,
        weekday.weekday if weekday else None,
        begins=bool(grammar.since_before.search(seen[:start]) or grammar.since_after.match(seen[end:])),
    )


def _moments(point: _Point) -> Iterator[Moment]:
    """What the words may mean; nothing when they tell too little to be held to."""
    dated = [day for day in point.days if day.has_date]
    if dated and point.clocks:
        yield from (day.at(clock) for day, clock in product(dated, point.clocks))
    elif dated:
        yield from dated
    elif point.clocks and (point.days or point.first(RELATIVE)):
        # A day without its month, or tomorrow: the clock time at least must be one of the outage.
        yield from (day.at(clock) for day, clock in product(point.days or (Moment(),), point.clocks))
