"""Measures: how large a text is in the unit that its medium counts in. Pure functions of text.

Sources: 3GPP TS 23.038 (the GSM 7-bit alphabet, and 160/153 septets a segment); UCS-2 has 70/67 units a segment.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")  # an escape and a septet each


class SmsEncoding(StrEnum):
    """The alphabet in which an SMS travels."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class SmsSize:
    """What an SMS costs: characters as people count them, units of its alphabet, and segments that are paid for."""

    encoding: SmsEncoding
    characters: int
    units: int
    segments: int


def sms_size(text: str) -> SmsSize:
    """Measure an SMS. One character outside the GSM alphabet turns the whole text into UCS-2."""
    if all(character in _GSM_BASIC or character in _GSM_EXTENDED for character in text):
        units = sum(2 if character in _GSM_EXTENDED else 1 for character in text)
        return SmsSize(SmsEncoding.GSM7, len(text), units, _segments(units, single=160, part=153))
    units = len(text.encode("utf-16-be")) // 2
    return SmsSize(SmsEncoding.UCS2, len(text), units, _segments(units, single=70, part=67))


def columns(text: str) -> int:
    """Width in columns: a Chinese character takes two, a Latin letter one, a combining mark none."""
    return sum(_width(character) for character in text)


def rows(text: str, per_row: int) -> int:
    """How many rows of `per_row` columns the lines of `text` fill on a screen that keeps words whole."""
    return sum(_rows_of_line(line, per_row) for line in text.splitlines())


_UNBROKEN = re.compile(r"\s+|[\u2e80-\uffff]|[^\s\u2e80-\uffff]+")
"""What a line may not be broken within: a Latin word, or one Chinese character."""


def _rows_of_line(line: str, per_row: int) -> int:
    filled, used = 1, 0
    for word in _UNBROKEN.findall(line):
        width = columns(word)
        if used + width <= per_row:
            used += width
        elif not word.isspace():
            over = math.ceil(width / per_row)  # a word longer than a row is broken after all
            filled += over if used else over - 1
            used = width - (over - 1) * per_row
    return filled


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _segments(units: int, *, single: int, part: int) -> int:
    return 1 if units <= single else math.ceil(units / part)
