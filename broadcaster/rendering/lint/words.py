"""Time words: where a text has a day, a clock time, a weekday or a relative day, and what each may mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from re import Match, Pattern

from broadcaster.rendering.lint.grammar import CLOCK, DAY, RELATIVE, WEEKDAY, Grammar
from broadcaster.rendering.lint.moment import Moment

_PLAIN = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20, 0x202F: 0x20}
_OFFSET = re.compile(r"(?:UTC|GMT)\s?[+\-−–]\d{1,2}(?::?\d{2})?")
_ADDRESS = re.compile(r"https?://[^\s<>()\u2e80-\uffff]+|[\w.+-]+@[\w-]+\.[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Word:
    """A word that tells a time, at `[start, end)` of the text; `moments` are what it may mean."""

    kind: str
    start: int
    end: int
    moments: tuple[Moment, ...] = ()
    weekday: int | None = None
    halved: bool = False
    """Whether a clock time says in which part of the day it is."""


def plain(text: str) -> str:
    """The text with full-width letters, digits and spaces as plain ones; every character keeps its place."""
    return text.translate(_PLAIN)


def unread(text: str) -> str:
    """A plain text with addresses and offsets from UTC blanked out: their digits tell no time and call nobody."""
    for pattern in (_ADDRESS, _OFFSET):
        text = pattern.sub(lambda match: "\ufffc" * len(match[0]), text)
    return text


def time_words(text: str, grammar: Grammar) -> list[Word]:
    """The time words of a plain text in their order; none lies within another."""
    found: list[Word] = []
    for kind, patterns in (
        (DAY, grammar.days[: -_loose(grammar)]),
        (CLOCK, grammar.clocks),
        (DAY, grammar.days[-_loose(grammar) :]),
        (WEEKDAY, (grammar.weekdays,)),
        (RELATIVE, (grammar.relative,)),
    ):
        for word in _matches(kind, patterns, text, grammar):
            if all(word.end <= other.start or other.end <= word.start for other in found):
                found.append(word)
    return sorted(found, key=lambda word: word.start)


def _loose(grammar: Grammar) -> int:
    """How many of the day patterns, at their end, know no month: a clock time goes before these."""
    return sum("month" not in pattern.groupindex for pattern in grammar.days)


def _matches(kind: str, patterns: Iterable[Pattern[str]], text: str, grammar: Grammar) -> Iterator[Word]:
    for pattern in patterns:
        for match in pattern.finditer(text):
            word = _word(kind, match, grammar)
            if word:
                yield word


def _word(kind: str, match: Match[str], grammar: Grammar) -> Word | None:
    start, end = match.span()
    start += len(match[0]) - len(match[0].lstrip())
    end -= len(match[0]) - len(match[0].rstrip())
    if kind == DAY and match[0].endswith("."):
        end -= 1  # far more often a sentence's than a month's
    if kind == WEEKDAY:
        return Word(kind, start, end, weekday=grammar.weekday_names[match["weekday"].lower()])
    if kind == RELATIVE:
        return Word(kind, start, end)
    try:
        moments = _day(match, grammar) if kind == DAY else _clock(match, grammar)
    except (ValueError, KeyError):  # signs that make no numeral
        return None
    return Word(kind, start, end, moments, halved=bool(match.groupdict().get("part")))


def _day(match: Match[str], grammar: Grammar) -> tuple[Moment, ...]:
    said = match.groupdict()
    year, month = said.get("year"), said.get("month")
    return (
        Moment(
            year=grammar.number(year) if year else None,
            month=_month(month, grammar) if month else None,
            day=grammar.number(match["day"]),
        ),
    )


def _month(text: str, grammar: Grammar) -> int:
    named = grammar.months.get(text[:3].lower())
    return named if named is not None else grammar.number(text)


def _clock(match: Match[str], grammar: Grammar) -> tuple[Moment, ...]:
    said = match.groupdict()
    word = said.get("word")
    if word:
        return tuple(Moment(minutes=minutes) for minutes in grammar.words[word.lower()])
    hour = grammar.number(match["hour"])
    part, half, minute = said.get("part"), said.get("half"), said.get("minute") or said.get("bare")
    if part:
        hour = grammar.parts[re.sub(r"[.\s]", "", part).lower()](hour)
    minutes = grammar.halves[half] if half else grammar.number(minute) if minute else 0
    return (Moment(minutes=hour * 60 + minutes),)
