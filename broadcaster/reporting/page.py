"""The report as one static page for print: verdict, totals, a timeline picture, every broadcast, every reason.

Here is the arithmetic (positions in user units of the picture, shares in percent), in the template only the drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.reporting.report import COUNTERS

_PAGE = "report/report.html.j2"
_ABSENT = "–"
_OUTCOMES = ("accepted", "rejected", "unknown", "skipped")
"""Where each recipient is counted once; `delivered` and `failed` are receipts on top of these."""

_LOOKS = {
    BroadcastState.PLANNED: "due",
    BroadcastState.OPEN: "told",
    BroadcastState.CLOSED: "told",
    BroadcastState.SKIPPED: "never",
    BroadcastState.REVOKED: "never",
}

_WIDTH = 1200.0
_LEFT = 150.0
_RIGHT = 20.0
_RADIUS = 9.0
_PITCH = 2 * _RADIUS + 2
_LANE_PADDING = 8.0
_AXIS = 30.0
_MOST_TICKS = 18
_STEPS = tuple(timedelta(hours=h) for h in (1, 3, 6, 12)) + tuple(timedelta(days=d) for d in (1, 2, 7, 14, 28, 91, 364))


@dataclass(frozen=True, slots=True)
class Scale:
    """Local time along the picture: `start` is drawn at its left edge, `end` at its right one."""

    start: datetime
    end: datetime

    def x(self, instant: datetime) -> float:
        """Where an instant is drawn. By elapsed time, so that a clock change moves nothing."""
        share = (instant.timestamp() - self.start.timestamp()) / (self.end.timestamp() - self.start.timestamp())
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled line of the time axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A broadcast in the picture; `look` is `told`, `due` (yet to come) or `never` (skipped, revoked)."""

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


def write_html(data: Mapping[str, Any], path: Path, templates: Templates) -> None:
    """Write a report (of `reporting.report`, with or without a rehearsal's findings) as one self-contained page.

    Without `consistent` the page says that nobody checked. Raises InputError when a report template is wrong.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(templates.render(_PAGE, None, _values(data), keep_html=True) + "\n", encoding="utf-8")


def _values(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the report template sees."""
    broadcasts: Sequence[Mapping[str, Any]] = data["broadcasts"]
    problems: Sequence[str] = data.get("problems", ())
    totals = data["totals"]
    zone = ZoneInfo(data["announcement"]["zone"])
    return {
        "announcement": data["announcement"],
        "consistent": data.get("consistent"),
        "problems": [{"text": text, "row": broadcast_of(text, broadcasts)} for text in problems],
        "unknown": f"{totals['unknown']:,}" if totals["unknown"] else "",
        "totals": [_card(name, totals[name], totals["recipients"]) for name in COUNTERS],
        "sandbox": {name: f"{number:,}" for name, number in data.get("sandbox", {}).items()},
        "timeline": timeline(broadcasts, zone),
        "phases": [
            {"name": str(phase), "number": number}
            for number, phase in enumerate(Phase, 1)
            if any(row["phase"] == phase for row in broadcasts)
        ],
        "broadcasts": [_row(row, problems) for row in broadcasts],
        "outcomes": _OUTCOMES,
        "reasons": [{**row, "number": f"{row['number']:,}"} for row in data["reasons"]],
    }


def broadcast_of(problem: str, broadcasts: Iterable[Mapping[str, Any]]) -> str:
    """The id of the listed broadcast that a problem is about, or ""."""
    return next((row["id"] for row in broadcasts if problem.startswith(f"{row['id']}:")), "")


def share_text(part: int, whole: int) -> str:
    """A share in percent that never says all or nothing when it is only nearly so."""
    if not whole:
        return _ABSENT
    if part in (0, whole):
        return "100%" if part else "0%"
    percent = 100 * part / whole
    if percent < 0.1:
        return "<0.1%"
    return ">99.9%" if 99.9 < percent < 100 else f"{percent:.1f}%"


def proportions(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a broadcast's bar, in percent of its recipients; `missing` is whoever is not accounted for."""
    counts = {name: row[name] for name in _OUTCOMES}
    counts["missing"] = max(0, row["recipients"] - sum(counts.values()))
    whole = sum(counts.values())
    return [
        {"name": name, "percent": round(100 * number / whole, 3), "label": f"{name} {number:,}"}
        for name, number in counts.items()
        if number
    ]


def timeline(broadcasts: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Timeline | None:
    """The picture of when each channel told what; None when there is nothing to draw."""
    if not broadcasts:
        return None
    scale = scale_of([datetime.fromisoformat(row["due_at"]) for row in broadcasts], zone)
    lanes: list[Lane] = []
    top = 0.0
    for channel in dict.fromkeys(row["channel"] for row in broadcasts):
        lane = _lane(channel, [row for row in broadcasts if row["channel"] == channel], scale, top)
        lanes.append(lane)
        top += lane.height
    return Timeline(_WIDTH, top + _AXIS, _RADIUS, tuple(ticks(scale)), tuple(lanes))


def scale_of(instants: Sequence[datetime], zone: ZoneInfo) -> Scale:
    """A scale over all instants, with a little room (2%, at least an hour) at both ends."""
    first, last = min(instants).astimezone(zone), max(instants).astimezone(zone)
    room = max(timedelta(hours=1), (last - first) / 50)
    return Scale(first - room, last + room)


def ticks(scale: Scale) -> Iterable[Tick]:
    """Lines at round local times, the finest step that leaves room for the labels; the first of a year is in full."""
    step = next((step for step in _STEPS if (scale.end - scale.start) / step <= _MOST_TICKS), _STEPS[-1])
    local = scale.start.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    year = None
    while local <= scale.end:
        if local >= scale.start:
            yield Tick(scale.x(local), _tick_label(local, in_full=local.year != year))
            year = local.year
        local += step if local >= scale.start else min(step, timedelta(days=1))


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
    return Dot(x, y, str(phase), list(Phase).index(phase) + 1, _LOOKS[BroadcastState(row["state"])], title)


def _tick_label(local: datetime, *, in_full: bool) -> str:
    """Midnight is a date, another hour a clock time; in full still short enough for the narrowest step."""
    if (local.hour, local.minute) == (0, 0):
        return f"{local:%Y-%m-%d}" if in_full else f"{local:%m-%d}"
    return f"{local:%m-%d %H:%M}" if in_full else f"{local:%H:%M}"


def _card(name: str, number: int, recipients: int) -> dict[str, Any]:
    return {"name": name, "number": f"{number:,}", "share": share_text(number, recipients), "none": not number}


def _row(row: Mapping[str, Any], problems: Iterable[str]) -> dict[str, Any]:
    """A broadcast as the table shows it."""
    late = row["lateness_seconds"]
    return {
        **row,
        "counts": [{"name": name, "text": f"{row[name]:,}", "none": not row[name]} for name in COUNTERS],
        "bar": proportions(row),
        "due": moment(row["due_at"]),
        "sent": sent(row),
        "expires": moment(row["expires_at"]),
        "late": _ABSENT if late is None else f"{late:,.1f}",
        "look": _LOOKS[BroadcastState(row["state"])],
        "problems": [text.partition(": ")[2] for text in problems if text.startswith(f"{row['id']}:")],
    }


def moment(iso: str) -> str:
    """A local time as it is read: 2022-02-18 10:00, with seconds only where there are some."""
    instant = datetime.fromisoformat(iso)
    return f"{instant:%Y-%m-%d %H:%M:%S}" if instant.second else f"{instant:%Y-%m-%d %H:%M}"


def sent(row: Mapping[str, Any]) -> str:
    """From opened to closed, by the clock; with a date where it is another day than the time before it."""
    day = datetime.fromisoformat(row["due_at"]).date()
    times = []
    for iso in (row["opened_at"], row["closed_at"]):
        instant = datetime.fromisoformat(iso) if iso else None
        if instant is None:
            times.append("")
            continue
        times.append(f"{instant:%H:%M:%S}" if instant.date() == day else f"{instant:%m-%d %H:%M:%S}")
        day = instant.date()
    return _ABSENT if times == ["", ""] else f"{times[0]} – {times[1]}".strip()
