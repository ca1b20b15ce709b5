"""Posts in reports: what accounts have out, what became of it when a successor came, and what is still false."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.channels.base import Outcome, RecipientKind
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from broadcaster.planning.tellings import told_by, true_in, untrue
from broadcaster.reporting.statements import FalseTime, Held, false_time
from broadcaster.reporting.surfaces import truths_of
from broadcaster.storage import announcements, posts, tellings

_CHANNELS = [slug for slug, channel in CHANNELS.items() if channel.reaches is RecipientKind.ACCOUNT]


def standing(connection: Connection, slug: str, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Every post of an announcement as plain data, oldest first; times are ISO 8601 in its zone.

    `superseded` says that what it tells is no longer true, `action` what the account did with it (None: nothing came
    that replaces it), `successor` which broadcast did.
    """
    rows = posts.of_announcement(connection, slug, _CHANNELS)
    found = announcements.find(connection, slug)
    if not rows or found is None:
        return []
    planned = tellings.facts_of(connection, slug)
    approved = planned.get(found.approved_revision or 0)
    true = true_in(found.state, approved, found.finished_at) if approved else {}
    return [
        {
            "channel": row.channel,
            "account": row.provider,
            "phase": row.phase,
            "revision": row.revision,
            "broadcast": row.broadcast_id,
            "reference": row.reference,
            "outcome": row.outcome,
            "receipt": row.receipt,
            "at": row.at.astimezone(zone).isoformat(timespec="seconds"),
            "superseded": bool(untrue(told_by(Phase(row.phase), planned[row.revision], found.finished_at), true)),
            "action": row.action,
            "reason": row.reason,
            "successor": row.successor_id,
        }
        for row in rows
        if row.revision in planned
    ]


def false_times(connection: Connection, slug: str, now: datetime) -> dict[str, FalseTime]:
    """Channel → for how long its accounts' newest posts told something no longer true of an announcement, up to now."""
    found = announcements.find(connection, slug)
    truths, planned = truths_of(connection, slug), tellings.facts_of(connection, slug)
    held: defaultdict[tuple[str, int], list[Held]] = defaultdict(list)
    for row in posts.of_announcement(connection, slug, _CHANNELS):
        if _is_out(row) and row.revision in planned and found:
            told = told_by(_counted(Phase(row.phase)), planned[row.revision], found.finished_at)
            held[row.channel, row.recipient_id].append(Held(row.at, told))
    sums: defaultdict[str, FalseTime] = defaultdict(FalseTime)
    for (channel, _), of_account in held.items():
        if truths:
            sums[channel] = sums[channel].and_those(false_time(truths, of_account, now, untrue))
    return dict(sums)


def _is_out(row: Row[Any]) -> bool:
    """Whether the post is surely out: one in doubt does not end what an earlier one says."""
    return bool(row.outcome == Outcome.ACCEPTED and row.receipt != "failed")


def _counted(phase: Phase) -> Phase:
    """What a post counts as: that it is overdue is the clock's finding, and no change by anybody's word."""
    return Phase.ONGOING if phase is Phase.OVERRUN else phase
