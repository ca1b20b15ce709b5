"""The picture of how many were told so far: a curve a channel over the whole campaign. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from broadcaster.reporting.axis import AXIS, LEFT, RIGHT, WIDTH, Point, Scale, Tick, path, ticks

_HEIGHT = 64.0
_PADDING = 12.0

Progress = Mapping[str, Sequence[Mapping[str, Any]]]
"""Broadcast → the points of `reporting.report`: an instant, and how many had each outcome by then."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A channel's strip: its line, the area below it, and how many acceptances its right end stands for."""

    channel: str
    top: float
    height: float
    line: str
    area: str
    total: str


@dataclass(frozen=True, slots=True)
class Told:
    """The whole picture."""

    width: float
    height: float
    ticks: tuple[Tick, ...]
    curves: tuple[Curve, ...]


def told(broadcasts: Sequence[Mapping[str, Any]], progress: Progress, scale: Scale) -> Told | None:
    """One strip for each channel on which somebody was told something; None when nobody was."""
    curves: list[Curve] = []
    for channel in dict.fromkeys(row["channel"] for row in broadcasts):
        rises = _rises([progress.get(row["id"], ()) for row in broadcasts if row["channel"] == channel])
        if rises:
            curves.append(_curve(channel, rises, scale, top=_HEIGHT * len(curves)))
    return Told(WIDTH, _HEIGHT * len(curves) + AXIS, tuple(ticks(scale)), tuple(curves)) if curves else None


def _rises(several: Sequence[Sequence[Mapping[str, Any]]]) -> list[tuple[datetime, int]]:
    """When and by how many the accepted ones of several broadcasts became more."""
    steps = [
        (datetime.fromisoformat(after["at"]), after["accepted"] - before["accepted"])
        for points in several
        for before, after in pairwise(points)
    ]
    return sorted((at, more) for at, more in steps if more)


def _curve(channel: str, rises: Sequence[tuple[datetime, int]], scale: Scale, top: float) -> Curve:
    total = sum(more for _, more in rises)
    base, room = top + _HEIGHT - _PADDING / 2, _HEIGHT - 1.5 * _PADDING
    points: list[Point] = [(LEFT, base)]
    so_far = 0
    for at, more in rises:
        so_far += more
        x, y = scale.x(at), round(base - room * so_far / total, 1)
        points += [(x, points[-1][1]), (x, y)]
    points.append((WIDTH - RIGHT, points[-1][1]))
    area = [*points, (WIDTH - RIGHT, base), (LEFT, base)]
    return Curve(channel, top, _HEIGHT, path(points), path(area, closed=True), f"{total:,}")
