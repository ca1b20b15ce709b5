"""The lateness histogram: how long after its due time each message was accepted. Pure arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broadcaster.planning.lateness import BOUNDS
from broadcaster.reporting.axis import LEFT, RIGHT, WIDTH
from broadcaster.reporting.words import compact, share_text, span

_PLOT = 190.0
_TOP = 26.0
_FOOT = 46.0
_LEAST = 3.0
"""The height of the smallest block: one late message among millions is still seen."""
_ROOMY = 85.0
"""A column this wide has room for a number in full."""
_BEYOND = len(BOUNDS)


@dataclass(frozen=True, slots=True)
class Block:
    """A channel's part of a column; `look` is its class in the style sheet."""

    y: float
    height: float
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Column:
    """A bucket: up to how late, how many, and who."""

    x: float
    width: float
    top: float
    label: str
    number: str
    share: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """The picture, and in words by when half, 99 % and all of them were accepted."""

    width: float
    height: float
    left: float
    base: float
    columns: tuple[Column, ...]
    summary: tuple[tuple[str, str], ...]


def histogram(rows: Sequence[Mapping[str, Any]], looks: Mapping[str, str]) -> Histogram | None:
    """From the first bucket to the last one that holds somebody; None when nobody was told anything.

    `looks` is each channel's class in the style sheet.
    """
    counts: defaultdict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(looks, 0))
    for row in rows:
        counts[_index(row["at_most_seconds"])][row["channel"]] += row["number"]
    if not counts:
        return None
    places = range(max(0, min(counts) - 1), max(counts) + 1)
    most = max(sum(counts[place].values()) for place in places)
    pitch = min(110.0, (WIDTH - LEFT - RIGHT) / len(places))
    whole = sum(sum(of_channel.values()) for of_channel in counts.values())
    columns = tuple(
        _column(
            place,
            _blocks(counts[place], looks, most),
            LEFT + pitch * order,
            pitch,
            (sum(counts[place].values()), whole),
        )
        for order, place in enumerate(places)
    )
    return Histogram(WIDTH, _TOP + _PLOT + _FOOT, LEFT, _TOP + _PLOT, columns, _summary(counts, whole))


def _column(place: int, blocks: tuple[Block, ...], x: float, pitch: float, sizes: tuple[int, int]) -> Column:
    number, whole = sizes
    top = blocks[-1].y if blocks else _TOP + _PLOT
    label = f"> {span(BOUNDS[-1])}" if place == _BEYOND else f"≤ {span(BOUNDS[place])}"
    text = f"{number:,}" if pitch >= _ROOMY else compact(number)
    texts = (text, share_text(number, whole)) if number else ("", "")
    return Column(round(x + 3, 1), round(pitch - 6, 1), top, label, *texts, blocks)


def _blocks(counts: Mapping[str, int], looks: Mapping[str, str], most: int) -> tuple[Block, ...]:
    """A column's parts from the bottom; `most` is what the highest column stands for."""
    found: list[Block] = []
    y = _TOP + _PLOT
    for channel, number in counts.items():
        if number:
            height = max(_LEAST, round(_PLOT * number / most, 1))
            y -= height
            found.append(Block(round(y, 1), height, looks[channel], f"{channel} {number:,}"))
    return tuple(found)


def _summary(counts: Mapping[int, Mapping[str, int]], whole: int) -> tuple[tuple[str, str], ...]:
    """(share, by when): a bucket's upper bound, so that nobody is promised more than is known."""
    found: list[tuple[str, str]] = []
    for name, share in (("half", 0.5), ("99%", 0.99), ("all", 1.0)):
        so_far = 0
        for place in sorted(counts):
            so_far += sum(counts[place].values())
            if so_far >= share * whole:
                by = f"later than {span(BOUNDS[-1])}" if place == _BEYOND else f"within {span(BOUNDS[place])}"
                found.append((name, by))
                break
    return tuple(found)


def _index(at_most_seconds: float | None) -> int:
    return _BEYOND if at_most_seconds is None else BOUNDS.index(at_most_seconds)
