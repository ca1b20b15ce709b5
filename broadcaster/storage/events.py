"""The event log: who did what when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, cast, func, insert, select

from broadcaster.announcement.lifecycle import OPERATOR_EVENTS, Event
from broadcaster.storage.tables import announcements, events

_CHANGING = sorted(str(event) for event in Event)
"""Every event of the lifecycle changes what a surface shows; sending does not."""
_MILLISECOND = cast(func.floor(func.extract("epoch", events.c.machine_at) * 1000), BigInteger)


def record(
    connection: Connection, actor: str, verb: str, slug: str, at: datetime, details: Mapping[str, Any] | None = None
) -> None:
    """Append what happened, in the transaction that makes it happen. `details` carry ids and counts, never people."""
    row = {"actor": actor, "verb": verb, "slug": slug, "at": at, "details": dict(details or {})}
    # Not when the transaction began: the number of a surface's document must rise with what was committed last.
    connection.execute(insert(events).values(**row, machine_at=func.clock_timestamp()))


def record_all(
    connection: Connection, actor: str, verb: str, at: datetime, rows: Sequence[tuple[str, Mapping[str, Any]]]
) -> None:
    """Append what happened to several announcements, as (slug, details)."""
    if rows:
        values = [{"actor": actor, "verb": verb, "slug": slug, "at": at, "details": dict(said)} for slug, said in rows]
        connection.execute(insert(events), values)


def history(connection: Connection, slug: str) -> list[Row[Any]]:
    """Everything that happened to an announcement, oldest first."""
    return list(connection.execute(select(events).where(events.c.slug == slug).order_by(events.c.id)))


def last_before(connection: Connection, verb: str, scope: str) -> datetime | None:
    """The campaign time of what was recorded last before the newest event of this verb and scope; None for nothing."""
    this = (events.c.verb == verb) & (events.c.details["scope"].as_string() == scope)
    newest_id = select(func.max(events.c.id)).where(this).scalar_subquery()
    query = select(events.c.at).where(events.c.id < newest_id).order_by(events.c.id.desc()).limit(1)
    return connection.execute(query).scalar()


def changes(connection: Connection, slug: str | None = None) -> list[Row[Any]]:
    """What operators changed of the announcements that are or were public, oldest first; of one or of all.

    `seq`, `at` (campaign time), `slug`, `verb` and `details` of each. A surface document whose `seq` is not below that
    of a change holds it.
    """
    seq = func.max(_MILLISECOND).over(order_by=events.c.id) + func.count().over(order_by=events.c.id)
    numbered = (
        select(seq.label("seq"), events.c.id, events.c.at, events.c.slug, events.c.verb, events.c.details)
        .where(events.c.verb.in_(_CHANGING))
        .subquery()
    )
    query = (
        select(numbered.c.seq, numbered.c.at, numbered.c.slug, numbered.c.verb, numbered.c.details)
        .join(announcements, announcements.c.slug == numbered.c.slug)
        .where(numbered.c.verb.in_(sorted(OPERATOR_EVENTS)), announcements.c.approved_revision.is_not(None))
        .order_by(numbered.c.id)
    )
    return list(connection.execute(query.where(numbered.c.slug == slug) if slug else query))


def change_numbers(connection: Connection, without: Collection[str] = ()) -> list[int]:
    """`seq` of each of those changes whose announcement is not purged, in order: what reports may ask screens about.

    `without`: announcements that count as purged already.
    """
    purged = select(announcements.c.slug).where(announcements.c.purged_at.is_not(None))
    gone = frozenset([*connection.execute(purged).scalars(), *without])
    return [int(row.seq) for row in changes(connection) if row.slug not in gone]


def newest_seq(connection: Connection) -> int:
    """The number of the documents that hold everything up to now; 0 while nothing was ever decided.

    When the newest event of the lifecycle was recorded, in milliseconds of machine time, plus how many there are. So it
    rises with every one that is committed, also where two overlap and the earlier one is committed last; and it goes on
    rising when a database is set up anew, so that no screen refuses the new documents as old ones.
    """
    query = select(func.coalesce(func.max(_MILLISECOND) + func.count(), 0)).where(events.c.verb.in_(_CHANGING))
    return int(connection.execute(query).scalar_one())
