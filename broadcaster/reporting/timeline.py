"""The timeline picture: when each channel was to tell what. Pure arithmetic; the template draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.phase import Phase
from broadcaster.reporting.axis import AXIS, WIDTH, Scale, Tick, ticks
from broadcaster.reporting.words import moment

LOOKS = {
    BroadcastState.PLANNED: "due",
    BroadcastState.OPEN: "told",
    BroadcastState.CLOSED: "told",
    BroadcastState.SKIPPED: "never",
    BroadcastState.REVOKED: "never",
}
"""How a broadcast of each state is shown: `told`, `due` (yet to come) or `never` (skipped, revoked)."""

_RADIUS = 9.0
_PITCH = 2 * _RADIUS + 2
_LANE_PADDING = 8.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A broadcast in the picture, in one of `LOOKS`."""

    x: float
    y: float
    phase: str
    number: int
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A channel's strip of the picture."""

    channel: str
    top: float
    height: float
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture."""

    width: float
    height: float
    radius: float
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]


def timeline(broadcasts: Sequence[Mapping[str, Any]], scale: Scale) -> Timeline:
    """The picture of some broadcasts, each at its due time."""
    lanes: list[Lane] = []
    top = 0.0
    for channel in dict.fromkeys(row["channel"] for row in broadcasts):
        lane = _lane(channel, [row for row in broadcasts if row["channel"] == channel], scale, top)
        lanes.append(lane)
        top += lane.height
    return Timeline(WIDTH, top + AXIS, _RADIUS, tuple(ticks(scale)), tuple(lanes))


def stack(positions: Sequence[float]) -> list[int]:
    """For each position, ascending, the first row of a lane where its dot covers no other."""
    ends: list[float] = []
    rows: list[int] = []
    for x in positions:
        row = next((row for row, end in enumerate(ends) if x >= end), len(ends))
        ends[row : row + 1] = [x + _PITCH]
        rows.append(row)
    return rows


def _lane(channel: str, broadcasts: Sequence[Mapping[str, Any]], scale: Scale, top: float) -> Lane:
    ordered = sorted(((scale.x(datetime.fromisoformat(row["due_at"])), row) for row in broadcasts), key=lambda p: p[0])
    rows = stack([x for x, _ in ordered])
    first = top + _LANE_PADDING + _PITCH / 2
    dots = tuple(_dot(row, x, first + _PITCH * level) for (x, row), level in zip(ordered, rows, strict=True))
    return Lane(channel, top, _PITCH * (max(rows) + 1) + 2 * _LANE_PADDING, dots)


def _dot(row: Mapping[str, Any], x: float, y: float) -> Dot:
    phase = Phase(row["phase"])
    title = f"{moment(row['due_at'])} · {row['channel']} · {phase} · {row['state']}"
    return Dot(x, y, str(phase), list(Phase).index(phase) + 1, LOOKS[BroadcastState(row["state"])], title)
