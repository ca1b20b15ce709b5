"""The report of an announcement: every broadcast with its outcomes, totals, and what the ledger says of the time.

`standing` is cheap and may be asked every second; `report` reads the whole ledger of the announcement besides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.announcement.lifecycle import State
from broadcaster.channels.base import RecipientKind
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.lateness import BEYOND
from broadcaster.reporting import changes, false_statements, posts, staleness, surfaces
from broadcaster.reporting.asked import asked
from broadcaster.reporting.consistency import Account
from broadcaster.reporting.times import Actual, times
from broadcaster.storage import announcements, history, holds, ledger, operator_events, progress, windows

COUNTERS = ("recipients", "accepted", "delivered", "failed", "rejected", "unknown", "skipped")
Steps = Mapping[int, Mapping[str, int]]
"""Step of a broadcast's time → outcome → how many recipients."""


def standing(connection: Connection, slug: str, now: datetime) -> dict[str, Any]:
    """Announcement, holds, totals and broadcasts as plain data, live; times are ISO 8601 in the announcement's zone."""
    return _standing(connection, slug, progress.rows_of(connection, slug, now), now)


def _standing(connection: Connection, slug: str, rows: Sequence[Row[Any]], now: datetime) -> dict[str, Any]:
    found = announcements.find(connection, slug)
    zone = ZoneInfo(found.zone) if found else ZoneInfo("UTC")
    held = _holding(connection, slug, {row.id for row in rows})
    return {
        "announcement": {
            "slug": slug,
            "state": str(found.state) if found else None,
            "paused": any(hold.scope is not holds.Scope.BROADCAST for hold in held),
            "revision": found.approved_revision if found else None,
            "zone": zone.key,
            "purged_at": _local(found.purged_at, zone) if found else None,
        },
        "times": times(windows.approved(connection, [slug]).get(slug, ()), _actual(found), zone),
        "asked": asked(operator_events.of_announcement(connection, slug), zone),
        "stale": staleness.stale(connection, found) if found else [],
        "holds": [hold_data(hold, zone) for hold in held],
        "surfaces": surfaces.standing(connection, slug, zone),
        "posts": posts.standing(connection, slug, zone),
        "totals": {name: sum(getattr(row, name) for row in rows) for name in (*COUNTERS, "in_doubt")},
        "broadcasts": [broadcast_data(row, zone, now) for row in rows],
    }


def report(connection: Connection, slug: str, now: datetime) -> dict[str, Any]:
    """The standing, and from the ledger: changes, who is stale, reasons, how broadcasts progressed, how late they were.

    Ask it in a transaction that sees one moment, where counters and ledger are to be compared.
    """
    rows = progress.rows_of(connection, slug, now)
    counted: defaultdict[str, defaultdict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in history.progress(connection, slug, now):
        counted[row.broadcast_id][row.step][row.outcome] = row.number
    changed, found = changes.changes(connection, slug, now), announcements.find(connection, slug)
    return {
        **_standing(connection, slug, rows, now),
        "stale": staleness.stale_now(connection, found) if found else [],
        "changes": changed,
        "stale_recipient_minutes": changes.minutes(changed, frozenset({RecipientKind.PERSON})),
        **false_statements.stated(connection, slug, now),
        "reasons": [
            {"channel": row.channel, "outcome": row.outcome, "reason": row.reason, "number": row.number}
            for row in ledger.reasons(connection, slug)
        ],
        "progress": {
            row.id: points(row.opened_at, row.closed_at or now, counted[row.id]) for row in rows if row.opened_at
        },
        "lateness": [
            {"channel": channel, "at_most_seconds": None if bucket == BEYOND else float(bucket), "number": number}
            for channel, bucket, number in history.lateness(connection, slug)
        ],
    }


def broadcast_data(row: Row[Any], zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """One broadcast of `progress.rows_of` as plain data, at `now`, campaign time.

    `opened_late_seconds` is from due to opened, or to now while it is overdue; `lateness_seconds` from due to closed.
    """
    overdue = row.state == BroadcastState.PLANNED and row.due_at <= now
    return {
        "id": row.id,
        "phase": row.phase,
        "channel": row.channel,
        "occurrence": row.occurrence,
        "revision": row.revision,
        "state": row.state,
        "reason": row.reason,
        "note": row.note,
        "audience": row.audience,
        "among": row.among,
        "canary": row.canary,
        "retries": row.retries,
        "due_at": _local(row.due_at, zone),
        "expires_at": _local(row.expires_at, zone),
        "opened_at": _local(row.opened_at, zone),
        "closed_at": _local(row.closed_at, zone),
        "held_until": _local(row.held_until, zone),
        "retry_at": _local(row.retry_at, zone),
        "opened_late_seconds": _late(row.due_at, row.opened_at or (now if overdue else None)),
        "lateness_seconds": _late(row.due_at, row.closed_at),
        **{name: getattr(row, name) for name in COUNTERS},
        "accounted": sum(getattr(row, name) for name in progress.OUTCOMES),
        "in_doubt": row.in_doubt,
        "batches": {name: getattr(row, name) for name in progress.CONDITIONS},
    }


def hold_data(hold: holds.Hold, zone: ZoneInfo) -> dict[str, Any]:
    """A hold as plain data; `kind` is `halted` where somebody must look into it, else `paused`."""
    return {
        "scope": str(hold.scope),
        "target": hold.target,
        "kind": "halted" if hold.halted else "paused",
        "reason": hold.reason,
        "actor": hold.actor,
        "at": _local(hold.at, zone),
    }


def points(opened_at: datetime, until: datetime, steps: Steps) -> list[dict[str, Any]]:
    """How many recipients of a broadcast had each outcome so far, at the end of each step of its time; in UTC."""
    sums = dict.fromkeys(progress.OUTCOMES, 0)
    found: list[dict[str, Any]] = [{"at": _exact(opened_at), **sums}]
    for step in range(history.STEPS):
        for outcome, number in steps.get(step, {}).items():
            sums[outcome] += number
        found.append({"at": _exact(opened_at + (until - opened_at) * (step + 1) / history.STEPS), **sums})
    return found


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
        for row in progress.rows_of(connection, slug, now)
    ]


def _holding(connection: Connection, slug: str, ids: Set[str]) -> list[holds.Hold]:
    """What holds back the announcement or one of its broadcasts, the halted first."""
    scopes = {holds.Scope.ANNOUNCEMENT: {slug}, holds.Scope.BROADCAST: ids}
    found = [hold for hold in holds.standing(connection) if hold.target in scopes.get(hold.scope, {hold.target})]
    return sorted(found, key=lambda hold: not hold.halted)


def _actual(found: announcements.Standing | None) -> Actual:
    """What really happened; a cancellation that was taken back did not."""
    if found is None:
        return Actual()
    cancelled = found.cancelled_at if found.state is State.CANCELLED else None
    return Actual(found.started_at, found.finished_at, cancelled)


def _late(due_at: datetime, instant: datetime | None) -> float | None:
    return round((instant - due_at).total_seconds(), 3) if instant else None


def _exact(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def _local(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return instant.astimezone(zone).isoformat(timespec="seconds") if instant else None
