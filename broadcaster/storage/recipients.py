"""Recipients in the database: people, accounts and endpoints in one id space."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.channels.base import RecipientKind
from broadcaster.storage.tables import deliveries, recipients

_COLUMNS = (recipients.c.id, recipients.c.address, recipients.c.language, recipients.c.name)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: `address` is an E.164 phone number, or the name of an account or endpoint."""

    id: int
    address: str
    language: str
    name: str
    listed: bool = True
    """False for one that left the audience after the broadcast was opened."""


@dataclass(frozen=True, slots=True)
class Range:
    """Consecutive recipients by id, both ends included."""

    first_id: int
    last_id: int
    size: int


def put_endpoints(
    connection: Connection, kind: RecipientKind, channel: str, rows: Sequence[dict[str, Any]], at: datetime
) -> None:
    """Make these the active accounts or endpoints of a channel; others of the channel stay, inactive."""
    names = [row["address"] for row in rows]
    others = (recipients.c.channel == channel) & recipients.c.address.not_in(names)
    connection.execute(
        update(recipients).where(others, recipients.c.inactive_since.is_(None)).values(inactive_since=at)
    )
    for row in rows:
        statement = insert(recipients).values(kind=kind, channel=channel, listed_since=at, **row)
        since = case((recipients.c.inactive_since.is_(None), recipients.c.listed_since), else_=at)
        changed = {"inactive_since": None, "listed_since": since, "name": row["name"], "language": row["language"]}
        connection.execute(statement.on_conflict_do_update(index_elements=["kind", "channel", "address"], set_=changed))


def ranges(connection: Connection, kind: RecipientKind, channel: str, size: int, at: datetime) -> list[Range]:
    """Cut a channel's recipients who are listed at `at` into ranges of up to `size`, by id."""
    numbered = (
        select(recipients.c.id, ((func.row_number().over(order_by=recipients.c.id) - 1) // size).label("part"))
        .where(recipients.c.kind == kind, recipients.c.channel == channel)
        .where(recipients.c.inactive_since.is_(None), recipients.c.listed_since <= at)
        .subquery()
    )
    query = select(func.min(numbered.c.id), func.max(numbered.c.id), func.count()).group_by(numbered.c.part)
    return [Range(*row) for row in connection.execute(query.order_by(func.min(numbered.c.id)))]


def unsettled(connection: Connection, kind: RecipientKind, channel: str, batch: Row[Any]) -> list[Recipient]:
    """The recipients of a batch (joined with its broadcast's `opened_at`) that have no delivery yet, by id."""
    settled = (
        select(deliveries.c.recipient_id)
        .where(deliveries.c.broadcast_id == batch.broadcast_id, deliveries.c.recipient_id == recipients.c.id)
        .exists()
    )
    listed = recipients.c.inactive_since.is_(None)
    query = (
        select(*_COLUMNS, listed.label("listed"))
        .where(recipients.c.id.between(batch.first_id, batch.last_id), recipients.c.kind == kind)
        .where(recipients.c.channel == channel, ~settled)
        .where(recipients.c.listed_since <= batch.opened_at)
        .where(listed | (recipients.c.inactive_since > batch.opened_at))
        .order_by(recipients.c.id)
    )
    return [Recipient(*row) for row in connection.execute(query)]


def by_ids(connection: Connection, ids: Sequence[int]) -> list[Recipient]:
    """Recipients by id, in the order of the ids."""
    query = select(*_COLUMNS)
    found = {row.id: Recipient(*row) for row in connection.execute(query.where(recipients.c.id.in_(ids)))}
    return [found[id_] for id_ in ids if id_ in found]


def person_by_phone(connection: Connection, phone: str) -> int | None:
    """The id of the person with an E.164 number, listed or not; None when nobody has it."""
    of_phone = (recipients.c.kind == RecipientKind.PERSON) & (recipients.c.address == phone)
    return connection.execute(select(recipients.c.id).where(of_phone)).scalar()


def merge_people(
    connection: Connection, rows: Iterable[tuple[str, str, str, list[str]]], at: datetime
) -> dict[str, int]:
    """Copy people (phone, name, language, tags) into a staging table and merge them by phone; counts what changed."""
    connection.execute(
        text("CREATE TEMP TABLE staged_people (phone text, name text, language text, tags text[]) ON COMMIT DROP")
    )
    copy_rows(connection, "COPY staged_people (phone, name, language, tags) FROM STDIN", rows)
    merged = connection.execute(
        text(
            """
            WITH merged AS (
                INSERT INTO recipients AS r (kind, channel, address, name, language, tags, listed_since)
                SELECT DISTINCT ON (phone) 'person', '', phone, name, language, tags, :at FROM staged_people
                ON CONFLICT (kind, channel, address) DO UPDATE
                SET name = excluded.name, language = excluded.language, tags = excluded.tags,
                    listed_since = CASE WHEN r.inactive_since IS NULL
                                        THEN r.listed_since ELSE excluded.listed_since END,
                    inactive_since = NULL
                WHERE (r.name, r.language, r.tags) IS DISTINCT FROM (excluded.name, excluded.language, excluded.tags)
                   OR r.inactive_since IS NOT NULL
                RETURNING (xmax = 0) AS added
            )
            SELECT count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM merged
            """
        ),
        {"at": at},
    ).one()
    return {"added": merged[0], "changed": merged[1]}


def copy_rows(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Stream rows into Postgres by COPY, inside the connection's transaction."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
