"""The ledger in the database: deliveries by COPY, receipts append-only and merged in bulk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, literal, select, text

from broadcaster.channels.base import Delivery
from broadcaster.storage import broadcasts as broadcast_rows
from broadcaster.storage.recipients import copy_rows
from broadcaster.storage.tables import broadcasts as broadcast_table
from broadcaster.storage.tables import deliveries, receipts


class ReceiptStatus(StrEnum):
    """What a provider said afterwards. Both are final: the first that arrives stays."""

    DELIVERED = "delivered"
    FAILED = "failed"


LONGEST_WORDS = 200
"""Characters of a reason or reference that are kept."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider's word on one delivery."""

    broadcast_id: str
    recipient_id: int
    status: ReceiptStatus
    at: datetime


def record(connection: Connection, broadcast_id: str, revision: int, rows: Sequence[Delivery], at: datetime) -> None:
    """Write deliveries by one COPY and raise the broadcast's counters, in the caller's transaction."""
    if not rows:
        return
    statement = "COPY deliveries (broadcast_id, recipient_id, revision, outcome, reason, reference, at) FROM STDIN"
    copy_rows(
        connection,
        statement,
        (
            (broadcast_id, row.recipient_id, revision, str(row.outcome), _clean(row.reason), _clean(row.reference), at)
            for row in rows
        ),
    )
    broadcast_rows.add_counts(connection, broadcast_id, dict(Counter(str(row.outcome) for row in rows)))


def _clean(words: str) -> str:
    """A provider's words as the database takes them: without what no text holds, and not a page of it."""
    return words.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST_WORDS]


def append_receipts(connection: Connection, channel: str, provider: str, rows: Iterable[Receipt]) -> None:
    """Keep receipts as they came; `merge_receipts` joins them to the ledger, also when they came first."""
    statement = "COPY receipts (channel, provider, broadcast_id, recipient_id, status, at) FROM STDIN"
    copy_rows(
        connection,
        statement,
        ((channel, provider, row.broadcast_id, row.recipient_id, str(row.status), row.at) for row in rows),
    )


def merge_receipts(connection: Connection, limit: int = 20_000) -> int:
    """Join waiting receipts to their deliveries; gives how many were joined. One without a delivery yet waits on."""
    merged = connection.execute(
        text(
            """
            WITH waiting AS (
                SELECT r.id, r.broadcast_id, r.recipient_id, r.status, r.at
                FROM receipts r
                JOIN deliveries d ON (d.broadcast_id, d.recipient_id) = (r.broadcast_id, r.recipient_id)
                -- A provider speaks of its own channel only, and an endpoint of nobody but itself.
                JOIN broadcasts b ON b.id = r.broadcast_id AND b.channel = r.channel
                JOIN recipients p ON p.id = r.recipient_id AND (p.channel = '' OR p.address = r.provider)
                WHERE NOT r.merged ORDER BY r.id LIMIT :limit FOR UPDATE OF r SKIP LOCKED
            ), marked AS (
                UPDATE receipts SET merged = true FROM waiting WHERE receipts.id = waiting.id
            ), first_words AS (
                SELECT DISTINCT ON (broadcast_id, recipient_id) broadcast_id, recipient_id, status, at
                FROM waiting ORDER BY broadcast_id, recipient_id, id
            ), settled AS (
                UPDATE deliveries d SET receipt = f.status, receipt_at = f.at
                FROM first_words f
                WHERE (d.broadcast_id, d.recipient_id) = (f.broadcast_id, f.recipient_id) AND d.receipt = ''
                  AND d.outcome IN ('accepted', 'unknown')
                RETURNING d.broadcast_id, d.receipt
            ), counted AS (
                SELECT broadcast_id, count(*) FILTER (WHERE receipt = 'delivered') AS delivered,
                       count(*) FILTER (WHERE receipt = 'failed') AS failed
                FROM settled GROUP BY broadcast_id
            ), raised AS (
                UPDATE broadcasts b SET delivered = b.delivered + c.delivered, failed = b.failed + c.failed
                FROM counted c WHERE b.id = c.broadcast_id
            )
            SELECT count(*) FROM waiting
            """
        ),
        {"limit": limit},
    )
    return int(merged.scalar_one())


def waiting_receipts(connection: Connection) -> int:
    """How many receipts could be joined to the ledger and are not yet; one for nobody's delivery does not count."""
    same = (deliveries.c.broadcast_id == receipts.c.broadcast_id) & (
        deliveries.c.recipient_id == receipts.c.recipient_id
    )
    waiting = select(func.count()).select_from(receipts.join(deliveries, same)).where(~receipts.c.merged)
    return int(connection.execute(waiting.where(deliveries.c.receipt == "")).scalar_one())


def size(connection: Connection) -> int:
    """How many recipients are accounted for, from the broadcasts' counters."""
    total = sum((func.sum(broadcast_table.c[name]) for name in broadcast_rows.OUTCOME_COUNTERS), literal(0))
    return int(connection.execute(select(total)).scalar() or 0)


def outcomes(connection: Connection, broadcast_id: str) -> Iterator[tuple[int, str]]:
    """(recipient id, outcome) of a broadcast."""
    query = select(deliveries.c.recipient_id, deliveries.c.outcome).where(deliveries.c.broadcast_id == broadcast_id)
    for row in connection.execute(query):
        yield row.recipient_id, row.outcome


def told(connection: Connection, recipient_id: int, slug: str | None) -> list[Row[Any]]:
    """What one recipient was told, oldest first: every delivery with its broadcast, of one announcement or of all.

    Looks the recipient up in each broadcast by the ledger's own key, so that no second index slows the sending down.
    """
    table = broadcast_table
    query = (
        select(
            deliveries.c.at,
            table.c.slug,
            deliveries.c.revision,
            table.c.phase,
            table.c.channel,
            table.c.occurrence,
            deliveries.c.outcome,
            deliveries.c.reason,
            deliveries.c.reference,
            deliveries.c.receipt,
            deliveries.c.receipt_at,
        )
        .join(table, table.c.id == deliveries.c.broadcast_id)
        .where(deliveries.c.recipient_id == recipient_id)
        .order_by(deliveries.c.at)
    )
    return list(connection.execute(query.where(table.c.slug == slug) if slug else query))


def reasons(connection: Connection, slug: str) -> list[Row[Any]]:
    """How often each (channel, outcome, reason) other than accepted occurred, most frequent first."""
    return list(
        connection.execute(
            text(
                """
                SELECT b.channel, d.outcome, d.reason, count(*) AS number
                FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast_id
                WHERE b.slug = :slug AND d.outcome <> 'accepted'
                GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
                """
            ),
            {"slug": slug},
        )
    )
