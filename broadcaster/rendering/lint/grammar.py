"""Grammars: how people write times and numbers in a language, as data. A further language is a further table entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from re import Pattern

DAY, CLOCK, WEEKDAY, RELATIVE = "day", "clock", "weekday", "relative"
"""Kinds of words that tell a time."""

Kinds = tuple[str, str]
"""Two kinds that follow one another."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language. Patterns see a text whose full-width letters and digits are plain ones.

    `days` have the groups year, month and day, `clocks` hour, minute, half, part and word; only the group that is
    there counts. `links` says what may stand between two words of one time, `firm_links` which of them bind harder.
    """

    days: tuple[Pattern[str], ...]
    clocks: tuple[Pattern[str], ...]
    weekdays: Pattern[str]
    """With the group weekday."""
    relative: Pattern[str]
    """Days that count from the day of reading: today, tomorrow."""
    number: Callable[[str], int]
    """The value of a numeral; raises ValueError."""
    months: Mapping[str, int]
    """Month words by their first three letters, in small letters; a month that is a number needs none."""
    weekday_names: Mapping[str, int]
    """The group weekday in small letters, 0 for Monday."""
    parts: Mapping[str, Callable[[int], int]]
    """Part of the day → what it makes of an hour."""
    words: Mapping[str, tuple[int, ...]]
    """A clock time that is a word → its minutes; several when people mean either."""
    halves: Mapping[str, int]
    """A word for a part of an hour → its minutes."""
    links: Mapping[Kinds, Pattern[str]]
    firm_links: Mapping[Kinds, Pattern[str]]
    through: Pattern[str]
    """From one time to another."""
    beside: Pattern[str]
    """One time and another."""
    since_before: Pattern[str]
    """What makes the time after it a beginning."""
    since_after: Pattern[str]
    """What makes the time before it a beginning."""
    number_cue: Pattern[str]
    """What says, before it, that a number is one to call."""
    number_cue_after: Pattern[str]
    """What says so after it."""
    counted: Pattern[str]
    """What follows a number that only counts something."""
    and_more: Pattern[str]
    """What leaves a list open, as a text in small letters without spaces has it."""
    understands_its_zone: bool = False
    """Whether readers take the zone for granted where there is little room."""
