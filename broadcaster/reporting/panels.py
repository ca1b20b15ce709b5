"""Small pictures of single broadcasts: who was accounted for, from opened to closed. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcaster.reporting.axis import WIDTH, path
from broadcaster.reporting.consistency import OUTCOMES
from broadcaster.reporting.told import Progress
from broadcaster.reporting.words import span

MOST = 12
_LEAST_SHARE = 0.01
"""A broadcast with fewer recipients than this share of the largest one's has no panel beside it."""
_COLUMNS = 4
_GAP = 24.0
_PANEL = (WIDTH - _GAP * (_COLUMNS - 1)) / _COLUMNS
_HEAD = 40.0
_PLOT = 84.0
_FOOT = 34.0


@dataclass(frozen=True, slots=True)
class Band:
    """An outcome's share of a panel."""

    outcome: str
    path: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A broadcast: its place in the picture, what is written around it, and its bands."""

    x: float
    y: float
    title: str
    caption: str
    first: str
    last: str
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Panels:
    """The picture of the largest broadcasts; `others` is how many more were opened."""

    width: float
    height: float
    panel: float
    plot: float
    panels: tuple[Panel, ...]
    others: int


def panels(broadcasts: Sequence[Mapping[str, Any]], progress: Progress) -> Panels | None:
    """The largest broadcasts that were opened, by due time; None when none was."""
    opened = [row for row in broadcasts if row["recipients"] and progress.get(row["id"])]
    if not opened:
        return None
    ordered = sorted(opened, key=lambda row: (-row["recipients"], row["due_at"]))
    least = _LEAST_SHARE * ordered[0]["recipients"]
    shown = sorted(
        (row for row in ordered[:MOST] if row["recipients"] >= least), key=lambda row: (row["due_at"], row["channel"])
    )
    drawn = tuple(_panel(row, progress[row["id"]], place) for place, row in enumerate(shown))
    lines = -(-len(shown) // _COLUMNS)
    return Panels(WIDTH, lines * (_HEAD + _PLOT + _FOOT), _PANEL, _PLOT, drawn, len(opened) - len(shown))


def _panel(row: Mapping[str, Any], points: Sequence[Mapping[str, Any]], place: int) -> Panel:
    line, column = divmod(place, _COLUMNS)
    zone = datetime.fromisoformat(row["due_at"]).tzinfo
    first, last = (datetime.fromisoformat(points[end]["at"]).astimezone(zone) for end in (0, -1))
    took = span((last - first).total_seconds())
    state = f"in {took}" if row["closed_at"] else f"open for {took}"
    return Panel(
        x=round(column * (_PANEL + _GAP), 1),
        y=line * (_HEAD + _PLOT + _FOOT) + _HEAD,
        title=f"{row['channel']} · {row['phase']} · {datetime.fromisoformat(row['due_at']):%m-%d %H:%M}",
        caption=f"{row['accounted']:,} of {row['recipients']:,} {state}",
        first=f"{first:%H:%M:%S}",
        last=f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%m-%d %H:%M:%S}",
        bands=tuple(_bands(points, max(row["recipients"], row["accounted"]))),
    )


def _bands(points: Sequence[Mapping[str, Any]], whole: int) -> list[Band]:
    """The outcomes laid on each other; the height of the plot is everybody."""
    found: list[Band] = []
    xs = [round(_PANEL * step / (len(points) - 1), 1) for step in range(len(points))]
    below = [0] * len(points)
    for outcome in OUTCOMES:
        if not points[-1][outcome]:
            continue
        above = [low + point[outcome] for low, point in zip(below, points, strict=True)]
        edge = [(x, _y(number, whole)) for x, number in zip(xs, above, strict=True)]
        floor = [(x, _y(number, whole)) for x, number in zip(xs, below, strict=True)]
        found.append(Band(outcome, path([*edge, *reversed(floor)], closed=True)))
        below = above
    return found


def _y(number: int, whole: int) -> float:
    return round(_PLOT * (1 - number / whole), 1)
