"""Superseding: whom of a broadcast's recipients a newer broadcast of the same announcement tells, or told already.

For channels whose recipients, out of reach for a while, are told the newest event only.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, text

from broadcaster.planning.broadcast import BroadcastState
from broadcaster.storage import recipients
from broadcaster.storage.batches import LAST_ID
from broadcaster.storage.scopes import believed, scope_of
from broadcaster.storage.tables import deliveries


def covered(connection: Connection, batch: Row[Any], pool: str) -> frozenset[int]:
    """The recipients whom a newer broadcast than the batch's is for."""
    found: set[int] = set()
    for newer in connection.execute(_NEWER, {"id": batch.broadcast_id}).all():
        told = (deliveries.c.announcement == newer.announcement) & (deliveries.c.broadcast_id == newer.id)
        query = select(deliveries.c.recipient_id).where(told, deliveries.c.outcome != "skipped")
        found.update(connection.execute(query).scalars())
        if newer.state == BroadcastState.OPEN:
            scope = scope_of(connection, pool, newer)
            rows = recipients.in_range(connection, scope, newer.id, 0, LAST_ID, newer.channel, fresh=False)
            found.update(row.id for row in rows if row.suppressed is None)
    return frozenset(found)


def told(connection: Connection, batch: Row[Any], pool: str) -> frozenset[int]:
    """The recipients who were told of the batch's announcement on its channel what is still true.

    Not whoever may hold something untrue: the correction that was meant for them may have expired meanwhile."""
    told = believed(connection, batch.slug, batch.channel, pool).tellings
    untrue = [key for key, changes in told.items() if changes]
    values = {
        "announcement": batch.announcement,
        "slug": batch.slug,
        "channel": batch.channel,
        "broadcasts": [broadcast for broadcast, _ in untrue],
        "revisions": [revision for _, revision in untrue],
    }
    return frozenset(connection.execute(_TOLD, values).scalars())


_NEWER = text(
    """
    SELECT n.id, n.slug, n.channel, n.audience, n.among, n.version, n.retries, n.state, a.number AS announcement
    FROM broadcasts d
    JOIN broadcasts n ON n.slug = d.slug AND n.channel = d.channel AND n.id <> d.id AND n.retries = ''
    JOIN announcements a ON a.slug = n.slug
    WHERE d.id = :id AND n.opened_at IS NOT NULL AND (n.opened_at, n.due_at) > (d.opened_at, d.due_at)
    """
)

_TOLD = text(
    """
    SELECT t.recipient_id FROM broadcasts d
    JOIN deliveries t ON t.announcement = :announcement AND t.broadcast_id = d.id
    LEFT JOIN unnest(CAST(:broadcasts AS text[]), CAST(:revisions AS int[])) AS u (broadcast_id, revision)
    ON (u.broadcast_id, u.revision) = (t.broadcast_id, t.revision)
    WHERE d.slug = :slug AND d.channel = :channel AND t.outcome IN ('accepted', 'unknown')
    GROUP BY t.recipient_id
    HAVING max(t.at) FILTER (WHERE u.broadcast_id IS NULL AND t.outcome = 'accepted')
           >= coalesce(max(t.at) FILTER (WHERE u.broadcast_id IS NOT NULL), '-infinity')
    """
)
