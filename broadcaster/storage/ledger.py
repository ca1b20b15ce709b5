"""The ledger in the database: deliveries written by COPY, and what is asked of them.

Every question names the announcement, by whose number the ledger is divided: only its part is looked at. Nothing here
is asked on a hot path, where counters are kept instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, TextClause, func, literal, select, text

from broadcaster.channels.base import Delivery
from broadcaster.storage import broadcasts as broadcast_rows
from broadcaster.storage.copying import copy_text
from broadcaster.storage.partitions import partition
from broadcaster.storage.tables import announcements
from broadcaster.storage.tables import broadcasts as broadcast_table

LONGEST_WORDS = 200
"""Characters of a reason or reference that are kept."""

_NUMBER = re.compile(r"\+?\d{7,}")
"""Seven digits or more in a row: a telephone number, not a date."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
"""PostgreSQL documentation, COPY, text format."""


def record(
    connection: Connection, batch: Row[Any], revision: int, provider: str, rows: Sequence[Delivery], at: datetime
) -> None:
    """Write a batch's deliveries by one COPY, in the caller's transaction; its counters are the caller's."""
    statement = (
        "COPY deliveries (announcement, broadcast_id, recipient_id, revision, outcome, reason, reference, provider, at)"
        " FROM STDIN"
    )
    head, tail = f"{batch.announcement}\t{batch.broadcast_id}\t", f"\t{_copied(provider)}\t{at.isoformat()}\n"
    # A call's rows say mostly the same: its words are made fit for COPY once.
    words: dict[tuple[str, str, str], str] = {}
    lines = []
    for recipient_id, outcome, reason, reference, _ in rows:
        said = words.get((outcome, reason, reference))
        if said is None:
            said = f"\t{revision}\t{outcome}\t{_copied(kept_reason(reason))}\t{_copied(reference)}{tail}"
            words[outcome, reason, reference] = said
        lines.append(f"{head}{recipient_id}{said}")
    copy_text(connection, statement, "".join(lines))


def kept_words(words: str) -> str:
    """A provider's words as the database takes them: without what no text holds, and not a page of it."""
    return words.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST_WORDS]


def kept_reason(words: str) -> str:
    """A provider's reason as the database takes it: also without the number that it may name."""
    return _NUMBER.sub("…", kept_words(words)) if words else words


def _copied(words: str) -> str:
    return kept_words(words).translate(_ESCAPES)


def size(connection: Connection) -> int:
    """How many recipients are accounted for, from the broadcasts' counters."""
    total = sum((func.sum(broadcast_table.c[name]) for name in broadcast_rows.OUTCOME_COUNTERS), literal(0))
    return int(connection.execute(select(total)).scalar() or 0)


def outcomes(connection: Connection, broadcast_id: str) -> Iterator[tuple[int, str]]:
    """(recipient id, outcome) of a broadcast."""
    for row in connection.execute(_OUTCOMES, {"broadcast": broadcast_id}):
        yield row.recipient_id, row.outcome


def told(connection: Connection, recipient_id: int, slug: str | None) -> list[Row[Any]]:
    """What one recipient was told, oldest first: every delivery with its broadcast, of one announcement or of all.

    Looks the recipient up in each broadcast by the ledger's own key, so that no second index slows the sending down.
    """
    numbers = select(announcements.c.number).where(announcements.c.purged_at.is_(None))
    if slug:
        numbers = numbers.where(announcements.c.slug == slug)
    found: list[Row[Any]] = []
    for number in connection.execute(numbers).scalars():
        found += connection.execute(_told_by(number), {"recipient": recipient_id})
    return sorted(found, key=lambda row: row.at)


def reasons(connection: Connection, slug: str) -> list[Row[Any]]:
    """How often each (channel, outcome, reason) other than accepted occurred, most frequent first."""
    return list(connection.execute(_REASONS, {"slug": slug}))


def failures(connection: Connection, slug: str, broadcast_id: str | None = None) -> list[Row[Any]]:
    """Who was not reached, of an announcement or one of its broadcasts, most frequent first.

    `number` of recipients by `channel`, `provider`, `outcome` (`rejected`, `unknown`, `skipped`; `failed` when that is
    what a receipt said) and `reason`.
    """
    return list(connection.execute(_FAILURES, {"slug": slug, "broadcast": broadcast_id}))


def deliveries_of(connection: Connection, broadcast_id: str, *, failures_only: bool) -> Iterator[Row[Any]]:
    """Every delivery of a broadcast by recipient, with the recipient as sealed when the broadcast was opened.

    Streams: a row is read when it is asked for. `handle`, `sealed` and `pool` are None for one that is purged.
    """
    options = {"stream_results": True, "yield_per": _READ_AT_ONCE}
    values = {"broadcast": broadcast_id, "failures_only": failures_only}
    return iter(connection.execute(_DELIVERIES, values, execution_options=options))


_READ_AT_ONCE = 2_000

_PART = """(
    SELECT a.number FROM broadcasts b JOIN announcements a ON a.slug = b.slug WHERE b.id = :broadcast
)"""
_PART_OF_SLUG = "(SELECT number FROM announcements WHERE slug = :slug)"

_OUTCOMES = text(
    f"SELECT recipient_id, outcome FROM deliveries WHERE announcement = {_PART} AND broadcast_id = :broadcast"  # noqa: S608
)


def _told_by(number: int) -> TextClause:
    """The part by its name: one look into each broadcast, however many announcements there are."""
    return text(
        f"""
        SELECT d.at, b.slug, d.revision, b.phase, b.channel, d.provider, b.occurrence, d.outcome, d.reason, d.reference,
               d.receipt, d.receipt_at
        FROM broadcasts b
        JOIN {partition(number)} d
        ON d.announcement = {int(number)} AND d.broadcast_id = b.id AND d.recipient_id = :recipient
        WHERE b.slug = (SELECT slug FROM announcements WHERE number = {int(number)}) AND b.opened_at IS NOT NULL
        """  # noqa: S608 - only numbers and their names are put in
    )


_REASONS = text(
    f"""
    SELECT b.channel, d.outcome, d.reason, count(*) AS number
    FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast_id
    WHERE d.announcement = {_PART_OF_SLUG} AND d.outcome <> 'accepted'
    GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
    """  # noqa: S608 - only constants are put together
)

_FAILED = "(d.outcome <> 'accepted' OR d.receipt = 'failed')"

_FAILURES = text(
    f"""
    SELECT b.channel, d.provider, CASE WHEN d.receipt = 'failed' THEN 'failed' ELSE d.outcome END AS outcome, d.reason,
           count(*) AS number
    FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast_id
    WHERE d.announcement = {_PART_OF_SLUG} AND {_FAILED}
      AND (CAST(:broadcast AS text) IS NULL OR d.broadcast_id = :broadcast)
    GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4
    """  # noqa: S608 - only constants are put together
)

# In the order of both keys: nothing is sorted, and the first row comes at once.
_DELIVERIES = text(
    f"""
    SELECT d.recipient_id, d.provider, d.revision, d.outcome, d.reason, d.reference, d.at, d.receipt, d.receipt_at,
           r.pool, r.handle, r.sealed
    FROM deliveries d
    JOIN broadcasts b ON b.id = d.broadcast_id
    LEFT JOIN recipients r
    ON r.id = d.recipient_id AND r.since <= b.version AND (r.until IS NULL OR r.until > b.version)
    WHERE d.announcement = {_PART} AND d.broadcast_id = :broadcast AND (NOT :failures_only OR {_FAILED})
    ORDER BY d.recipient_id
    """  # noqa: S608 - only constants are put together
)
