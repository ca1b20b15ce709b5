"""Audiences in the database: importing a pool as a new version, and what each version consists of.

Recipients are copied into a staging table, sealed already, and merged in a few set-based statements. A version's
membership never changes afterwards: a recipient that changes or leaves gets the new version's number as its `until`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from broadcaster.errors import StateError
from broadcaster.planning.broadcast import EVERYONE
from broadcaster.planning.segment import contains, parse_segment
from broadcaster.storage import staging
from broadcaster.storage.staging import Row as Row  # noqa: PLC0414 - also a word of this module
from broadcaster.storage.tables import audience_counts, audience_versions, tag_sets
from broadcaster.vault import Vault

PEOPLE = ""
"""The pool of people; every other pool is a channel's slug."""

UNSET_LANGUAGE = "und"
"""BCP 47's word for a language that is not known: the announcement's first is then used."""

# Versions of one pool are numbered in the order in which they are committed; any fixed number does.
_LOCK = 720_712_022

_MEMORY = "128MB"
"""What one sort or hash of a merge may take of the server's memory."""


class TooManyLeaveError(StateError):
    """A file has so few of the present recipients that it is hardly meant to replace them."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a staged pool; `version` is the newest afterwards, a new one only if anything differs."""

    version: int
    recipients: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    doubles: int = 0
    """Rows that had the same address as a later one."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a pool, and what made it differ from the one before."""

    number: int
    at: datetime
    source: str
    recipients: int
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True)
class Combination:
    """How many recipients of a version have a language and exactly these tags."""

    language: str
    tags: frozenset[str]
    tag_set: int
    recipients: int


def stage(connection: Connection, pool: str, vault: Vault, rows: Iterable[Row]) -> None:
    """Copy recipients, sealed, into the transaction's staging table."""
    staging.copy(connection, pool, vault, rows)


def merge(
    connection: Connection, pool: str, source: str, at: datetime, *, keep_others: bool, most_leaving: float = 1.0
) -> Merged:
    """Make what is staged the newest version of the pool; others leave it unless `keep_others`.

    Raises TooManyLeaveError when more than the share `most_leaving` (0 to 1) of the present recipients would leave.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock, hashtext(:pool))"), {"lock": _LOCK, "pool": pool})
    connection.execute(text(f"SET LOCAL work_mem = '{_MEMORY}'"))
    before = newest(connection, pool)
    doubles = staging.unite(connection)
    values = {"pool": pool, "version": before + 1}
    if before == 0:
        added, changed, removed = _run(connection, _FIRST, values), 0, 0
    else:
        added, changed, removed = _differences(connection, pool, keep_others=keep_others)
        _refuse_loss(removed, size(connection, pool, before), most_leaving)
        _put_differences(connection, values)
    connection.execute(text("DROP TABLE staged"))
    if not (changed or removed or added):
        return Merged(before, size(connection, pool, before), doubles=doubles)
    total = _count(connection, values)
    found = {"recipients": total, "added": added, "changed": changed, "removed": removed}
    connection.execute(insert(audience_versions).values(pool=pool, number=before + 1, at=at, source=source, **found))
    if (added + changed + removed) * _WORTH_ANALYSING > total:
        connection.execute(text("ANALYZE recipients"))
    return Merged(before + 1, **found, doubles=doubles)


def versions(connection: Connection, pool: str) -> list[Version]:
    """Every version of a pool, oldest first."""
    columns = audience_versions.c
    query = select(
        columns.number, columns.at, columns.source, columns.recipients, columns.added, columns.changed, columns.removed
    )
    return [Version(*row) for row in connection.execute(query.where(columns.pool == pool).order_by(columns.number))]


def newest_version(connection: Connection, pool: str) -> Version | None:
    """A pool's newest version; None when it has none."""
    found = versions(connection, pool)
    return found[-1] if found else None


def newest(connection: Connection, pool: str) -> int:
    """The number of a pool's newest version; 0 when it has none."""
    query = select(func.max(audience_versions.c.number)).where(audience_versions.c.pool == pool)
    return int(connection.execute(query).scalar() or 0)


def joined_since(connection: Connection, pool: str, version: int, earlier: int) -> int:
    """How many recipients joined a pool after an earlier version, up to and with a version."""
    later = (audience_versions.c.number > earlier) & (audience_versions.c.number <= version)
    query = select(func.coalesce(func.sum(audience_versions.c.added), 0)).where(audience_versions.c.pool == pool, later)
    return int(connection.execute(query).scalar_one())


def size(connection: Connection, pool: str, version: int) -> int:
    """How many recipients a version has."""
    of_version = (audience_versions.c.pool == pool) & (audience_versions.c.number == version)
    return int(connection.execute(select(audience_versions.c.recipients).where(of_version)).scalar() or 0)


def combinations(connection: Connection, pool: str, version: int) -> list[Combination]:
    """What a version consists of, by language and tags: a few hundred rows, whatever its size."""
    counts = audience_counts
    query = (
        select(counts.c.language, tag_sets.c.tags, counts.c.tag_set, counts.c.recipients)
        .join(tag_sets, tag_sets.c.id == counts.c.tag_set)
        .where(counts.c.pool == pool, counts.c.version == version)
        .order_by(counts.c.language, counts.c.tag_set)
    )
    return [
        Combination(row.language, frozenset(row.tags), row.tag_set, row.recipients) for row in connection.execute(query)
    ]


def tags_of(connection: Connection, sets: Collection[int]) -> Mapping[int, frozenset[str]]:
    """Tag set → its tags."""
    query = select(tag_sets.c.id, tag_sets.c.tags).where(tag_sets.c.id.in_(sets))
    return {row.id: frozenset(row.tags) for row in connection.execute(query)}


def kinds(connection: Connection, pool: str, version: int, audience: str) -> list[tuple[str, int]] | None:
    """The (language, tag set) pairs of a version that a broadcast's audience covers; None for everyone."""
    if audience == EVERYONE:
        return None
    return [(row.language, row.tag_set) for row in covered(connection, pool, version, audience)]


def covered(connection: Connection, pool: str, version: int, audience: str) -> list[Combination]:
    """The combinations of a version that a broadcast's audience covers."""
    segment = parse_segment(audience)
    return [row for row in combinations(connection, pool, version) if contains(segment, row.language, row.tags)]


def reach(connection: Connection, pool: str, version: int, audience: str) -> int:
    """How many recipients of a version a broadcast's audience covers."""
    if audience == EVERYONE:
        return size(connection, pool, version)
    return sum(row.recipients for row in covered(connection, pool, version, audience))


_WORTH_ANALYSING = 10
"""The database's statistics are renewed at once when more than one in so many recipients is new or another one."""


def _differences(connection: Connection, pool: str, *, keep_others: bool) -> tuple[int, int, int]:
    """Find what differs from the newest version: (added, changed, removed); `differing` then has these rows."""
    connection.execute(text(_DIFFERING))
    statement = _FIND_DIFFERING[pool == PEOPLE, keep_others]
    connection.execute(statement, {} if pool == PEOPLE else {"pool": pool})
    connection.execute(text("ANALYZE differing"))
    row = connection.execute(text(_HOW_MANY)).one()
    return int(row.added), int(row.changed), int(row.removed)


def _refuse_loss(removed: int, present: int, most_leaving: float) -> None:
    if removed > present * most_leaving:
        raise TooManyLeaveError(f"{removed:,} of the {present:,} in the audience are not in it, so they would leave")


def _put_differences(connection: Connection, values: dict[str, Any]) -> None:
    """Let rows that changed or left end with the version; what changed begins again under its id, and so do former
    recipients who are back."""
    _run(connection, _END, {"version": values["version"]})
    _run(connection, _BEGIN_AGAIN, values)
    connection.execute(text(_FORMER))
    connection.execute(text("ANALYZE former"))
    _run(connection, _BEGIN, values)
    connection.execute(text("DROP TABLE differing, former"))


def _count(connection: Connection, values: dict[str, Any]) -> int:
    """Put down how many recipients each language and tag set has in the newest version; gives how many there are."""
    people = values["pool"] == PEOPLE
    rows = connection.execute(_COUNTS[people], {} if people else {"pool": values["pool"]}).all()
    if rows:
        counted = [{**values, "language": row[0], "tag_set": row[1], "recipients": row[2]} for row in rows]
        connection.execute(insert(audience_counts), counted)
    return sum(row[2] for row in rows)


def _run(connection: Connection, statement: str, values: dict[str, Any]) -> int:
    return int(connection.execute(text(statement), values).rowcount)


# People's rows are nearly all there are; those of other pools are few and have an index of their own.
_OF_POOL = {True: "pool = '' AND until IS NULL", False: "pool <> '' AND pool = :pool AND until IS NULL"}

# In the order of the handles, which is no order of people: its index grows at its end, and the first ones by id, to
# whom a canary goes, are a sample of everybody.
_FIRST = """
INSERT INTO recipients (since, pool, handle, fingerprint, sealed, language, tag_set)
SELECT :version, :pool, handle, fingerprint, sealed, language, tag_set FROM staged ORDER BY handle
"""

_DIFFERING = """
CREATE TEMP TABLE differing (
    id bigint, since int, handle bytea, fingerprint bytea, sealed bytea, language text, tag_set int
) ON COMMIT DROP
"""

_FIND_DIFFERING = {
    (people, keep_others): text(
        f"""
        INSERT INTO differing
        SELECT r.id, r.since, s.handle, s.fingerprint, s.sealed, s.language, s.tag_set
        FROM staged s {"LEFT" if keep_others else "FULL"} JOIN (
            SELECT id, since, handle, fingerprint, language, tag_set FROM recipients WHERE {of_pool}
        ) r ON r.handle = s.handle
        WHERE (r.fingerprint, r.language, r.tag_set) IS DISTINCT FROM (s.fingerprint, s.language, s.tag_set)
        """  # noqa: S608 - only constants are put together
    )
    for people, of_pool in _OF_POOL.items()
    for keep_others in (True, False)
}

_HOW_MANY = """
SELECT count(*) FILTER (WHERE id IS NULL) AS added,
       count(*) FILTER (WHERE id IS NOT NULL AND handle IS NOT NULL) AS changed,
       count(*) FILTER (WHERE handle IS NULL) AS removed
FROM differing
"""

_END = "UPDATE recipients r SET until = :version FROM differing d WHERE r.id = d.id AND r.since = d.since"

_BEGIN_AGAIN = """
INSERT INTO recipients (id, since, pool, handle, fingerprint, sealed, language, tag_set)
SELECT id, :version, :pool, handle, fingerprint, sealed, language, tag_set
FROM differing WHERE id IS NOT NULL AND handle IS NOT NULL
"""

# Found before they are inserted: a search of the table that grows meanwhile takes ever longer.
_FORMER = """
CREATE TEMP TABLE former ON COMMIT DROP AS
SELECT DISTINCT r.handle, r.id FROM differing d JOIN recipients r ON r.handle = d.handle
WHERE d.id IS NULL AND r.until IS NOT NULL
"""

_BEGIN = """
INSERT INTO recipients (id, since, pool, handle, fingerprint, sealed, language, tag_set)
SELECT coalesce(f.id, nextval(pg_get_serial_sequence('recipients', 'id'))), :version, :pool,
       d.handle, d.fingerprint, d.sealed, d.language, d.tag_set
FROM (SELECT * FROM differing WHERE id IS NULL ORDER BY handle) d LEFT JOIN former f ON f.handle = d.handle
"""

_COUNTS = {
    people: text(f"SELECT language, tag_set, count(*) FROM recipients WHERE {of_pool} GROUP BY language, tag_set")  # noqa: S608
    for people, of_pool in _OF_POOL.items()
}
