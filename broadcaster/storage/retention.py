"""Retention: deleting what is no longer needed, in pieces that hold up nobody.

An announcement that is purged loses its deliveries, calls, batches and receipts. It keeps its row, its revisions, its
broadcasts with their counters, and its events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select, text, update

from broadcaster.storage.tables import announcements, audience_versions, recipients

IDS_AT_ONCE = 100_000
"""How far along the recipients' ids one transaction goes."""
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Details:
    """How much of an announcement a purge deletes; deliveries by the counters of its broadcasts."""

    deliveries: int
    batches: int
    receipts: int


def details(connection: Connection, slug: str) -> Details:
    """What is kept of an announcement until it is purged."""
    return Details(*map(int, connection.execute(_DETAILS, {"slug": slug}).one()))


def under_way(connection: Connection, slug: str) -> int:
    """How many broadcasts of an announcement are planned or open."""
    return int(connection.execute(_UNDER_WAY, {"slug": slug}).scalar_one())


def forget_details(connection: Connection, slug: str, at: datetime) -> None:
    """Delete all but the deliveries, whose partition is dropped afterwards, and put down when."""
    connection.execute(update(announcements).where(announcements.c.slug == slug).values(purged_at=at))
    for statement in _FORGET_DETAILS:
        connection.execute(statement, {"slug": slug})


def half_purged(connection: Connection) -> list[int]:
    """The numbers of purged announcements whose partition is still there: a purge was cut off."""
    return list(connection.execute(_HALF_PURGED).scalars())


def oldest_needed(connection: Connection, pool: str, channels: Sequence[str], without: Sequence[str] = ()) -> int:
    """The oldest version of a pool, which these channels reach, that a broadcast which is not purged was opened with.

    The newest one where there is no such broadcast. `without`: announcements that count as purged already.
    """
    newest = select(func.coalesce(func.max(audience_versions.c.number), 0)).where(audience_versions.c.pool == pool)
    used = connection.execute(_OLDEST_USED, {"channels": list(channels), "without": list(without)}).scalar()
    latest = int(connection.execute(newest).scalar_one())
    return latest if used is None else min(latest, int(used))


def count_former(connection: Connection, pool: str, version: int) -> int:
    """How many rows of a pool are in no version from `version` on."""
    return int(connection.execute(_COUNT_FORMER, {"pool": pool, "version": version}).scalar_one())


def id_ranges(connection: Connection) -> Iterator[tuple[int, int]]:
    """The recipients' ids in ranges, each from after the first number up to the second."""
    last = int(connection.execute(select(func.coalesce(func.max(recipients.c.id), 0))).scalar_one())
    return ((start, start + IDS_AT_ONCE) for start in range(0, last, IDS_AT_ONCE))


def forget_former(connection: Connection, pool: str, version: int, ids: tuple[int, int]) -> int:
    """Delete those of a range who are in no version of their pool from `version` on; gives how many."""
    values = {"pool": pool, "version": version, "after": ids[0], "last": ids[1]}
    return connection.execute(_FORGET_FORMER, values).rowcount


def forget_counts(connection: Connection, pool: str, version: int) -> None:
    """Delete what the versions before `version` consisted of; that they were imported is kept."""
    connection.execute(_FORGET_COUNTS, {"pool": pool, "version": version})


def forget_strays(connection: Connection, older_than: timedelta) -> int:
    """Delete up to `ROWS_AT_ONCE` callbacks about broadcasts that nobody knows, or that are purged; gives how many."""
    return connection.execute(_FORGET_STRAYS, {"older_than": older_than, "limit": ROWS_AT_ONCE}).rowcount


def count_quota_days(connection: Connection, before: date) -> int:
    """How many rows `forget_quota_days` would delete."""
    return int(connection.execute(_COUNT_QUOTA_DAYS, {"before": before}).scalar_one())


def forget_quota_days(connection: Connection, before: date) -> int:
    """Delete up to `ROWS_AT_ONCE` counts of what recipients got on days before a date; gives how many."""
    return connection.execute(_FORGET_QUOTA_DAYS, {"before": before, "limit": ROWS_AT_ONCE}).rowcount


_OF_SLUG = "(SELECT id FROM broadcasts WHERE slug = :slug)"

_DETAILS = text(
    f"""
    SELECT (SELECT coalesce(sum(accepted + rejected + unknown + skipped), 0) FROM broadcasts WHERE slug = :slug),
           (SELECT count(*) FROM batches WHERE broadcast_id IN {_OF_SLUG}),
           (SELECT coalesce(sum(number), 0) FROM receipts WHERE broadcast_id IN {_OF_SLUG})
    """  # noqa: S608 - only constants are put together
)

_UNDER_WAY = text("SELECT count(*) FROM broadcasts WHERE slug = :slug AND state IN ('planned', 'open')")

_FORGET_DETAILS = [
    text(f"DELETE FROM {table} WHERE broadcast_id IN {_OF_SLUG}")  # noqa: S608 - only constants are put together
    for table in ("calls", "batches", "receipts", "waiting_receipts", "replacements")
]

_HALF_PURGED = text(
    """
    SELECT number FROM announcements
    WHERE purged_at IS NOT NULL AND to_regclass('deliveries_' || number) IS NOT NULL ORDER BY number
    """
)

_OLDEST_USED = text(
    """
    SELECT min(b.version) FROM broadcasts b JOIN announcements a ON a.slug = b.slug
    WHERE a.purged_at IS NULL AND b.channel = ANY(CAST(:channels AS text[]))
      AND NOT a.slug = ANY(CAST(:without AS text[]))
    """
)

_COUNT_FORMER = text("SELECT count(*) FROM recipients WHERE pool = :pool AND until <= :version")

_FORGET_FORMER = text("DELETE FROM recipients WHERE id > :after AND id <= :last AND pool = :pool AND until <= :version")

_FORGET_COUNTS = text("DELETE FROM audience_counts WHERE pool = :pool AND version < :version")

_FORGET_STRAYS = text(
    """
    DELETE FROM receipts WHERE id IN (
        SELECT r.id FROM receipts r
        LEFT JOIN broadcasts b ON b.id = r.broadcast_id LEFT JOIN announcements a ON a.slug = b.slug
        WHERE r.merged AND (a.slug IS NULL OR a.purged_at IS NOT NULL) AND r.received_at < now() - :older_than
        LIMIT :limit
    )
    """
)

_COUNT_QUOTA_DAYS = text("SELECT count(*) FROM recipient_quotas WHERE day < :before")

_FORGET_QUOTA_DAYS = text(
    """
    DELETE FROM recipient_quotas WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM recipient_quotas WHERE day < :before LIMIT :limit
    ))
    """
)
