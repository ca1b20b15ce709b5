"""Purging: forgetting who was told what, once an announcement is long over. Its totals and its events are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from broadcaster.announcement.lifecycle import State
from broadcaster.channels.base import Channel
from broadcaster.errors import StateError
from broadcaster.operations.revise import required
from broadcaster.storage import addressed, announcements, events, partitions, receipts, retention, screens
from broadcaster.storage.announcements import Standing
from broadcaster.storage.database import Database
from broadcaster.storage.retention import Details

UNMATCHED_FOR = timedelta(days=30)
"""A receipt that found no delivery for so long will not find one."""
QUOTA_DAYS = timedelta(days=31)
"""What a recipient got on a day is asked on that day; it is kept for as long as somebody may look into it."""

_OVER = frozenset({State.COMPLETED, State.CANCELLED})
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What to purge: whatever is over for longer than `older_than`, or one such announcement."""

    older_than: timedelta
    slug: str | None = None


@dataclass(slots=True)
class Purge:
    """What was deleted, or would be: announcements by slug, and rows that nothing needs any more."""

    announcements: dict[str, Details] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    """Announcements that are old enough, and why they are kept all the same."""
    recipients: int = 0
    """Rows of people, endpoints and accounts who left the audience, or were changed."""
    waiting_receipts: int = 0
    quota_days: int = 0
    screen_fetches: int = 0
    """When a screen first fetched a document that says nothing of what is not purged."""


def preview(connection: Connection, wish: Wish, channels: Mapping[str, Channel], now: datetime) -> Purge:
    """What a purge would delete; deletes nothing. Raises StateError as `purge` does."""
    found = Purge()
    for standing in _wanted(connection, wish, now):
        if why := _why_kept(connection, standing):
            found.kept[standing.slug] = why
        else:
            found.announcements[standing.slug] = retention.details(connection, standing.slug)
    for pool, of_pool in _pools(channels).items():
        version = retention.oldest_needed(connection, pool, of_pool, list(found.announcements))
        found.recipients += retention.count_former(connection, pool, version)
    found.waiting_receipts = receipts.count_waiting(connection, UNMATCHED_FOR)
    found.quota_days = retention.count_quota_days(connection, (now - QUOTA_DAYS).date())
    found.screen_fetches = screens.count_fetches(connection, list(found.announcements))
    return found


def purge(database: Database, wish: Wish, channels: Mapping[str, Channel], actor: str, now: datetime) -> Purge:
    """Delete it, announcement by announcement; what is cut off is brought to its end by the next purge.

    Raises StateError when the announcement that is wished for runs, ended too lately, or is purged already.
    """
    found = Purge()
    with database.begin() as connection:
        wanted = [standing.slug for standing in _wanted(connection, wish, now)]
    for slug in wanted:
        with database.begin() as connection:
            _purge_one(connection, slug, actor, now, found)
        _drop_partitions(database)
    _drop_partitions(database)
    _tidy(database, channels, now, found)
    return found


def _wanted(connection: Connection, wish: Wish, now: datetime) -> list[Standing]:
    """The announcements that are over for long enough."""
    before = now - wish.older_than
    if wish.slug is None:
        return [row for row in announcements.all_standing(connection) if _is_over(row, before) and not row.purged_at]
    standing = required(connection, wish.slug, lock=False)
    if standing.purged_at:
        raise StateError(f"{standing.slug} was purged already, at {standing.purged_at:%Y-%m-%d %H:%M} UTC")
    if standing.state not in _OVER:
        raise StateError(
            f"{standing.slug} is {standing.state}: only what is completed or cancelled can be purged",
            hint="`broadcaster finish` or `broadcaster cancel` ends it",
        )
    if not _is_over(standing, before):
        raise StateError(
            f"{standing.slug} was {standing.state} at {standing.concluded_at:%Y-%m-%d %H:%M} UTC,"
            f" less than {wish.older_than.days} days ago"
        )
    if why := _why_kept(connection, standing):
        raise StateError(f"{standing.slug} cannot be purged: {why}")
    return [standing]


def _is_over(standing: Standing, before: datetime) -> bool:
    ended = standing.concluded_at
    return standing.state in _OVER and ended is not None and ended <= before


def _why_kept(connection: Connection, standing: Standing) -> str | None:
    number = retention.under_way(connection, standing.slug)
    return f"{number:,} of its broadcasts are planned or under way" if number else None


def _purge_one(connection: Connection, slug: str, actor: str, now: datetime, found: Purge) -> None:
    standing = required(connection, slug)
    if standing.purged_at or standing.state not in _OVER:  # somebody else was quicker
        return
    if why := _why_kept(connection, standing):
        found.kept[slug] = why
        return
    details = retention.details(connection, slug)
    retention.forget_details(connection, slug, now)
    said = {"deliveries": details.deliveries, "batches": details.batches, "receipts": details.receipts}
    events.record(connection, actor, "purge", slug, now, said)
    found.announcements[slug] = details


def _drop_partitions(database: Database) -> None:
    with database.begin() as connection:
        numbers = retention.half_purged(connection)
    if not numbers:
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for number in numbers:
            partitions.drop_partition(connection, number)


def _tidy(database: Database, channels: Mapping[str, Channel], now: datetime, found: Purge) -> None:
    """Delete what nothing needs any more, in many small transactions."""
    for pool, of_pool in _pools(channels).items():
        with database.begin() as connection:
            version = retention.oldest_needed(connection, pool, of_pool)
            ranges = retention.id_ranges(connection)
            retention.forget_counts(connection, pool, version)
        for ids in ranges:
            with database.begin() as connection:
                found.recipients += retention.forget_former(connection, pool, version, ids)
    day = (now - QUOTA_DAYS).date()
    found.quota_days = _repeat(database, lambda connection: retention.forget_quota_days(connection, day))
    found.waiting_receipts = _repeat(
        database, lambda connection: receipts.forget_waiting(connection, UNMATCHED_FOR, _ROWS_AT_ONCE)
    )
    found.screen_fetches = _repeat(database, lambda connection: screens.forget_fetches(connection, _ROWS_AT_ONCE))
    _repeat(database, lambda connection: addressed.forget(connection, UNMATCHED_FOR, _ROWS_AT_ONCE))
    _repeat(database, lambda connection: retention.forget_strays(connection, UNMATCHED_FOR))


def _repeat(database: Database, delete: Callable[[Connection], int]) -> int:
    """Delete some in each transaction until there is nothing left; gives how many."""
    total = 0
    while True:
        with database.begin() as connection:
            number = delete(connection)
        if not number:
            return total
        total += number


def _pools(channels: Mapping[str, Channel]) -> dict[str, list[str]]:
    """Pool → the channels that reach it."""
    found: dict[str, list[str]] = {}
    for slug, channel in channels.items():
        found.setdefault(channel.pool, []).append(slug)
    return found
