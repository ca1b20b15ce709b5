"""Recipients of a broadcast: cutting its audience into ranges, and reading who is in one.

Rows are read as Postgres holds them, sealed; only the courier opens what it is about to send.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.types import BigInteger, Integer, Text

from broadcaster.channels.registry import PEOPLE_POOLS
from broadcaster.storage import believers
from broadcaster.storage.believers import Beliefs
from broadcaster.storage.newcomers import UNTOLD, Untold

SCANNED_AT_ONCE = 20_000
"""How far one cut looks for recipients of a narrow segment."""


class Sealed(NamedTuple):
    """A recipient as stored; `suppressed` is why they must not be written to, None when they may.

    `held` names what they were told that is untrue, for a broadcast to those who hold it."""

    id: int
    handle: bytes
    sealed: bytes
    language: str
    suppressed: str | None
    tag_set: int
    held: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a broadcast is for: a version of a pool, narrowed to languages with tag sets (None: everyone in it).

    `failed_in` narrows it further to those whom another broadcast, and whatever tried it again, failed to reach;
    `untold_by` to those whom none of these broadcasts told since they joined, nor is going to. With `beliefs`, it is
    for whoever holds something untrue, whatever version they are in; `anyone` says that also for those who are looked
    up by their ids."""

    pool: str
    version: int
    kinds: Collection[tuple[str, int]] | None = None
    failed_in: str = ""
    announcement: int = 0
    untold_by: Untold | None = None
    beliefs: Beliefs | None = None
    anyone: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """Recipients by id, after `after` up to and with `last`; `size` of them are in scope. `end`: nobody comes later."""

    after: int
    last: int
    size: int
    end: bool


def next_range(connection: Connection, scope: Scope, after: int, size: int) -> Range:
    """The next up to `size` recipients of the scope by id; a narrow scope may give fewer before the end."""
    if scope.beliefs is not None:
        row = believers.next_range(connection, scope.beliefs, after, size, SCANNED_AT_ONCE)
        return Range(after, row.last or after, row.size, row.last is None)
    statement = _NEXT[_shape(scope)]
    values = {**_values(scope), "after": after, "size": size, "scanned": SCANNED_AT_ONCE}
    row = connection.execute(statement, values).one()
    end = row.last is None or (row.size < size and not _is_narrow(_shape(scope)))
    return Range(after, row.last or after, row.size, end)


def in_range(
    connection: Connection, scope: Scope, broadcast_id: str, first: int, last: int, channel: str, *, fresh: bool
) -> list[Sealed]:
    """Those of a range who have no delivery yet, by id; `fresh` says that none of them can have one."""
    if scope.beliefs is not None:
        found = believers.in_range(connection, scope.beliefs, broadcast_id, first, last, channel)
        return cast("list[Sealed]", found)
    statement = _IN_RANGE[_shape(scope), fresh]
    values = {**_values(scope), "first": first, "last": last, "channel": channel, "broadcast": broadcast_id}
    driver: Any = connection.connection.driver_connection
    # Ciphertexts as they are: as text, each byte would come as two digits.
    with driver.cursor(binary=True) as cursor:
        return list(itertools.starmap(Sealed, cursor.execute(statement, values).fetchall()))


def by_ids(connection: Connection, scope: Scope, ids: Sequence[int]) -> list[Sealed]:
    """Recipients of the scope's version (of any, when it is for anyone) by id, in the order of the ids."""
    values = {**({} if scope.anyone else _base(scope)), "ids": list(ids)}
    statement = _ANYONE_BY_IDS if scope.anyone else _BY_IDS[scope.pool == ""]
    found = {row.id: Sealed(*row) for row in connection.execute(statement, values)}
    return [found[id_] for id_ in ids if id_ in found]


HAVING = """
(SELECT c.id FROM recipients c WHERE c.handle = {handle} AND c.until IS NULL
 UNION ALL SELECT f.id FROM recipients f WHERE f.handle = {handle} AND f.until IS NOT NULL LIMIT 1)
"""
"""Whoever has or had the address of a handle, as a subquery with at most one row: a person keeps the id for ever.

In two halves, because each of the two indexes of handles holds one half of the rows."""


def id_of(connection: Connection, handle: bytes) -> int | None:
    """The id of whoever has or had this address; None when nobody ever had it."""
    found: int | None = connection.execute(_ID_OF, {"handle": handle}).scalar()
    return found


_ID_OF = text(HAVING.format(handle=":handle").strip().removeprefix("(").removesuffix(")"))


class _Shape(NamedTuple):
    """What a statement depends on: which of its parts are there, and whether its pool is the one all channels share."""

    shared: bool
    people: bool
    of_kind: bool
    failed: bool
    untold: bool


def _shape(scope: Scope) -> _Shape:
    people = scope.pool in PEOPLE_POOLS
    return _Shape(scope.pool == "", people, scope.kinds is not None, bool(scope.failed_in), scope.untold_by is not None)


def _is_narrow(shape: _Shape) -> bool:
    """Whether a range may hold fewer recipients than it was looked through for."""
    return shape.of_kind or shape.failed or shape.untold


def _base(scope: Scope) -> dict[str, Any]:
    return {"version": scope.version} | ({"pool": scope.pool} if scope.pool else {})


def _values(scope: Scope) -> dict[str, Any]:
    found = _base(scope)
    if scope.kinds is not None:
        found["languages"] = [language for language, _ in scope.kinds]
        found["tag_sets"] = [tag_set for _, tag_set in scope.kinds]
    if scope.failed_in:
        found["failed_in"] = scope.failed_in
    if scope.announcement:
        found["announcement"] = scope.announcement
    if scope.untold_by is not None:
        found |= scope.untold_by.values()
    return found


# The rows of people with a phone are found by their ids; those of other pools by an index that holds none of these.
_MEMBER = {
    True: "r.pool = '' AND r.since <= :version AND (r.until IS NULL OR r.until > :version)",
    False: "r.pool <> '' AND r.pool = :pool AND r.since <= :version AND (r.until IS NULL OR r.until > :version)",
}
_OF_KIND = "AND (r.language, r.tag_set) IN (SELECT * FROM unnest(:languages, :tag_sets))"
_NOT_TOLD_SINCE = """
AND NOT EXISTS (
    SELECT 1 FROM broadcasts again
    JOIN deliveries t ON t.announcement = :announcement AND t.broadcast_id = again.id AND t.recipient_id = r.id
    WHERE again.retries = :failed_in AND again.retries <> ''
      AND t.outcome IN ('accepted', 'unknown') AND t.receipt <> 'failed'
)
"""
_FAILED = f"""
AND EXISTS (
    SELECT 1 FROM deliveries f
    WHERE f.announcement = :announcement AND f.broadcast_id = :failed_in AND f.recipient_id = r.id
    AND (f.outcome = 'rejected' OR f.receipt = 'failed')
)
{_NOT_TOLD_SINCE}
"""  # noqa: S608 - only constants are put together
_UNSETTLED = """
AND NOT EXISTS (
    SELECT 1 FROM deliveries d
    WHERE d.announcement = :announcement AND d.broadcast_id = :broadcast AND d.recipient_id = r.id
)
"""
# Of two suppressions (one channel's, all channels') either's reason will do.
_SUPPRESSED = """
(SELECT coalesce(nullif(s.reason, ''), 'opted out') FROM suppressions s
 WHERE s.handle = r.handle AND s.channel IN ('', :channel) LIMIT 1)
"""


# Whoever a broadcast failed to reach was in its audience: its deliveries say who, in order.
_NEXT_FAILED = text(
    f"""
    WITH scanned AS MATERIALIZED (
        SELECT f.recipient_id AS id, (f.outcome = 'rejected' OR f.receipt = 'failed') AS failed FROM deliveries f
        WHERE f.announcement = :announcement AND f.broadcast_id = :failed_in AND f.recipient_id > :after
        ORDER BY f.recipient_id LIMIT :scanned
    ), found AS MATERIALIZED (
        SELECT r.id FROM scanned r WHERE r.failed {_NOT_TOLD_SINCE} ORDER BY r.id LIMIT :size
    )
    SELECT CASE WHEN (SELECT count(*) FROM found) = :size THEN (SELECT max(id) FROM found)
                ELSE (SELECT max(id) FROM scanned) END AS last,
           (SELECT count(*) FROM found) AS size
    """  # noqa: S608 - only constants are put together
)


def _next(shape: _Shape) -> TextClause:
    """Everyone in order needs one look ahead; a narrow scope first bounds how far it looks."""
    member = _MEMBER[shape.shared]
    if shape.failed:
        return _NEXT_FAILED
    if not shape.of_kind and not shape.untold:
        return text(
            f"""
            SELECT max(id) AS last, count(*) AS size FROM (
                SELECT r.id FROM recipients r WHERE {member} AND r.id > :after ORDER BY r.id LIMIT :size
            ) found
            """  # noqa: S608 - only constants are put together
        )
    return _typed(
        shape,
        f"""
        WITH scanned AS MATERIALIZED (
            SELECT r.id, r.language, r.tag_set FROM recipients r
            WHERE {member} AND r.id > :after ORDER BY r.id LIMIT :scanned
        ), found AS MATERIALIZED (
            SELECT r.id FROM scanned r WHERE true {_narrowed(shape)} ORDER BY r.id LIMIT :size
        )
        SELECT CASE WHEN (SELECT count(*) FROM found) = :size THEN (SELECT max(id) FROM found)
                    ELSE (SELECT max(id) FROM scanned) END AS last,
               (SELECT count(*) FROM found) AS size
        """,  # noqa: S608 - only constants are put together
    )


def _in_range(shape: _Shape, *, fresh: bool) -> str:
    """In the driver's own form."""
    statement = _typed(
        shape,
        f"""
        SELECT r.id, r.handle, r.sealed, r.language, {_SUPPRESSED}, r.tag_set
        FROM recipients r
        WHERE r.id BETWEEN :first AND :last AND {_MEMBER[shape.shared]}
        {_narrowed(shape)} {"" if fresh else _UNSETTLED}
        ORDER BY r.id
        """,  # noqa: S608 - only constants are put together
    )
    return str(statement.compile(dialect=_DRIVER))


def _narrowed(shape: _Shape) -> str:
    parts = ((_OF_KIND, shape.of_kind), (_FAILED, shape.failed), (UNTOLD[shape.people], shape.untold))
    return " ".join(part for part, wanted in parts if wanted)


def _typed(shape: _Shape, statement: str) -> TextClause:
    arrays = (bindparam("languages", type_=ARRAY(Text)), bindparam("tag_sets", type_=ARRAY(Integer)))
    return text(statement).bindparams(*arrays) if shape.of_kind else text(statement)


_DRIVER = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_SHAPES = [_Shape(*flags) for flags in itertools.product((False, True), repeat=len(_Shape._fields))]
_NEXT = {shape: _next(shape) for shape in _SHAPES}
_IN_RANGE = {(shape, fresh): _in_range(shape, fresh=fresh) for shape in _SHAPES for fresh in (False, True)}
_BY_IDS = {
    shared: text(
        f"""
        SELECT r.id, r.handle, r.sealed, r.language, NULL, r.tag_set
        FROM recipients r WHERE {member} AND r.id = ANY(:ids)
        """  # noqa: S608 - only constants are put together
    ).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
    for shared, member in _MEMBER.items()
}
_ANYONE_BY_IDS = text(
    """
    SELECT r.id, r.handle, r.sealed, r.language, NULL, r.tag_set
    FROM unnest(CAST(:ids AS bigint[])) i (id)
    CROSS JOIN LATERAL (SELECT * FROM recipients n WHERE n.id = i.id ORDER BY n.since DESC LIMIT 1) r
    """
)
