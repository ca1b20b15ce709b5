"""The report of an announcement: every broadcast with its outcomes, and totals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.reporting.consistency import Account
from broadcaster.storage import announcements, broadcasts, ledger

COUNTERS = ("recipients", "accepted", "delivered", "failed", "rejected", "unknown", "skipped")


def report(connection: Connection, slug: str) -> dict[str, Any]:
    """Announcement, totals and broadcasts as plain data; times are ISO 8601 in the announcement's zone."""
    standing = announcements.find(connection, slug)
    zone = ZoneInfo(standing.zone) if standing else ZoneInfo("UTC")
    rows = broadcasts.rows_of(connection, slug)
    return {
        "announcement": {
            "slug": slug,
            "state": str(standing.state) if standing else None,
            "paused": standing.paused if standing else False,
            "revision": standing.approved_revision if standing else None,
            "zone": zone.key,
        },
        "totals": {name: sum(getattr(row, name) for row in rows) for name in COUNTERS},
        "broadcasts": [broadcast_data(row, zone) for row in rows],
        "reasons": [
            {"channel": row.channel, "outcome": row.outcome, "reason": row.reason, "number": row.number}
            for row in ledger.reasons(connection, slug)
        ],
    }


def broadcast_data(row: Row[Any], zone: ZoneInfo) -> dict[str, Any]:
    """One broadcast as plain data; `lateness_seconds` is from due to closed, in campaign time."""
    return {
        "id": row.id,
        "phase": row.phase,
        "channel": row.channel,
        "occurrence": row.occurrence,
        "revision": row.revision,
        "state": row.state,
        "reason": row.reason,
        "note": row.note,
        "due_at": _local(row.due_at, zone),
        "expires_at": _local(row.expires_at, zone),
        "opened_at": _local(row.opened_at, zone),
        "closed_at": _local(row.closed_at, zone),
        "lateness_seconds": round((row.closed_at - row.due_at).total_seconds(), 3) if row.closed_at else None,
        **{name: getattr(row, name) for name in COUNTERS},
    }


def accounts(connection: Connection, slug: str, now: datetime) -> list[Account]:
    """Every broadcast with its ledger, for the consistency check at `now`, campaign time."""
    return [
        Account(
            id=row.id,
            state=row.state,
            recipients=row.recipients,
            accepted=row.accepted,
            rejected=row.rejected,
            unknown=row.unknown,
            skipped=row.skipped,
            outcomes=dict(ledger.outcomes(connection, row.id)),
            due=row.due_at <= now,
        )
        for row in broadcasts.rows_of(connection, slug)
    ]


def _local(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return instant.astimezone(zone).isoformat(timespec="seconds") if instant else None
