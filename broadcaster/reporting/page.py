"""The report as one static page for print: verdict, totals, pictures, every broadcast, every reason.

The pictures' arithmetic is in `descent`, `timeline`, `told`, `panels`, `bars` and `histogram`, what is said of changes
in `correcting`; the templates only draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.reporting import asked, bars, shown, times
from broadcaster.reporting.axis import Scale, scale_of
from broadcaster.reporting.consistency import OUTCOMES
from broadcaster.reporting.correcting import correcting, still_stale
from broadcaster.reporting.descent import descents
from broadcaster.reporting.histogram import histogram
from broadcaster.reporting.panels import panels
from broadcaster.reporting.report import COUNTERS
from broadcaster.reporting.timeline import LOOKS, timeline
from broadcaster.reporting.told import Progress, told
from broadcaster.reporting.words import ABSENT, moment, sent, share_text

_PAGE = "report/report.html.j2"
_CHANNEL_LOOKS = 6
"""Classes `ch-0`, `ch-1`, … of the style sheet."""


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
    return {
        "announcement": data["announcement"],
        "holds": [{**hold, "since": moment(hold["at"])} for hold in data.get("holds", ())],
        "consistent": data.get("consistent"),
        "purged": moment(purged) if (purged := data["announcement"].get("purged_at")) else "",
        "times": times.lines(data["times"]),
        "asked": [{**row, "when": moment(row["at"]), "says": asked.sentence(row)} for row in data["asked"]],
        "under_way": sum(row["state"] == BroadcastState.OPEN for row in broadcasts),
        "problems": [{"text": text, "row": broadcast_of(text, broadcasts)} for text in problems],
        "unknown": f"{totals['unknown']:,}" if totals["unknown"] else "",
        "totals": [_card(name, totals[name], totals["recipients"]) for name in COUNTERS],
        "correcting": correcting(data),
        "stale": still_stale(data.get("stale", ())),
        "sandbox": {name: f"{number:,}" for name, number in data.get("sandbox", {}).items()},
        "pictures": _pictures(data),
        "phases": [
            {"name": str(phase), "number": number}
            for number, phase in enumerate(Phase, 1)
            if any(row["phase"] == phase for row in broadcasts)
        ],
        "broadcasts": [_row(row, problems) for row in broadcasts],
        "outcomes": OUTCOMES,
        **shown.values(data),
        "reasons": [{**row, "number": f"{row['number']:,}"} for row in data["reasons"]],
    }


def _pictures(data: Mapping[str, Any]) -> dict[str, Any]:
    """Every picture, None where there is nothing to draw; a channel looks the same in all of them."""
    broadcasts: Sequence[Mapping[str, Any]] = data["broadcasts"]
    progress: Progress = data.get("progress", {})
    channels = sorted({row["channel"] for row in broadcasts})
    looks = {channel: f"ch-{number % _CHANNEL_LOOKS}" for number, channel in enumerate(channels)}
    scale = _scale(broadcasts, progress, ZoneInfo(data["announcement"]["zone"]))
    return {
        "looks": looks,
        "descents": descents(data.get("changes", ())),
        "timeline": timeline(broadcasts, scale) if scale else None,
        "told": told(broadcasts, progress, scale) if scale else None,
        "panels": panels(broadcasts, progress),
        "outcomes": bars.outcomes(broadcasts),
        "reasons": bars.reasons(data["reasons"], looks),
        "lateness": histogram(data.get("lateness", ()), looks),
    }


def _scale(broadcasts: Sequence[Mapping[str, Any]], progress: Progress, zone: ZoneInfo) -> Scale | None:
    """The time axis that the pictures of the whole campaign share."""
    due = [row["due_at"] for row in broadcasts]
    ended = [points[-1]["at"] for points in progress.values() if points]
    return scale_of([datetime.fromisoformat(iso) for iso in (*due, *ended)], zone) if due else None


def broadcast_of(problem: str, broadcasts: Iterable[Mapping[str, Any]]) -> str:
    """The id of the listed broadcast that a problem is about, or ""."""
    return next((row["id"] for row in broadcasts if problem.startswith(f"{row['id']}:")), "")


def proportions(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a broadcast's bar, in percent of its recipients; `missing` is whoever is not accounted for."""
    counts = {name: row[name] for name in OUTCOMES}
    counts["missing"] = max(0, row["recipients"] - sum(counts.values()))
    whole = sum(counts.values())
    return [
        {"name": name, "percent": round(100 * number / whole, 3), "label": f"{name} {number:,}"}
        for name, number in counts.items()
        if number
    ]


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
        "late": ABSENT if late is None else f"{late:,.1f}",
        "look": LOOKS[BroadcastState(row["state"])],
        "problems": [text.partition(": ")[2] for text in problems if text.startswith(f"{row['id']}:")],
    }
