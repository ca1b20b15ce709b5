"""Screens in the database: the endpoints of the site's surfaces, and which document each of them fetched when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.storage import events
from broadcaster.storage.tables import screens


@dataclass(frozen=True, slots=True)
class Fetch:
    """A screen fetched the document of a `seq`: first and last, as far as its process knows, campaign time.

    The same instants by machine time are `machine_first` and `machine_last`.
    """

    channel: str
    name: str
    seq: int
    first: datetime
    last: datetime
    machine_first: datetime
    machine_last: datetime


def configure(connection: Connection, channel: str, names: Collection[str], at: datetime) -> None:
    """Make exactly these the screens of a surface; one that is no longer named is gone, and may come back."""
    of_channel = screens.c.channel == channel
    left = update(screens).where(of_channel, screens.c.name.not_in(names), screens.c.gone_at.is_(None))
    connection.execute(left.values(gone_at=at))
    back = update(screens).where(of_channel, screens.c.name.in_(names), screens.c.gone_at.is_not(None))
    connection.execute(back.values(gone_at=None, since=at))
    if names:
        rows = [{"channel": channel, "name": name, "since": at} for name in sorted(names)]
        connection.execute(insert(screens).values(rows).on_conflict_do_nothing())


def note(connection: Connection, fetches: Sequence[Fetch]) -> None:
    """Put down what screens fetched. Several processes may know different parts: the newest of all stays.

    The first fetch after each change is kept with its time, and no other: what is fetched before the next change states
    the same.
    """
    # In one order, so that two processes never wait for each other.
    rows = [_values(row) for row in sorted(fetches, key=lambda row: (row.channel, row.name, row.seq))]
    if not rows:
        return
    connection.execute(_NOTE, rows)
    changes = events.change_numbers(connection)
    firsts = [row | {"change": changes[place - 1]} for row in rows if (place := bisect_right(changes, row["seq"]))]
    if firsts:
        connection.execute(_FIRST, firsts)


def forget_fetches(connection: Connection, limit: int) -> int:
    """Delete up to `limit` fetches from before the oldest change that is not purged; gives how many.

    Which document a screen has now is kept all the same.
    """
    return connection.execute(_FORGET_FETCHES, {"change": _oldest_change(connection), "limit": limit}).rowcount


def count_fetches(connection: Connection, without: Collection[str] = ()) -> int:
    """How many `forget_fetches` would delete in all. `without`: announcements that count as purged already."""
    return int(connection.execute(_COUNT_FETCHES, {"change": _oldest_change(connection, without)}).scalar_one())


def _oldest_change(connection: Connection, without: Collection[str] = ()) -> int | None:
    return next(iter(events.change_numbers(connection, without)), None)


def standing(connection: Connection, channel: str | None = None) -> list[Row[Any]]:
    """The screens that the site has now, by channel and name; of one channel or of all."""
    query = select(screens).where(screens.c.gone_at.is_(None)).order_by(screens.c.channel, screens.c.name)
    return list(connection.execute(query.where(screens.c.channel == channel) if channel else query))


def every(connection: Connection) -> list[Row[Any]]:
    """All screens there ever were, by channel and name."""
    return list(connection.execute(select(screens).order_by(screens.c.channel, screens.c.name)))


def fetches(connection: Connection, since: int) -> Mapping[tuple[str, str], Sequence[tuple[datetime, int]]]:
    """(channel, name) → (when first, `seq`) of the documents that each screen fetched, oldest first, campaign time.

    From the newest one up to `since` on: that is what a screen stated then. The first after each change (`note`).
    """
    found: dict[tuple[str, str], list[tuple[datetime, int]]] = {}
    for row in connection.execute(_FETCHES, {"since": since}):
        found.setdefault((row.channel, row.name), []).append((row.at, row.seq))
    return found


def _values(row: Fetch) -> dict[str, Any]:
    return {
        "channel": row.channel,
        "name": row.name,
        "seq": row.seq,
        "first": row.first,
        "last": row.last,
        "machine_first": row.machine_first,
        "machine_last": row.machine_last,
    }


_FETCHES = text(
    """
    SELECT f.channel, f.name, f.seq, f.at FROM screen_fetches f
    WHERE f.seq >= coalesce((
        SELECT max(b.seq) FROM screen_fetches b WHERE (b.channel, b.name) = (f.channel, f.name) AND b.seq <= :since
    ), 0)
    ORDER BY f.channel, f.name, f.seq
    """
)
_NOTE = text(
    """
    INSERT INTO screens AS s (channel, name, since, seq, fetched_at, fetched_machine_at)
    VALUES (:channel, :name, :first, :seq, :last, :machine_last)
    ON CONFLICT (channel, name) DO UPDATE SET
        seq = greatest(s.seq, excluded.seq),
        fetched_at = greatest(s.fetched_at, excluded.fetched_at),
        fetched_machine_at = greatest(s.fetched_machine_at, excluded.fetched_machine_at)
    """
)
# A process that knew of it earlier may write later: then the later one is superfluous, and does no harm.
_FIRST = text(
    """
    INSERT INTO screen_fetches AS f (channel, name, seq, at, machine_at)
    SELECT :channel, :name, :seq, :first, :machine_first
    WHERE NOT EXISTS (
        SELECT 1 FROM screen_fetches e
        WHERE (e.channel, e.name) = (:channel, :name) AND e.seq >= :change AND e.seq < :seq
    )
    ON CONFLICT (channel, name, seq) DO UPDATE SET
        at = least(f.at, excluded.at), machine_at = least(f.machine_at, excluded.machine_at)
    WHERE excluded.at < f.at OR excluded.machine_at < f.machine_at
    """
)
_OF_NOTHING = "(CAST(:change AS bigint) IS NULL OR seq < :change)"
_FORGET_FETCHES = text(
    f"""
    DELETE FROM screen_fetches WHERE ctid = ANY(ARRAY(SELECT ctid FROM screen_fetches WHERE {_OF_NOTHING} LIMIT :limit))
    """  # noqa: S608 - only constants are put together
)
_COUNT_FETCHES = text(f"SELECT count(*) FROM screen_fetches WHERE {_OF_NOTHING}")  # noqa: S608
