"""Posts: what accounts published for everybody who follows them, and what became of it when a successor came."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from broadcaster.channels.base import Delivery
from broadcaster.storage.ledger import kept_reason
from broadcaster.storage.tables import replacements


def earlier(connection: Connection, batch: Row[Any]) -> list[Row[Any]]:
    """What the accounts in a batch may have posted of its announcement before, oldest first.

    `deleted_at` is when a post was deleted for another successor; None when it was not.
    """
    values = {
        "announcement": batch.announcement,
        "slug": batch.slug,
        "channel": batch.channel,
        "broadcast": batch.broadcast_id,
        "first": batch.first_id,
        "last": batch.last_id,
    }
    return list(connection.execute(_EARLIER, values))


def replace(connection: Connection, successor_id: str, rows: Sequence[Delivery], at: datetime) -> None:
    """Put down what became of the posts that a broadcast replaced, in the transaction that records it as accepted."""
    values = [
        {
            "broadcast_id": fate.broadcast,
            "recipient_id": row.recipient_id,
            "successor_id": successor_id,
            "action": str(fate.action),
            "reason": kept_reason(fate.reason),
            "at": at,
        }
        for row in rows
        for fate in row.replaced
    ]
    if values:
        connection.execute(replacements.insert(), values)


def of_announcement(connection: Connection, slug: str, channels: Collection[str]) -> list[Row[Any]]:
    """Every post of an announcement on these channels that is or may be out, oldest first, with its newest fate.

    `action` is None while nothing replaced it; then `successor_id` and `reason` are too.
    """
    return list(connection.execute(_ALL, {"slug": slug, "channels": list(channels)}))


_EARLIER = text(
    """
    SELECT d.recipient_id, d.broadcast_id, d.revision, b.phase, d.reference, d.at,
           (SELECT min(r.at) FROM replacements r
            WHERE (r.broadcast_id, r.recipient_id) = (d.broadcast_id, d.recipient_id)
              AND r.action = 'deleted' AND r.successor_id <> :broadcast) AS deleted_at
    FROM broadcasts b
    JOIN deliveries d ON d.announcement = :announcement AND d.broadcast_id = b.id
    WHERE b.slug = :slug AND b.channel = :channel AND b.id <> :broadcast AND b.opened_at IS NOT NULL
      AND d.recipient_id BETWEEN :first AND :last AND d.outcome IN ('accepted', 'unknown')
    ORDER BY d.at, b.id
    """
)

_ALL = text(
    """
    SELECT b.channel, b.id AS broadcast_id, b.phase, d.recipient_id, d.provider, d.revision, d.outcome, d.receipt,
           d.reference, d.at, r.successor_id, r.action, r.reason
    FROM broadcasts b
    JOIN deliveries d
    ON d.announcement = (SELECT number FROM announcements WHERE slug = :slug) AND d.broadcast_id = b.id
    LEFT JOIN LATERAL (
        SELECT successor_id, action, reason FROM replacements
        WHERE (broadcast_id, recipient_id) = (b.id, d.recipient_id) ORDER BY at DESC, successor_id LIMIT 1
    ) r ON true
    WHERE b.slug = :slug AND b.channel = ANY(CAST(:channels AS text[])) AND b.opened_at IS NOT NULL
      AND d.outcome IN ('accepted', 'unknown')
    ORDER BY d.at, b.channel, d.recipient_id
    """
)
