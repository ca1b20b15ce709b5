"""Stacked bars: outcomes by channel, and the reasons of those who were not reached. Pure arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broadcaster.reporting.axis import LEFT, RIGHT, WIDTH
from broadcaster.reporting.consistency import OUTCOMES
from broadcaster.reporting.words import share_text, shortened

MOST_REASONS = 12
_WORDS = {"missing": "not accounted for"}
_LINE = 46.0
_THICK = 18.0
_LEAST = 3.0
"""User units that the smallest part of a bar has: one person in ten million is still seen."""
_REASON_LEFT = 400.0
_REASON_RIGHT = 120.0
_REASON_LINE = 30.0
_LONGEST = 46
"""Columns of a reason that fit beside its bar."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a part of a bar stands for, before it has a place."""

    name: str
    look: str
    number: int


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar; `look` is its class in the style sheet."""

    x: float
    width: float
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its name before it, its number behind or below it, and all of its name as a title."""

    y: float
    name: str
    text: str
    parts: tuple[Part, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """A picture of bars."""

    width: float
    height: float
    thick: float
    left: float
    bars: tuple[Bar, ...]
    others: int = 0


def outcomes(broadcasts: Sequence[Mapping[str, Any]]) -> Bars | None:
    """For each channel that had recipients, what became of all of them; whoever is not accounted for is `missing`."""
    sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys((*OUTCOMES, "missing"), 0))
    for row in broadcasts:
        for name in OUTCOMES:
            sums[row["channel"]][name] += row[name]
        sums[row["channel"]]["missing"] += max(0, row["recipients"] - sum(row[name] for name in OUTCOMES))
    counted = {channel: counts for channel, counts in sums.items() if any(counts.values())}
    bars = tuple(_outcome_bar(place, *pair) for place, pair in enumerate(counted.items()))
    return Bars(WIDTH, _LINE * len(bars), _THICK, LEFT, bars) if bars else None


def reasons(rows: Sequence[Mapping[str, Any]], looks: Mapping[str, str]) -> Bars | None:
    """The most frequent reasons, each with its channels; `looks` is each channel's class in the style sheet.

    `others` is how many recipients have a rarer one.
    """
    sums: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(looks, 0))
    for row in rows:
        sums[row["outcome"], row["reason"]][row["channel"]] += row["number"]
    ordered = sorted(sums.items(), key=lambda pair: -sum(pair[1].values()))
    if not ordered:
        return None
    shown, rest = ordered[:MOST_REASONS], ordered[MOST_REASONS:]
    most = sum(shown[0][1].values())
    bars = tuple(_reason_bar(place, key, _pieces(counts, looks), most) for place, (key, counts) in enumerate(shown))
    others = sum(sum(counts.values()) for _, counts in rest)
    return Bars(WIDTH, _REASON_LINE * len(bars), _THICK, _REASON_LEFT, bars, others)


def _outcome_bar(place: int, channel: str, counts: Mapping[str, int]) -> Bar:
    whole = sum(counts.values())
    words = (f"{_WORDS.get(name, name)} {n:,} ({share_text(n, whole)})" for name, n in counts.items() if n)
    pieces = [Piece(name, f"o-{name}", number) for name, number in counts.items()]
    return Bar(place * _LINE, channel, " · ".join(words), _parts(pieces, LEFT, WIDTH - LEFT - RIGHT))


def _reason_bar(place: int, key: tuple[str, str], pieces: Sequence[Piece], most: int) -> Bar:
    outcome, reason = key
    words = reason or "no reason was given"
    number = sum(piece.number for piece in pieces)
    room = (WIDTH - _REASON_LEFT - _REASON_RIGHT) * number / most
    parts = _parts(pieces, _REASON_LEFT, room)
    return Bar(
        place * _REASON_LINE, f"{outcome}: {shortened(words, _LONGEST)}", f"{number:,}", parts, f"{outcome}: {words}"
    )


def _pieces(counts: Mapping[str, int], looks: Mapping[str, str]) -> list[Piece]:
    return [Piece(channel, looks[channel], number) for channel, number in counts.items()]


def _parts(pieces: Sequence[Piece], left: float, room: float) -> tuple[Part, ...]:
    """Parts in proportion, but none too narrow to be seen; what these get more, the largest gives."""
    some = [piece for piece in pieces if piece.number]
    whole = sum(piece.number for piece in some)
    widths = [max(_LEAST, room * piece.number / whole) for piece in some]
    largest = max(range(len(some)), key=lambda index: some[index].number)
    widths[largest] = max(_LEAST, widths[largest] - (sum(widths) - room))
    found: list[Part] = []
    for piece, width in zip(some, widths, strict=True):
        title = f"{piece.name} {piece.number:,}"
        found.append(Part(round(left, 1), round(width, 1), piece.look, title))
        left += width
    return tuple(found)
