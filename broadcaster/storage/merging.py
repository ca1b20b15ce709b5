"""Merging: joining receipts to the ledger in bulk.

The first word on a delivery stays. One that comes before its delivery is recorded waits in a table of its own, and is
tried again at ever longer intervals, so that those which belong to nothing hold up nobody.

A provider speaks only of the broadcasts of its channel, and only of what went through it. `deliveries.provider` says
what did; it is empty where that is not known, and then any provider of the channel may speak.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, TextClause, text

from broadcaster.storage import staleness, tallies
from broadcaster.storage.partitions import partition
from broadcaster.storage.receipts import ReceiptStatus

log = structlog.get_logger()

FIRST_WAIT = timedelta(seconds=0.5)
"""What waits for its delivery is tried again after this, later after half of the time for which it has waited."""
LONGEST_WAIT = timedelta(hours=6)

# Two mergers at once would count the same word twice; any fixed number does.
_LOCK = 7_207_120_230

_OF_OTHERS = "of others"


def merge(connection: Connection, limit: int = 20_000) -> int:
    """Join some `limit` receipts to their deliveries; gives how many were dealt with, or put off. Fewer than `limit`:
    nothing is left to do now. One merges at a time; a second one gets 0."""
    if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar():
        return 0
    rows = connection.execute(_UNMERGED, {"limit": limit}).all()
    sums = _Sums()
    # Whoever waits spoke first, and comes first.
    waiting = connection.execute(_DUE, {"limit": limit, "ids": [row.id for row in rows]}).all()
    _merge_waiting(connection, waiting, sums)
    _merge_rows(connection, rows, sums)
    sums.store(connection)
    return len(waiting) + sum(int(row.number) for row in rows)


@dataclass(slots=True)
class _Sums:
    """What a merge adds up: (broadcast, channel, provider, whether it failed, outcome before) → how many words."""

    numbers: defaultdict[tuple[str, str, str, bool, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, rows: Iterable[Row[Any]]) -> None:
        """Count joined words."""
        for row in rows:
            if row.outcome == _OF_OTHERS:
                _warn(row)
            else:
                self.numbers[row.broadcast_id, row.channel, row.provider, row.failed, row.outcome] += row.number

    def store(self, connection: Connection) -> None:
        """Add everything to the broadcasts and the tallies."""
        counters: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"delivered": 0, "failed": 0, "settled": 0})
        said: defaultdict[tuple[str, str], float] = defaultdict(float)
        for (broadcast_id, channel, provider, failed, outcome), number in self.numbers.items():
            status = ReceiptStatus.FAILED if failed else ReceiptStatus.DELIVERED
            counters[broadcast_id][str(status)] += number
            counters[broadcast_id]["settled"] += number if outcome == "unknown" else 0
            said[tallies.RECEIPTS, f"{channel}|{provider}|{status}"] += number
        # In the order of their ids: whoever locks several broadcasts does it in the same one.
        values = [{"broadcast": id_, **counters[id_]} for id_ in sorted(counters)]
        if values:
            # Such a receipt takes back that somebody was told, or shows that they were, however late it comes.
            staleness.doubt(connection, (id_ for id_, row in counters.items() if row["failed"] or row["settled"]))
            connection.execute(_RAISE, values)
        tallies.add(connection, said)


def _merge_waiting(connection: Connection, rows: Sequence[Row[Any]], sums: _Sums) -> None:
    """Try what waits once more; what still has no delivery waits longer."""
    for number, ids in _by_announcement(rows).items():
        sums.add(connection.execute(_joining(number, _WAITING, _DROP_FOUND), {"ids": ids}).all())
    if rows:
        waits = {"first": FIRST_WAIT, "longest": LONGEST_WAIT}
        connection.execute(_POSTPONE, {"ids": [row.id for row in rows], **waits})


def _merge_rows(connection: Connection, rows: Sequence[Row[Any]], sums: _Sums) -> None:
    """Join what came in; what has no delivery yet begins to wait."""
    for number, ids in _by_announcement(rows).items():
        values = {"ids": ids, "first": FIRST_WAIT}
        sums.add(connection.execute(_joining(number, _ROWS, _BEGIN_WAITING), values).all())
    # A broadcast that nobody knows: a restored database may be older than it.
    if unknown := [row.id for row in rows if row.of_channel is None]:
        connection.execute(_WAIT_FOR_NOBODY, {"ids": unknown, "first": FIRST_WAIT})
    for row in rows:
        if row.of_channel not in (None, row.channel):
            _warn(row)
    if rows:
        connection.execute(_MERGED, {"ids": [row.id for row in rows]})


def _warn(row: Row[Any]) -> None:
    log.warning("receipts_of_others", channel=row.channel, provider=row.provider, number=row.number)


def _by_announcement(rows: Sequence[Row[Any]]) -> dict[int, list[int]]:
    """Announcement's number → ids of the rows that speak of its broadcasts and of their own channel."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        if row.announcement is not None and row.of_channel == row.channel and row.purged_at is None:
            found[row.announcement].append(row.id)
    return found


def _joining(number: int, source: str, left_over: str) -> TextClause:
    """The statement that joins the words of `source` to an announcement's partition."""
    found = _FOUND.format(source=source, partition=partition(number), announcement=int(number))
    return text(f"{found} {left_over} {_JOIN.format(partition=partition(number), announcement=int(number))}")


# Whole rows until there are `limit` words.
_UNMERGED = text(
    """
    SELECT r.id, r.number, r.channel, r.provider, b.channel AS of_channel, a.number AS announcement, a.purged_at
    FROM (
        SELECT w.*, sum(w.number) OVER (ORDER BY w.id) - w.number AS before
        FROM (SELECT id, number, channel, provider, broadcast_id FROM receipts
              WHERE NOT merged ORDER BY id LIMIT :limit) w
    ) r
    LEFT JOIN broadcasts b ON b.id = r.broadcast_id LEFT JOIN announcements a ON a.slug = b.slug
    WHERE r.before < :limit ORDER BY r.id
    """
)

# Due, or about a delivery of which these rows speak as well; of most broadcasts nothing waits, which one look tells.
_DUE = text(
    """
    WITH met AS MATERIALIZED (
        SELECT r.broadcast_id, r.recipients FROM receipts r
        CROSS JOIN LATERAL (SELECT 1 FROM waiting_receipts w WHERE w.broadcast_id = r.broadcast_id LIMIT 1) x
        WHERE r.id = ANY(CAST(:ids AS bigint[]))
    )
    SELECT w.id, w.channel, b.channel AS of_channel, a.number AS announcement, a.purged_at
    FROM (
        (SELECT id, channel, broadcast_id FROM waiting_receipts
         WHERE next_try_at <= now() ORDER BY next_try_at LIMIT :limit)
        UNION
        SELECT w.id, w.channel, w.broadcast_id
        FROM met r CROSS JOIN LATERAL unnest(r.recipients) u (recipient_id)
        JOIN waiting_receipts w ON (w.broadcast_id, w.recipient_id) = (r.broadcast_id, u.recipient_id)
    ) w
    LEFT JOIN broadcasts b ON b.id = w.broadcast_id LEFT JOIN announcements a ON a.slug = b.slug
    ORDER BY w.id
    """
)

_ROWS = """
SELECT r.id AS line, u.place, r.channel, r.provider, r.broadcast_id, u.recipient_id, u.failed, u.at
FROM receipts r
CROSS JOIN LATERAL unnest(r.recipients, r.failed, r.at) WITH ORDINALITY u (recipient_id, failed, at, place)
WHERE r.id = ANY(CAST(:ids AS bigint[]))
"""

_WAITING = """
SELECT w.id AS line, 0 AS place, w.channel, w.provider, w.broadcast_id, w.recipient_id, w.failed, w.at
FROM waiting_receipts w WHERE w.id = ANY(CAST(:ids AS bigint[]))
"""

# The partition by its name: with the ledger's own, Postgres would plan for and lock all of them.
_FOUND = """
WITH found AS MATERIALIZED (
    SELECT w.*, d.outcome, d.receipt, d.provider IN ('', w.provider) AS own
    FROM ({source}) w
    LEFT JOIN {partition} d
    ON d.announcement = {announcement} AND (d.broadcast_id, d.recipient_id) = (w.broadcast_id, w.recipient_id)
)
"""

_BEGIN_WAITING = """
, waiting AS (
    INSERT INTO waiting_receipts (broadcast_id, recipient_id, channel, provider, failed, at, next_try_at)
    SELECT broadcast_id, recipient_id, channel, provider, failed, at, now() + :first
    FROM found WHERE outcome IS NULL ORDER BY line, place
    ON CONFLICT (broadcast_id, recipient_id, channel, provider) DO NOTHING
)
"""

_DROP_FOUND = """
, dropped AS (DELETE FROM waiting_receipts w USING found f WHERE w.id = f.line AND f.outcome IS NOT NULL)
"""

# A receipt of either kind shows that the provider had the message, which settles a doubt; `reason` says why it was one.
_JOIN = """
, first_words AS (
    SELECT DISTINCT ON (broadcast_id COLLATE "C", recipient_id) *
    FROM found WHERE own AND receipt = '' AND outcome IN ('accepted', 'unknown')
    ORDER BY broadcast_id COLLATE "C", recipient_id, line, place
), joined AS (
    UPDATE {partition} d
    SET outcome = 'accepted', receipt = CASE WHEN f.failed THEN 'failed' ELSE 'delivered' END, receipt_at = f.at
    FROM first_words f
    WHERE d.announcement = {announcement} AND (d.broadcast_id, d.recipient_id) = (f.broadcast_id, f.recipient_id)
    RETURNING f.broadcast_id, f.channel, f.provider, f.failed, f.outcome
)
SELECT broadcast_id, channel, provider, failed, outcome, count(*) AS number FROM joined GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT broadcast_id, channel, provider, failed, 'of others', count(*) FROM found WHERE NOT own GROUP BY 1, 2, 3, 4
"""

_WAIT_FOR_NOBODY = text(
    f"""
    INSERT INTO waiting_receipts (broadcast_id, recipient_id, channel, provider, failed, at, next_try_at)
    SELECT w.broadcast_id, w.recipient_id, w.channel, w.provider, w.failed, w.at, now() + :first
    FROM ({_ROWS}) w ORDER BY w.line, w.place
    ON CONFLICT (broadcast_id, recipient_id, channel, provider) DO NOTHING
    """  # noqa: S608 - only constants are put together
)

_POSTPONE = text(
    """
    UPDATE waiting_receipts SET next_try_at = now() + greatest(:first, least((now() - since) / 2, :longest))
    WHERE id = ANY(CAST(:ids AS bigint[]))
    """
)

_MERGED = text("UPDATE receipts SET merged = true WHERE id = ANY(CAST(:ids AS bigint[]))")

_RAISE = text(
    """
    UPDATE broadcasts
    SET delivered = delivered + :delivered, failed = failed + :failed,
        accepted = accepted + :settled, unknown = unknown - :settled
    WHERE id = :broadcast
    """
)
