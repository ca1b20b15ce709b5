"""The axes of the report's pictures: positions in user units of a picture that is `WIDTH` wide. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WIDTH = 1200.0
LEFT = 150.0
"""Room for the names of the lanes."""
RIGHT = 20.0
AXIS = 30.0
"""Room for the labels below."""
_MOST_TICKS = 18
_STEPS = tuple(timedelta(hours=h) for h in (1, 3, 6, 12)) + tuple(timedelta(days=d) for d in (1, 2, 7, 14, 28, 91, 364))

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """Local time along a picture: `start` is drawn at its left edge, `end` at its right one."""

    start: datetime
    end: datetime

    def x(self, instant: datetime) -> float:
        """Where an instant is drawn. By elapsed time, so that a clock change moves nothing."""
        share = (instant.timestamp() - self.start.timestamp()) / (self.end.timestamp() - self.start.timestamp())
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled line of the time axis."""

    x: float
    label: str


def scale_of(instants: Sequence[datetime], zone: ZoneInfo) -> Scale:
    """A scale over all instants, with a little room (2%, at least an hour) at both ends."""
    first, last = min(instants).astimezone(zone), max(instants).astimezone(zone)
    room = max(timedelta(hours=1), (last - first) / 50)
    return Scale(first - room, last + room)


def ticks(scale: Scale) -> Iterator[Tick]:
    """Lines at round local times, the finest step that leaves room for the labels; the first of a year is in full."""
    step = next((step for step in _STEPS if (scale.end - scale.start) / step <= _MOST_TICKS), _STEPS[-1])
    local = scale.start.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    year = None
    while local <= scale.end:
        if local >= scale.start:
            yield Tick(scale.x(local), _tick_label(local, in_full=local.year != year))
            year = local.year
        local += step if local >= scale.start else min(step, timedelta(days=1))


def path(points: Iterable[Point], *, closed: bool = False) -> str:
    """The outline through points, as an SVG path."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + ("Z" if closed else "")


def _tick_label(local: datetime, *, in_full: bool) -> str:
    """Midnight is a date, another hour a clock time; in full still short enough for the narrowest step."""
    if (local.hour, local.minute) == (0, 0):
        return f"{local:%Y-%m-%d}" if in_full else f"{local:%m-%d}"
    return f"{local:%m-%d %H:%M}" if in_full else f"{local:%H:%M}"
