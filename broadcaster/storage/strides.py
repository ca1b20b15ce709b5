"""Strides: what happens in the database between the calls of a batch, in one statement.

A stride renews the lease, raises the batch's counters, settles the calls that were made, records what came of them,
writes down the next ones, and gives what the guard must know. One round trip instead of five.

A provider that dedupes may have several calls written down by one stride. Then a look stands before each of them:
whether everything is still as the stride has seen it.
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
from broadcaster.planning.angle import Angle
from broadcaster.storage.ledger import kept_reason, kept_words


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made: `outcome` is that of all its members, None when they differ and are recorded apart."""

    key: str
    outcome: Delivery | None


@dataclass(frozen=True, slots=True)
class Next:
    """A call to be made next, and through whom."""

    call: Call
    provider: str


@dataclass(frozen=True, slots=True)
class Stride:
    """What is to be stored: a renewed `lease`, `counts` by outcome, the calls that were made, and the next ones."""

    lease: timedelta
    counts: Mapping[str, int]
    at: datetime
    made: Sequence[Made] = ()
    following: Sequence[Next] = ()


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
    return _by_itself(connection, _AT_ONCE, _values(batch, stride) | _seen(seen)) is not None


def finish_at_once(
    connection: Connection, batch: Row[Any], stride: Stride, sums: Mapping[tuple[str, str], float]
) -> Any | None:
    """Record the last calls, close the batch and raise the tallies, in a transaction of this one statement.

    None: the lease was lost, or the calls were settled before, and nothing was changed. Otherwise whether the broadcast
    is `cut` to its end, and whether no batch of it is `left` but those that somebody is at.
    """
    ordered = sorted((key, amount) for key, amount in sums.items() if amount)
    values = _values(batch, stride) | {
        "names": [name for (name, _), _ in ordered],
        "labels": [label for (_, label), _ in ordered],
        "amounts": [float(amount) for _, amount in ordered],
    }
    return _by_itself(connection, _FINISH, values)


def is_as_seen(connection: Connection, batch: Row[Any], seen: Any) -> bool:
    """Whether the lease is still ours and all is as it was `seen`; the connection must not be in a transaction."""
    values = {"batch": batch.id, "token": batch.token, **_seen(seen)}
    return _by_itself(connection, _LOOK, values) is not None


def write_down(connection: Connection, batch: Row[Any], following: Sequence[Next]) -> None:
    """Write down the first calls of a claim, in its own transaction."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute(_WRITE_DOWN, {"batch": batch.id, "broadcast": batch.broadcast_id, **_next(following)})


def _by_itself(connection: Connection, statement: str, values: Mapping[str, Any]) -> Any | None:
    driver: Any = connection.connection.driver_connection
    driver.autocommit = True
    try:
        with driver.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(statement, values).fetchone()
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
        **_made(stride.made),
        **_next(stride.following),
    }


def _seen(seen: Any) -> dict[str, Any]:
    return {
        "seen_state": seen.state,
        "seen_revision": seen.revision,
        "seen_expires_at": seen.expires_at,
        "seen_announcement_state": seen.announcement_state,
        "seen_revision_state": seen.revision_state,
        "seen_suppressions": seen.suppressions,
    }


def _made(made: Sequence[Made]) -> dict[str, Any]:
    told = [one.outcome for one in made]
    return {
        "made": [one.key for one in made],
        "outcomes": [str(one.outcome) if one else None for one in told],
        "reasons": [kept_reason(one.reason) if one else None for one in told],
        "references": [kept_words(one.reference) if one else None for one in told],
    }


def written(call: Call) -> str | None:
    """From which angle a call tells, as its row keeps it."""
    if not call.changes and not call.rows:
        return None
    return json.dumps({"changes": [(row.path, row.old, row.new) for row in call.changes], "rows": call.rows})


def read_angle(kept: Mapping[str, Any] | None) -> Angle:
    """The angle that the row of a call keeps."""
    said = kept or {}
    return Angle(tuple(FactChange(*row) for row in said.get("changes", ())), tuple(said.get("rows", ())))


def _next(following: Sequence[Next]) -> dict[str, Any]:
    calls = [one.call for one in following]
    return {
        "keys": [call.key for call in calls],
        "revisions": [call.revision for call in calls],
        "providers": [one.provider for one in following],
        # As Postgres writes arrays: lists of a hundred numbers would be converted one by one.
        "members": [f"{{{','.join([str(member[0]) for member in call.members])}}}" for call in calls],
        "prepared": [call.prepared_at for call in calls],
        "angles": [written(call) for call in calls],
    }


# What the guard must know, and the lease.
_GUARDED = """
FROM broadcasts d
JOIN announcements a ON a.slug = d.slug
JOIN revisions r ON (r.slug, r.number) = (d.slug, d.revision)
"""

_OURS = "b.id = %(batch)s AND b.token = %(token)s"

_AS_SEEN = """
      AND d.state = %(seen_state)s AND d.revision = %(seen_revision)s AND d.expires_at = %(seen_expires_at)s
      AND a.state = %(seen_announcement_state)s AND r.state = %(seen_revision_state)s
      AND %(seen_suppressions)s = (SELECT coalesce(max(s.id), 0) FROM suppressions s)
      AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.target IN ('', d.id, d.slug))
"""

_NOT_RECORDED = """
      AND (SELECT count(*) FROM calls c WHERE c.key = ANY(%(made)s::text[])) = cardinality(%(made)s::text[])
"""

_COUNTED = """
accepted = b.accepted + %(accepted)s, rejected = b.rejected + %(rejected)s,
unknown = b.unknown + %(unknown)s, skipped = b.skipped + %(skipped)s
"""

_HELD = f"""
WITH held AS (
    UPDATE batches b SET lease_until = now() + %(lease)s, {_COUNTED} {_GUARDED}
    WHERE {_OURS} AND d.id = b.broadcast_id
"""  # noqa: S608 - only constants are put together

_SETTLED = """
settled AS (
    DELETE FROM calls WHERE key = ANY(%(made)s::text[]) AND EXISTS (SELECT 1 FROM held)
    RETURNING key, revision, provider, members
), told AS (
    INSERT INTO deliveries (
        announcement, broadcast_id, recipient_id, revision, outcome, reason, reference, provider, at
    )
    SELECT %(announcement)s, %(broadcast)s, member, s.revision, m.outcome, m.reason, m.reference, s.provider, %(at)s
    FROM settled s
    JOIN unnest(%(made)s::text[], %(outcomes)s::text[], %(reasons)s::text[], %(references)s::text[])
         m (key, outcome, reason, reference) ON m.key = s.key
    CROSS JOIN LATERAL unnest(s.members) member
    WHERE m.outcome IS NOT NULL
    {returning}
)
"""

_WRITE = """
INSERT INTO calls (key, batch_id, broadcast_id, revision, provider, members, prepared_at, angle, attempts, made_at)
SELECT n.key, %(batch)s, %(broadcast)s, n.revision, n.provider, n.members::bigint[], n.prepared_at, n.angle::jsonb,
       1, now()
FROM {held} unnest(
    %(keys)s::text[], %(revisions)s::int[], %(providers)s::text[], %(members)s::text[], %(prepared)s::timestamptz[],
    %(angles)s::text[]
) n (key, revision, provider, members, prepared_at, angle)
ON CONFLICT (key) DO NOTHING
"""

_REST = f"""
    RETURNING d.id, d.slug, d.state, d.revision, d.phase, d.expires_at, a.state AS announcement_state,
              r.state AS revision_state
), {_SETTLED.format(returning="")}, written AS ({_WRITE.format(held="held,")})
"""

_STRIDE = f"""{_HELD} {_REST}
SELECT state, revision, phase, expires_at, announcement_state, revision_state,
       EXISTS (SELECT 1 FROM holds h WHERE h.target IN ('', held.id, held.slug)) AS held,
       (SELECT coalesce(max(s.id), 0) FROM suppressions s) AS suppressions,
       (SELECT count(*) FROM settled) AS settled
FROM held
"""  # noqa: S608 - only constants are put together

_AT_ONCE = f"{_HELD} {_AS_SEEN} {_NOT_RECORDED} {_REST} SELECT 1 FROM held"  # noqa: S608 - only constants are put together

_LOOK = f"SELECT 1 {_GUARDED} JOIN batches b ON b.broadcast_id = d.id WHERE {_OURS} {_AS_SEEN}"

_WRITE_DOWN = _WRITE.format(held="")

# Rows that workers share come last, so that nobody waits for them long: the broadcast's, and then the tallies'.
_FINISH = f"""
WITH held AS (
    UPDATE batches b SET done = true, lease_until = NULL, enqueued_at = NULL, {_COUNTED}
    WHERE {_OURS} AND NOT b.done {_NOT_RECORDED}
    RETURNING b.id, b.broadcast_id, b.accepted, b.rejected, b.unknown, b.skipped
), {_SETTLED.format(returning="RETURNING 1")}, summed AS (
    UPDATE broadcasts d
    SET accepted = d.accepted + h.accepted, rejected = d.rejected + h.rejected,
        unknown = d.unknown + h.unknown, skipped = d.skipped + h.skipped
    FROM held h CROSS JOIN (SELECT count(*) FROM told) t WHERE d.id = h.broadcast_id
    RETURNING d.id, d.cut, h.id AS batch
), tallied AS (
    INSERT INTO tallies (name, label, value)
    SELECT t.* FROM (SELECT count(*) FROM summed) s
    CROSS JOIN unnest(%(names)s::text[], %(labels)s::text[], %(amounts)s::float8[]) t
    WHERE s.count > 0
    ON CONFLICT (name, label) DO UPDATE SET value = tallies.value + EXCLUDED.value
)
SELECT s.cut, EXISTS (
    SELECT 1 FROM batches o
    WHERE o.broadcast_id = s.id AND NOT o.done AND o.id <> s.batch
      AND (o.lease_until IS NULL OR o.lease_until < now())
) AS left FROM summed s
"""  # noqa: S608 - only constants are put together
