"""What operators were told of an announcement: which question to whom, when, and whether they accepted it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.reporting.words import moment


def asked(rows: Iterable[Any], zone: ZoneInfo) -> list[dict[str, Any]]:
    """Rows of `operator_events` as plain data, in their order.

    `lead` and `planned_end` are those of a question or an overrun, `broadcast` and `reason` those of one that halted.
    """
    return [
        {
            "type": row.kind,
            "announcement": row.slug,
            "operator": row.operator,
            **{name: row.data.get(name) for name in ("planned_end", "lead", "broadcast", "reason")},
            "at": _local(row.at, zone),
            "state": row.state,
            "ended_at": _local(row.ended_at, zone),
            "attempts": row.attempts,
            "trouble": row.trouble,
        }
        for row in rows
    ]


def newest(data: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The last question or overrun that each operator was told, and whatever waits; in order."""
    last = {row["operator"]: row for row in data if row["planned_end"]}
    return [row for row in data if row["state"] == "waiting" or row is last.get(row["operator"])]


def in_vain(data: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """What was tried, and no operator has accepted yet."""
    return (row for row in data if row["state"] == "waiting" and row["trouble"])


def sentence(row: Mapping[str, Any]) -> str:
    """One of them as people read it."""
    about = f"{row['lead']}, {moment(row['planned_end'])}" if row["planned_end"] else f"broadcast {row['broadcast']}"
    state = f"{row['state']} {moment(row['ended_at'])}" if row["ended_at"] else row["state"]
    return f"{row['type']} ({about}) · {row['operator']}: {state}"


def _local(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return instant.astimezone(zone).isoformat(timespec="seconds") if instant else None
