"""Strides: what happens in the database between two calls of a batch, in one statement.

It renews the lease, raises the batch's counters, settles the call that was made, records what came of it, writes down
the next call, and gives what the guard must know. One round trip instead of five: it stands before every call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Row

from broadcaster.announcement.facts import FactChange
from broadcaster.channels.base import Call, Delivery
from broadcaster.storage.ledger import kept_reason, kept_words


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made: `outcome` is that of all its members, None when they differ and are recorded apart."""

    key: str
    revision: int
    provider: str
    outcome: Delivery | None


@dataclass(frozen=True, slots=True)
class Next:
    """The call to be made next, and through whom."""

    call: Call
    provider: str


@dataclass(frozen=True, slots=True)
class Stride:
    """What is to be stored: a renewed `lease`, `counts` by outcome, the call that was made, and the next one."""

    lease: timedelta
    counts: Mapping[str, int]
    at: datetime
    made: Made | None = None
    following: Next | None = None


def take(connection: Connection, batch: Row[Any], stride: Stride) -> Any | None:
    """The row for the guard, with `settled`, the number of calls settled; None when the lease was lost.

    Then nothing was changed. Otherwise the batch is locked against another claim until the transaction ends.
    """
    driver: Any = connection.connection.driver_connection
    with driver.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(_STRIDE, _values(batch, stride)).fetchone()


def take_at_once(connection: Connection, batch: Row[Any], stride: Stride, seen: Any) -> bool:
    """The same in a transaction of this one statement, if all is as it was `seen` by the last stride.

    False: something is not, or the lease was lost, and nothing was changed; `take` then tells what. The connection must
    not be in a transaction.
    """
    values = _values(batch, stride) | {
        "seen_state": seen.state,
        "seen_revision": seen.revision,
        "seen_expires_at": seen.expires_at,
        "seen_announcement_state": seen.announcement_state,
        "seen_revision_state": seen.revision_state,
        "seen_suppressions": seen.suppressions,
    }
    driver: Any = connection.connection.driver_connection
    driver.autocommit = True
    try:
        with driver.cursor() as cursor:
            return cursor.execute(_AT_ONCE, values).fetchone() is not None
    finally:
        if not driver.closed:
            driver.autocommit = False


def _values(batch: Row[Any], stride: Stride) -> dict[str, Any]:
    counts = stride.counts
    return {
        "batch": batch.id,
        "token": batch.token,
        "lease": stride.lease,
        "accepted": counts.get("accepted", 0),
        "rejected": counts.get("rejected", 0),
        "unknown": counts.get("unknown", 0),
        "skipped": counts.get("skipped", 0),
        "announcement": batch.announcement,
        "broadcast": batch.broadcast_id,
        "at": stride.at,
        **(_made(stride.made) if stride.made else _NOTHING_MADE),
        **(_next(stride.following) if stride.following else _NOTHING_NEXT),
    }


def _made(made: Made) -> dict[str, Any]:
    found: dict[str, Any] = {**_NOTHING_MADE, "made": made.key, "revision": made.revision, "provider": made.provider}
    if made.outcome:
        reason, reference = kept_reason(made.outcome.reason), kept_words(made.outcome.reference)
        found |= {"outcome": str(made.outcome.outcome), "reason": reason, "reference": reference}
    return found


def _next(following: Next) -> dict[str, Any]:
    call = following.call
    # As Postgres writes arrays: a list of a hundred numbers would be converted one by one.
    members = f"{{{','.join([str(member[0]) for member in call.members])}}}"
    return {
        "key": call.key,
        "next_revision": call.revision,
        "next_provider": following.provider,
        "members": members,
        "prepared_at": call.prepared_at,
        "changes": written(call.changes),
    }


def written(changes: Sequence[FactChange]) -> str | None:
    """Changes as the row of a call keeps them."""
    return json.dumps([(row.path, row.old, row.new) for row in changes]) if changes else None


_NOTHING_MADE: dict[str, Any] = dict.fromkeys(("made", "revision", "provider", "outcome", "reason", "reference"))
_NOTHING_NEXT: dict[str, Any] = dict.fromkeys(
    ("key", "next_revision", "next_provider", "members", "prepared_at", "changes")
)

_HELD = """
WITH held AS (
    UPDATE batches b
    SET lease_until = now() + %(lease)s, accepted = b.accepted + %(accepted)s, rejected = b.rejected + %(rejected)s,
        unknown = b.unknown + %(unknown)s, skipped = b.skipped + %(skipped)s
    FROM broadcasts d
    JOIN announcements a ON a.slug = d.slug
    JOIN revisions r ON (r.slug, r.number) = (d.slug, d.revision)
    WHERE b.id = %(batch)s AND b.token = %(token)s AND d.id = b.broadcast_id
"""

_CHANGED_NOTHING = """
      AND d.state = %(seen_state)s AND d.revision = %(seen_revision)s AND d.expires_at = %(seen_expires_at)s
      AND a.state = %(seen_announcement_state)s AND r.state = %(seen_revision_state)s
      AND %(seen_suppressions)s = (SELECT coalesce(max(s.id), 0) FROM suppressions s)
      AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.target IN ('', d.id, d.slug))
      AND (%(made)s::text IS NULL OR EXISTS (SELECT 1 FROM calls c WHERE c.key = %(made)s::text))
"""

_REST = """
    RETURNING d.id, d.slug, d.state, d.revision, d.phase, d.expires_at, a.state AS announcement_state,
              r.state AS revision_state
), settled AS (
    DELETE FROM calls WHERE key = %(made)s::text AND EXISTS (SELECT 1 FROM held) RETURNING members
), told AS (
    INSERT INTO deliveries (
        announcement, broadcast_id, recipient_id, revision, outcome, reason, reference, provider, at
    )
    SELECT %(announcement)s, %(broadcast)s, member, %(revision)s::int, %(outcome)s::text, %(reason)s::text,
           %(reference)s::text, %(provider)s::text, %(at)s
    FROM settled, unnest(settled.members) member WHERE %(outcome)s::text IS NOT NULL
), written AS (
    INSERT INTO calls (
        key, batch_id, broadcast_id, revision, provider, members, prepared_at, changes, attempts, made_at
    )
    SELECT %(key)s::text, %(batch)s, %(broadcast)s, %(next_revision)s::int, %(next_provider)s::text,
           %(members)s::bigint[], %(prepared_at)s::timestamptz, %(changes)s::jsonb, 1, now()
    FROM held WHERE %(key)s::text IS NOT NULL
    ON CONFLICT (key) DO NOTHING
)
"""

_STRIDE = f"""{_HELD} {_REST}
SELECT state, revision, phase, expires_at, announcement_state, revision_state,
       EXISTS (SELECT 1 FROM holds h WHERE h.target IN ('', held.id, held.slug)) AS held,
       (SELECT coalesce(max(s.id), 0) FROM suppressions s) AS suppressions,
       (SELECT count(*) FROM settled) AS settled
FROM held
"""  # noqa: S608 - only constants are put together

_AT_ONCE = f"{_HELD} {_CHANGED_NOTHING} {_REST} SELECT 1 FROM held"  # noqa: S608 - only constants are put together
