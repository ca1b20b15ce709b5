"""An announcement's times: what was planned first, what it was revised to and when, and what really happened. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.planning.windows import ApprovedWindow, told_apart
from broadcaster.reporting.words import ABSENT, moment


@dataclass(frozen=True, slots=True)
class Actual:
    """When the outage really began and ended, and when it was called off; None for what did not happen."""

    start: datetime | None = None
    end: datetime | None = None
    cancelled: datetime | None = None


def times(approved: Sequence[ApprovedWindow], actual: Actual, zone: ZoneInfo) -> dict[str, Any]:
    """`{planned: {start, end}, revised: [{revision, approved_at, start, end}], actual: {start, end, cancelled}}`.

    `approved` is every approved window in the order of approval; `planned` is None while there is none. Times are
    ISO 8601 in `zone`.
    """
    kept = told_apart(approved)
    return {
        "planned": _window(kept[0], zone) if kept else None,
        "revised": [
            {"revision": row.revision, "approved_at": _local(row.approved_at, zone), **_window(row, zone)}
            for row in kept[1:]
        ],
        "actual": {name: _local(getattr(actual, name), zone) for name in ("start", "end", "cancelled")},
    }


def lines(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """The times as people read them, a line each: what, start, end, and a note."""
    planned, actual = data["planned"], data["actual"]
    found = [_line("planned", planned, "")] if planned else []
    found += [
        _line("revised", row, f"revision {row['revision']}, approved {moment(row['approved_at'])}")
        for row in data["revised"]
    ]
    cancelled = f"cancelled {moment(actual['cancelled'])}" if actual["cancelled"] else ""
    happened = actual["start"] or cancelled
    return [*found, _line("actual", actual, cancelled)] if happened else found


def _line(what: str, row: Mapping[str, Any], note: str) -> dict[str, str]:
    start, end = (moment(row[name]) if row[name] else ABSENT for name in ("start", "end"))
    return {"what": what, "start": start, "end": end, "note": note}


def _window(row: ApprovedWindow, zone: ZoneInfo) -> dict[str, str | None]:
    return {"start": _local(row.start, zone), "end": _local(row.end, zone)}


def _local(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return instant.astimezone(zone).isoformat(timespec="seconds") if instant else None
