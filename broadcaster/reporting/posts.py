"""Posts in reports: what accounts have out, what became of it when a successor came, and what is still false."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.announcement.lifecycle import State
from broadcaster.channels.base import Outcome, RecipientKind
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from broadcaster.planning.truth import STATE_TOLD_BY
from broadcaster.reporting.statements import Facts, FalseTime, Held, Truth, false_time
from broadcaster.reporting.surfaces import said_by, truths_of
from broadcaster.storage import posts

_CHANNELS = [slug for slug, channel in CHANNELS.items() if channel.reaches is RecipientKind.ACCOUNT]


def standing(connection: Connection, slug: str, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Every post of an announcement as plain data, oldest first; times are ISO 8601 in its zone.

    `superseded` says that its facts are no longer true, `action` what the account did with it (None: nothing came that
    replaces it), `successor` which broadcast did.
    """
    rows = posts.of_announcement(connection, slug, _CHANNELS)
    if not rows:
        return []
    truths = truths_of(connection, slug)
    said = _said(connection, slug, rows)
    return [
        {
            "channel": row.channel,
            "account": row.provider,
            "phase": row.phase,
            "revision": row.revision,
            "broadcast": row.broadcast_id,
            "reference": row.reference,
            "at": row.at.astimezone(zone).isoformat(timespec="seconds"),
            "superseded": bool(truths) and said[row.revision, row.phase] != truths[-1].facts,
            "action": row.action,
            "reason": row.reason,
            "successor": row.successor_id,
        }
        for row in rows
    ]


def false_times(connection: Connection, slug: str, now: datetime) -> dict[str, FalseTime]:
    """Channel → for how long its accounts' newest posts told something no longer true of an announcement, up to now."""
    truths = truths_of(connection, slug)
    rows = [row for row in posts.of_announcement(connection, slug, _CHANNELS) if _is_out(row)]
    said = _said(connection, slug, rows)
    held: defaultdict[tuple[str, int], list[Held]] = defaultdict(list)
    for row in rows:
        held[row.channel, row.recipient_id].append(Held(row.at, said[row.revision, row.phase]))
    found: defaultdict[str, FalseTime] = defaultdict(FalseTime)
    for (channel, _), of_account in held.items():
        found[channel] = found[channel].and_those(_false_time(truths, of_account, now))
    return dict(found)


def _false_time(truths: Sequence[Truth], held: Sequence[Held], now: datetime) -> FalseTime:
    return false_time(truths, held, now) if truths else FalseTime()


def _is_out(row: Row[Any]) -> bool:
    """Whether the post is surely out: one in doubt does not end what an earlier one says."""
    return bool(row.outcome == Outcome.ACCEPTED and row.receipt != "failed")


def _said(connection: Connection, slug: str, rows: Sequence[Row[Any]]) -> dict[tuple[int, str], Facts]:
    """(revision, phase) → the facts that it tells. What the clock finds overdue is no change by anybody's word."""
    found: dict[tuple[int, str], Facts] = {}
    for revision, phase in {(row.revision, row.phase) for row in rows}:
        state = STATE_TOLD_BY.get(Phase(phase), State.SCHEDULED)
        known = State.SCHEDULED if state is State.OVERRUN else state
        found[revision, phase] = said_by(connection, slug, revision, known)
    return found
