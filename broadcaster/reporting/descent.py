"""The picture of the stale set: how it rises at each change, and falls to zero. Pure arithmetic.

The campaign from left to right, broken between the changes: a column for each, with the seconds since it on a
logarithmic axis that all columns share, so that a fall within a second is seen beside one that takes a day. A strip
for each channel, up to its own highest number. How many are left between two known points is not known: the line
stays up until the next one, so that nobody is promised more than is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log10
from typing import Any

from broadcaster.reporting.axis import AXIS, LEFT, RIGHT, WIDTH, Point, Tick, path
from broadcaster.reporting.correcting import channels_of, settled, what
from broadcaster.reporting.words import compact, span

MOST = 6
"""Columns of one picture; with more changes there are several, one below the other."""
TOGETHER = "all channels"
_HEAD = 46.0
_LABEL = 19.0
_PLOT = 40.0
_STRIP = _LABEL + _PLOT + 9.0
_GAP = 10.0
_BEFORE = 0.07
"""The part of a column that is before its change: what was left from the one before it."""
_LEAST = 3.0
"""The height of the smallest number: one person in ten million is still seen."""
_SHORTEST = 10.0
"""Seconds that the axis has at least."""
_BEYOND = 1.6
"""How much longer the axis is than the longest fall: it is seen that it ended."""
_TICKS = (1, 2, 5, 10, 60, 600, 3_600, 43_200, 86_400, 604_800)
_TICK_ROOM = 36.0
_LETTER = 7.4
"""The width of a digit in a label, in user units."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fall:
    """A channel's part of a column: the stale as an area under a line, and the band of those who were left.

    `next_x` is where the next change came, when that is within the axis.
    """

    x: float
    y: float
    width: float
    height: float
    line: str
    area: str
    band: str
    change_x: float
    next_x: float | None
    before: str
    after: str
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A channel's line of the picture."""

    name: str
    y: float
    falls: tuple[Fall, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above a column."""

    x: float
    title: str
    at: str


@dataclass(frozen=True, slots=True)
class Descent:
    """The picture of some changes one after the other; `words` tell it to who cannot see it."""

    width: float
    height: float
    base: float
    words: str
    heads: tuple[Head, ...]
    strips: tuple[Strip, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """The place of a change: from `left`, `width` wide; `seconds` is what the axis ends with."""

    left: float
    width: float
    seconds: float

    @property
    def change_x(self) -> float:
        return round(self.left + self.width * _BEFORE, 1)

    def x(self, seconds: float) -> float:
        share = min(1.0, log10(1 + seconds) / log10(1 + self.seconds))
        return round(self.change_x + share * (self.left + self.width - self.change_x), 1)


def descents(changes: Sequence[Row]) -> list[Descent]:
    """The pictures of all changes that made somebody stale, none when none did."""
    if not any(row["stale_before"] for row in changes):
        return []
    names = channels_of(changes)
    lanes = ({TOGETHER: list(changes)} if len(names) > 1 else {}) | {
        name: [row["channels"].get(name, _NOBODY) for row in changes] for name in names
    }
    pictures = -(-len(changes) // MOST)
    size = -(-len(changes) // pictures)
    seconds = _axis(changes)
    return [
        _picture(changes, lanes, range(first, min(first + size, len(changes))), size, seconds)
        for first in range(0, len(changes), size)
    ]


def _picture(
    changes: Sequence[Row], lanes: Mapping[str, Sequence[Row]], places: range, size: int, seconds: float
) -> Descent:
    pitch = (WIDTH - LEFT - RIGHT + _GAP) / size
    columns = {place: _Column(LEFT + pitch * order, pitch - _GAP, seconds) for order, place in enumerate(places)}
    strips = tuple(
        _strip(name, rows, changes, columns, _HEAD + _STRIP * order) for order, (name, rows) in enumerate(lanes.items())
    )
    base = _HEAD + _STRIP * len(strips)
    return Descent(
        width=WIDTH,
        height=base + AXIS,
        base=base,
        words=" ".join(_words(place, changes[place]) for place in places),
        heads=tuple(_head(place, changes[place], column) for place, column in columns.items()),
        strips=strips,
        ticks=tuple(tick for column in columns.values() for tick in _ticks(column)),
    )


def _strip(name: str, rows: Sequence[Row], changes: Sequence[Row], columns: Mapping[int, _Column], top: float) -> Strip:
    most = max(row["stale_before"] for row in rows)
    falls = []
    for place, column in columns.items():
        carried = rows[place - 1]["stale_after"] if place else 0
        lasts = _lasts(changes[place])
        falls.append(_fall(f"{name}, {_titled(place, changes[place])}", rows[place], carried, lasts, most, column, top))
    return Strip(name, top, tuple(falls))


def _fall(  # noqa: PLR0917 - a number of them, and where they are drawn
    title: str, row: Row, carried: int, lasts: float | None, most: int, column: _Column, top: float
) -> Fall:
    base = top + _LABEL + _PLOT
    end = column.seconds if lasts is None else min(lasts, column.seconds)
    points: list[Point] = [(round(column.left, 1), _y(carried, most, base))]
    for seconds, stale in _steps(row, end):
        points += [(column.x(seconds), points[-1][1]), (column.x(seconds), _y(stale, most, base))]
    points.append((column.x(end), points[-1][1]))
    left = _y(row["stale_after"], most, base)
    band = [(column.change_x, left), (column.x(end), left), (column.x(end), base), (column.change_x, base)]
    return Fall(
        x=round(column.left, 1),
        y=top + _LABEL,
        width=round(column.width, 1),
        height=_PLOT,
        line=path(points),
        area=path([*points, (column.x(end), base), (round(column.left, 1), base)], closed=True),
        band=path(band, closed=True) if row["stale_after"] else "",
        change_x=column.change_x,
        next_x=column.x(lasts) if lasts is not None and lasts < column.seconds else None,
        **_label(row, column.width),
        title=f"{title}: {row['stale_before']:,} stale, {row['stale_after']:,} left",
    )


def _steps(row: Row, end: float) -> Iterator[tuple[float, int]]:
    """Seconds since the change → how many are known to be left then; up at once, down when it is sure."""
    yield 0, row["stale_before"]
    for point in row["curve"]:
        if point["seconds"] < end:
            yield point["seconds"], point["stale"]
    yield end, row["stale_after"]


def _label(row: Row, width: float) -> dict[str, str]:
    """How many were stale and how many were left; shortened where the column is too narrow for the numbers."""
    before, after = (row["stale_before"], row["stale_after"])
    if not before:
        return {"before": "", "after": ""}
    texts = (f"{before:,}", f"{after:,}")
    if _LETTER * len(" → ".join(texts)) > width:
        texts = (compact(before), compact(after))
    return {"before": texts[0], "after": texts[1]}


def _axis(changes: Sequence[Row]) -> float:
    """How many seconds a column shows: until the slowest fall of a channel is over."""
    rows = [row for change in changes for row in change["channels"].values() if row["corrected"]]
    ends = [settled(row) or row["curve"][-1]["seconds"] for row in rows]
    return max([_SHORTEST, *(end * _BEYOND for end in ends)])


def _ticks(column: _Column) -> Iterator[Tick]:
    last = column.change_x - _TICK_ROOM / 1.5
    for seconds in _TICKS:
        x = column.x(seconds)
        if seconds <= column.seconds and x - last >= _TICK_ROOM:
            yield Tick(x, span(seconds))
            last = x


def _lasts(change: Row) -> float | None:
    """Seconds from a change to the next one; None when there is none yet."""
    if change["until"] is None:
        return None
    began, ended = (datetime.fromisoformat(change[name]) for name in ("applied_at", "until"))
    return (ended - began).total_seconds()


def _head(place: int, change: Row, column: _Column) -> Head:
    return Head(
        round(column.left, 1), _titled(place, change), f"{datetime.fromisoformat(change['applied_at']):%m-%d %H:%M}"
    )


def _titled(place: int, change: Row) -> str:
    return f"{place + 1} {what(change)}"


def _words(place: int, change: Row) -> str:
    before, after, seconds = change["stale_before"], change["stale_after"], settled(change)
    told = f", the last correction within {span(seconds)}" if change["corrected"] and seconds else ""
    return f"{_titled(place, change)}: {before:,} became stale, {after:,} were left{told}."


def _y(number: int, most: int, base: float) -> float:
    return round(base - max(_LEAST, _PLOT * number / most), 1) if number else base


_NOBODY: Row = {"stale_before": 0, "corrected": 0, "stale_after": 0, "curve": ()}
