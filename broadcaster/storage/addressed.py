"""Receipts of suppliers that do not know our ids: they name a phone or an account, and what they call the delivery.

Each stands here until it is known which delivery it is about; then it goes on as any other receipt does. One that comes
before its delivery is recorded waits, and is tried again at ever longer intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import Connection, text

from broadcaster.storage import receipts
from broadcaster.storage.partitions import partition
from broadcaster.storage.receipts import Receipt, ReceiptStatus
from broadcaster.storage.recipients import HAVING
from broadcaster.vault import Vault

FIRST_WAIT = timedelta(seconds=0.5)
LONGEST_WAIT = timedelta(hours=6)


def append(
    connection: Connection, vault: Vault, channel: str, pool: str, provider: str, rows: Iterable[Receipt]
) -> None:
    """Keep receipts that name an address of the `pool`; which is kept as its blind index only."""
    values = [
        {
            "channel": channel,
            "provider": provider,
            "broadcast": row.broadcast_id,
            "handle": vault.handle(pool, row.address),
            "reference": row.reference,
            "failed": row.status is ReceiptStatus.FAILED,
            "at": row.at,
        }
        for row in rows
    ]
    if values:
        connection.execute(_APPEND, values)


def resolve(connection: Connection, limit: int = 5_000) -> int:
    """Hand on those whose delivery is known by now; gives how many were looked at."""
    due = connection.execute(_DUE, {"limit": limit}).all()
    if not due:
        return 0
    ids = [row.id for row in due]
    found = {row.id: (row.broadcast_id, row.recipient_id) for row in connection.execute(_BY_BROADCAST, {"ids": ids})}
    if left := [row.id for row in due if row.id not in found and row.reference]:
        found |= _by_reference(connection, left)
    for channel, provider in {(row.channel, row.provider) for row in due}:
        known = [
            Receipt(*found[row.id], ReceiptStatus.FAILED if row.failed else ReceiptStatus.DELIVERED, row.at)
            for row in due
            if row.id in found and (row.channel, row.provider) == (channel, provider)
        ]
        receipts.append(connection, channel, provider, known)
    connection.execute(_DROP, {"ids": list(found)})
    connection.execute(_POSTPONE, {"ids": ids, "first": FIRST_WAIT, "longest": LONGEST_WAIT})
    return len(due)


def forget(connection: Connection, older_than: timedelta, limit: int) -> int:
    """Delete up to `limit` that have waited for so long that their delivery will not come; machine time."""
    return connection.execute(_FORGET, {"older_than": older_than, "limit": limit}).rowcount


def _by_reference(connection: Connection, ids: list[int]) -> Mapping[int, tuple[str, int]]:
    """Receipt → the delivery of that recipient which the provider calls so; a partition of the ledger at a time."""
    found: dict[int, tuple[str, int]] = {}
    for number in connection.execute(_ANNOUNCEMENTS, {"ids": ids}).scalars():
        query = _IN_PARTITION.format(partition=partition(number), announcement=int(number))
        rows = connection.execute(text(query), {"ids": [id_ for id_ in ids if id_ not in found]})
        found |= {row.id: (row.broadcast_id, row.recipient_id) for row in rows}
    return found


_WHOSE = HAVING.format(handle="w.handle")

_APPEND = text(
    """
    INSERT INTO addressed_receipts (channel, provider, broadcast_id, handle, reference, failed, at)
    VALUES (:channel, :provider, :broadcast, :handle, :reference, :failed, :at)
    """
)

_DUE = text(
    """
    SELECT id, channel, provider, reference, failed, at FROM addressed_receipts
    WHERE next_try_at <= now() ORDER BY next_try_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)

_BY_BROADCAST = text(
    f"""
    SELECT w.id, w.broadcast_id, r.id AS recipient_id
    FROM addressed_receipts w CROSS JOIN LATERAL {_WHOSE} r
    WHERE w.id = ANY(CAST(:ids AS bigint[])) AND w.broadcast_id <> ''
    """  # noqa: S608 - only constants are put together
)

_ANNOUNCEMENTS = text(
    """
    SELECT DISTINCT a.number
    FROM addressed_receipts w
    JOIN broadcasts b ON b.channel = w.channel AND b.opened_at IS NOT NULL
    JOIN announcements a ON a.slug = b.slug AND a.purged_at IS NULL
    WHERE w.id = ANY(CAST(:ids AS bigint[])) ORDER BY 1 DESC
    """
)

_IN_PARTITION = f"""
SELECT DISTINCT ON (w.id) w.id, d.broadcast_id, d.recipient_id
FROM addressed_receipts w
CROSS JOIN LATERAL {_WHOSE} r
JOIN announcements a ON a.number = {{announcement}}
JOIN broadcasts b ON b.slug = a.slug AND b.channel = w.channel AND b.opened_at IS NOT NULL
JOIN {{partition}} d
ON d.announcement = {{announcement}} AND (d.broadcast_id, d.recipient_id) = (b.id, r.id)
AND d.reference = ANY(string_to_array(w.reference, chr(10))) AND d.provider = w.provider
WHERE w.id = ANY(CAST(:ids AS bigint[]))
"""  # noqa: S608 - only constants are put together

_DROP = text("DELETE FROM addressed_receipts WHERE id = ANY(CAST(:ids AS bigint[]))")

_FORGET = text(
    """
    DELETE FROM addressed_receipts WHERE id IN (
        SELECT id FROM addressed_receipts WHERE since < now() - :older_than LIMIT :limit
    )
    """
)

_POSTPONE = text(
    """
    UPDATE addressed_receipts SET next_try_at = now() + greatest(:first, least((now() - since) / 2, :longest))
    WHERE id = ANY(CAST(:ids AS bigint[]))
    """
)
