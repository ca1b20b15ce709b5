"""Receipts in the database, as they come in; `merging` joins them to the ledger.

A callback becomes one row for each broadcast that it speaks of, with its words as arrays: a fraction of the work and of
the space of one row a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from sqlalchemy import Connection, text

from broadcaster.channels.callback import Receipt as Receipt  # noqa: PLC0414 - also words of this module
from broadcaster.channels.callback import ReceiptStatus as ReceiptStatus  # noqa: PLC0414

WORDS_A_ROW = 1000
"""The most that one row holds."""


def append(connection: Connection, channel: str, provider: str, rows: Iterable[Receipt]) -> None:
    """Keep receipts as they came; `merging` joins them to the ledger, also when they came first."""
    bundles: dict[str, list[Receipt]] = {}
    for row in rows:
        bundles.setdefault(row.broadcast_id, []).append(row)
    said = {"channel": channel, "provider": provider}
    values = [
        {
            **said,
            "broadcast": broadcast_id,
            "recipients": _array(str(row.recipient_id) for row in part),
            "failed": _array("t" if row.status is ReceiptStatus.FAILED else "f" for row in part),
            "at": _array(row.at.isoformat() for row in part),
            "number": len(part),
        }
        for broadcast_id, of_broadcast in bundles.items()
        for part in _parts(of_broadcast)
    ]
    if values:
        connection.execute(_APPEND, values)


def unsettled(connection: Connection) -> int:
    """How many receipts could be joined to the ledger and are not yet; those for nobody's delivery do not count."""
    return int(connection.execute(_UNSETTLED).scalar_one())


def forget_waiting(connection: Connection, older_than: timedelta, limit: int) -> int:
    """Delete up to `limit` receipts that have waited for so long that their delivery will not come; machine time."""
    return connection.execute(_FORGET_WAITING, {"older_than": older_than, "limit": limit}).rowcount


def count_waiting(connection: Connection, older_than: timedelta) -> int:
    """How many `forget_waiting` would delete."""
    return int(connection.execute(_COUNT_WAITING, {"older_than": older_than}).scalar_one())


def _array(words: Iterable[str]) -> str:
    """An array as Postgres reads one (documentation, 8.15.6), of words without quotes, commas and braces.

    The driver's own way takes five times as long.
    """
    return f"{{{','.join(words)}}}"


def _parts(rows: list[Receipt]) -> Iterator[list[Receipt]]:
    return (rows[start : start + WORDS_A_ROW] for start in range(0, len(rows), WORDS_A_ROW))


_APPEND = text(
    """
    INSERT INTO receipts (channel, provider, broadcast_id, recipients, failed, at, number)
    VALUES (:channel, :provider, :broadcast, CAST(:recipients AS bigint[]), CAST(:failed AS boolean[]),
            CAST(:at AS timestamptz[]), :number)
    """
)

_UNSETTLED = text(
    """
    SELECT coalesce((SELECT sum(number) FROM receipts WHERE NOT merged), 0) + (
        SELECT count(*)
        FROM waiting_receipts w
        JOIN broadcasts b ON b.id = w.broadcast_id AND b.channel = w.channel
        JOIN announcements a ON a.slug = b.slug
        JOIN deliveries d
        ON (d.announcement, d.broadcast_id, d.recipient_id) = (a.number, w.broadcast_id, w.recipient_id)
    ) + (
        SELECT count(*) FROM addressed_receipts w
        WHERE since > now() - interval '1 minute'
    )
    """
)

_FORGET_WAITING = text(
    """
    DELETE FROM waiting_receipts WHERE id IN (
        SELECT id FROM waiting_receipts WHERE since < now() - :older_than LIMIT :limit
    )
    """
)

_COUNT_WAITING = text("SELECT count(*) FROM waiting_receipts WHERE since < now() - :older_than")
