"""Believers: whoever holds, on one channel, facts that are no longer true; found in the ledger, never kept beside it.

What a recipient may hold follows from their deliveries: an accepted one replaces whatever they held before, unless a
receipt says that it failed; one in doubt only adds to it; a refused or skipped one changes nothing. So somebody is
stale whose newest delivery of something untrue (accepted, or in doubt) is newer than their newest accepted one of what
is true. They are uncorrected as long as no message with the truth was meant for them since, whatever became of it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from broadcaster.announcement.facts import FactChange
from broadcaster.storage.partitions import partition

WAITS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200, 86_400, 604_800)
"""Seconds by which it is told how many were corrected."""

COUNTED_AT_ONCE = 100_000
"""How many recipient ids one count looks at. A larger group does not stay in the processor's cache, nor in `_MEMORY`:
measured with Postgres 15, 100,000 at a time take a third of the time of a million."""
_MEMORY = "64MB"


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What a channel's broadcasts told, and for which classes of recipients that is untrue now.

    `tellings`: (broadcast, revision) → for each class for which what it told is untrue, what of it. `classes`:
    (language, tag set) → class; empty when all recipients are of the one class 0. `retries` narrows them to whom that
    broadcast, and whatever tried it again, failed to reach; else it is those for whom no message with the truth was
    meant yet.
    """

    announcement: int
    tellings: Mapping[tuple[str, int], Mapping[int, tuple[FactChange, ...]]]
    classes: Mapping[tuple[str, int], int] = field(default_factory=dict)
    retries: str = ""

    def __bool__(self) -> bool:
        """Whether anything untrue was told at all."""
        return any(self.tellings.values())

    @property
    def has_truth(self) -> bool:
        """Whether anything told is true for anybody; right after a change nothing is, and counting is simple."""
        classes = max(self.classes.values(), default=0) + 1
        return any(len(untrue) < classes for untrue in self.tellings.values())

    @property
    def broadcasts(self) -> Sequence[str]:
        """Every broadcast that told something."""
        return sorted({broadcast for broadcast, _ in self.tellings})

    def changes(self, held: str) -> tuple[FactChange, ...]:
        """What has changed for somebody who holds this (`Believer.held`)."""
        telling, _, number = held.partition("#")
        broadcast, _, revision = telling.partition("@")
        return self.tellings[broadcast, int(revision)][int(number or 0)]

    def values(self) -> dict[str, Any]:
        """The parameters of every statement here."""
        rows = sorted(self.tellings.items())
        found: dict[str, Any] = {
            "ids": self.broadcasts,
            "broadcasts": [key[0] for key, _ in rows],
            "revisions": [key[1] for key, _ in rows],
            "retries": self.retries,
        }
        if not self.classes:
            return found | {"untrue": [bool(classes) for _, classes in rows]}
        kinds = sorted(self.classes.items())
        return found | {
            # An array of arrays must be rectangular in Postgres; words are as long as they are.
            "untrue": [_listed(classes) for _, classes in rows],
            "languages": [kind[0] for kind, _ in kinds],
            "tag_sets": [kind[1] for kind, _ in kinds],
            "of_class": [number for _, number in kinds],
        }


class Believer(NamedTuple):
    """A stale recipient as stored; `held` names what they were told last that is untrue: `broadcast@revision#class`."""

    id: int
    handle: bytes
    sealed: bytes
    language: str
    suppressed: str | None
    tag_set: int
    held: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many are stale, how many of them no message with the truth was meant for yet, and why the others still are.

    `reasons`: (outcome, reason) of the last message that was to correct them → how many.
    """

    stale: int = 0
    uncorrected: int = 0
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    seconds: float = 0.0


def count(connection: Connection, beliefs: Beliefs) -> Count:
    """Count the believers of a channel from the ledger; no query at all where nothing untrue was told."""
    if not beliefs:
        return Count()
    started, stale, uncorrected = time.monotonic(), 0, 0
    template = _COUNT if beliefs.has_truth else _COUNT_ALL
    for first, last in _spans(connection, beliefs):
        row = _run(connection, template, beliefs, first=first, last=last).one()
        stale, uncorrected = stale + row.stale, uncorrected + row.uncorrected
    reasons = {}
    if stale > uncorrected:
        rows = _run(connection, _REASONS, beliefs)
        reasons = {(row.outcome, row.reason): row.number for row in rows}
    return Count(stale, uncorrected, reasons, time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of those who were stale in a stretch of time: how many they were, and how many still were at its end.

    `seconds` is the time for which they were, of all of them together; `within` has for each of `WAITS` how many were
    corrected in so many seconds.
    """

    before: int = 0
    after: int = 0
    seconds: float = 0.0
    within: Sequence[int] = (0,) * len(WAITS)

    @property
    def corrected(self) -> int:
        """How many of them were told what was true in it."""
        return self.before - self.after


def trace(connection: Connection, beliefs: Beliefs, since: datetime, until: datetime) -> Trace:
    """Follow whoever was stale at some time between two instants, in which the same was true; campaign time."""
    found, times = Trace(), {"since": since, "until": until, "waits": list(WAITS)}
    if not beliefs:
        return found
    for first, last in _spans(connection, beliefs):
        row = _run(connection, _TRACE, beliefs, first=first, last=last, **times).one()
        within = [one + more for one, more in zip(found.within, row.within, strict=True)]
        found = Trace(found.before + row.before, found.after + row.after, found.seconds + row.seconds, within)
    return found


def next_range(connection: Connection, beliefs: Beliefs, after: int, size: int, scanned: int) -> Row[Any]:
    """`last` and `size` of the next range with up to `size` believers to be told; `last` is None past the end.

    Right after a change nearly everybody is one, and a look at a few more than are wanted finds them; only where it
    does not are `scanned` recipients looked at.
    """
    template, values = _NEXT[bool(beliefs.retries)], {"after": after, "size": size, "broadcast": ""}
    near = min(scanned, size + size // 4)
    found: Row[Any] = _run(connection, template, beliefs, **values, scanned=near).one()
    if found.size < size and near < scanned:
        found = _run(connection, template, beliefs, **values, scanned=scanned).one()
    return found


def in_range(
    connection: Connection, beliefs: Beliefs, broadcast_id: str, first: int, last: int, channel: str
) -> list[Believer]:
    """The believers of a range of ids whom a broadcast has still to tell, by id, each as their newest row has them."""
    values = {"first": first, "last": last, "channel": channel, "broadcast": broadcast_id}
    statement = _statement(_IN_RANGE[bool(beliefs.retries)], beliefs)
    driver: Any = connection.connection.driver_connection
    # Ciphertexts as they are: as text, each byte would come as two digits.
    with driver.cursor(binary=True) as cursor:
        rows = cursor.execute(_in_drivers_form(statement), beliefs.values() | values).fetchall()
    return list(itertools.starmap(Believer, rows))


def _run(connection: Connection, template: str, beliefs: Beliefs, **values: Any) -> Any:
    return connection.execute(text(_statement(template, beliefs)), beliefs.values() | values)


def _statement(template: str, beliefs: Beliefs) -> str:
    classed = bool(beliefs.classes)
    named = {"partition": partition(beliefs.announcement), "announcement": int(beliefs.announcement)}
    parts = {"told": _TOLD[classed].format(**named), "untrue": _UNTRUE[classed], "class_": _CLASS[classed]}
    return template.format(**parts, **named)


@lru_cache(maxsize=64)
def _in_drivers_form(statement: str) -> str:
    return str(text(statement).compile(dialect=PGDialect_psycopg()))  # type: ignore[no-untyped-call]


def _spans(connection: Connection, beliefs: Beliefs) -> Iterator[tuple[int, int]]:
    """Ranges of ids that cover whoever was told anything; for the rest of the transaction, memory to group them in."""
    connection.execute(text(f"SET LOCAL work_mem = '{_MEMORY}'"))
    connection.execute(text("SET LOCAL jit = off"))
    row = _run(connection, _ENDS, beliefs).one()
    if row.first is None:
        return
    for start in range(row.first, row.last + 1, COUNTED_AT_ONCE):
        yield start, min(start + COUNTED_AT_ONCE - 1, row.last)


def _listed(classes: Collection[int]) -> str:
    return f"{{{','.join(str(number) for number in sorted(classes))}}}"


# With classes, each delivery's recipient is looked up: what is untrue depends on whom it concerns.
_TOLD = {
    False: """
        {partition} d
        JOIN unnest(CAST(:broadcasts AS text[]), CAST(:revisions AS int[]), CAST(:untrue AS boolean[]))
             AS t (broadcast_id, revision, untrue)
        ON (t.broadcast_id, t.revision) = (d.broadcast_id, d.revision)
    """,
    True: """
        {partition} d
        JOIN unnest(CAST(:broadcasts AS text[]), CAST(:revisions AS int[]), CAST(:untrue AS text[]))
             AS t (broadcast_id, revision, untrue)
        ON (t.broadcast_id, t.revision) = (d.broadcast_id, d.revision)
        CROSS JOIN LATERAL (
            SELECT n.language, n.tag_set FROM recipients n WHERE n.id = d.recipient_id ORDER BY n.since DESC LIMIT 1
        ) n
        LEFT JOIN unnest(CAST(:languages AS text[]), CAST(:tag_sets AS int[]), CAST(:of_class AS int[]))
             AS k (language, tag_set, number)
        ON (k.language, k.tag_set) = (n.language, n.tag_set)
    """,
}
_TOLD = {classed: " ".join(words.split()) for classed, words in _TOLD.items()}
_CLASS = {False: "'0'", True: "coalesce(k.number, 0)"}
_UNTRUE = {False: "t.untrue", True: "(coalesce(k.number, 0) = ANY(CAST(t.untrue AS int[])))"}

_HELD = "((d.outcome = 'accepted' AND d.receipt <> 'failed') OR d.outcome = 'unknown')"
_MOMENTS = """
    max(d.at) FILTER (WHERE {untrue} AND ((d.outcome = 'accepted' AND d.receipt <> 'failed') OR d.outcome = 'unknown'))
        AS untrue_at,
    max(d.at) FILTER (WHERE NOT {untrue} AND d.outcome = 'accepted' AND d.receipt <> 'failed') AS true_at,
    max(d.at) FILTER (WHERE NOT {untrue}) AS meant_at
"""
_STALE = "b.untrue_at IS NOT NULL AND (b.true_at IS NULL OR b.true_at < b.untrue_at)"
_UNCORRECTED = "b.untrue_at IS NOT NULL AND (b.meant_at IS NULL OR b.meant_at < b.untrue_at)"
# What a retry goes to: refused, or failed by a receipt, and not told by another retry, nor by this one.
_MISSED = f"""{_STALE} AND EXISTS (
    SELECT 1 FROM {{partition}} f
    WHERE f.announcement = {{announcement}} AND f.broadcast_id = :retries AND f.recipient_id = b.recipient_id
      AND (f.outcome = 'rejected' OR f.receipt = 'failed')
) AND NOT EXISTS (
    SELECT 1 FROM broadcasts o
    JOIN {{partition}} f
    ON f.announcement = {{announcement}} AND f.broadcast_id = o.id AND f.recipient_id = b.recipient_id
    WHERE o.retries = :retries
      AND (o.id = :broadcast OR (f.outcome IN ('accepted', 'unknown') AND f.receipt <> 'failed'))
)"""  # noqa: S608 - only constants are put together
_WANTED = {False: _UNCORRECTED, True: _MISSED}
_ANNOUNCED = "d.announcement = {announcement} AND d.broadcast_id = ANY(CAST(:ids AS text[]))"

_ENDS = """
SELECT min(e.first) AS first, max(e.last) AS last
FROM unnest(CAST(:ids AS text[])) i (id)
CROSS JOIN LATERAL (
    SELECT (SELECT min(d.recipient_id) FROM {partition} d
            WHERE d.announcement = {announcement} AND d.broadcast_id = i.id) AS first,
           (SELECT max(d.recipient_id) FROM {partition} d
            WHERE d.announcement = {announcement} AND d.broadcast_id = i.id) AS last
) e
"""

_COUNT = f"""
SELECT count(*) FILTER (WHERE {_STALE}) AS stale, count(*) FILTER (WHERE {_UNCORRECTED}) AS uncorrected
FROM (
    SELECT {_MOMENTS} FROM {{told}}
    WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last
    GROUP BY d.recipient_id
) b
"""  # noqa: S608 - only constants are put together

# Where nothing true was told, whoever was told anything is stale, and nobody was meant to be corrected.
_COUNT_ALL = f"""
SELECT count(*) AS stale, count(*) AS uncorrected FROM (
    SELECT DISTINCT d.recipient_id FROM {{partition}} d
    WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last AND {_HELD}
) b
"""  # noqa: S608 - only constants are put together

# Also who was told something untrue in the middle: by a call that was under way when it stopped being true.
_TRACE = f"""
SELECT count(*) AS before, count(*) FILTER (WHERE s.still) AS after,
       coalesce(sum(extract(epoch FROM CASE WHEN s.still THEN :until ELSE s.corrected_at END - s.began)), 0)::float8
           AS seconds,
       (SELECT array_agg(n.number ORDER BY n.wait) FROM (
            SELECT w.wait, count(*) FILTER (WHERE c.seconds <= w.wait) AS number
            FROM unnest(CAST(:waits AS float8[])) w (wait)
            LEFT JOIN unnest(array_agg(extract(epoch FROM s.corrected_at - s.began)) FILTER (WHERE NOT s.still))
                AS c (seconds) ON true
            GROUP BY w.wait
        ) n) AS within
FROM (
    SELECT coalesce(b.untrue_at > b.true_at, true) AS still,
           (SELECT min(c.at) FROM unnest(b.told_at) c (at) WHERE c.at > b.untrue_at) AS corrected_at,
           CASE WHEN b.untrue_before IS NOT NULL AND (b.true_before IS NULL OR b.true_before < b.untrue_before)
                THEN CAST(:since AS timestamptz) ELSE b.slipped END AS began
    FROM (
        SELECT {_MOMENTS},
               max(d.at) FILTER (WHERE {{untrue}} AND {_HELD} AND d.at <= :since) AS untrue_before,
               max(d.at) FILTER (WHERE NOT {{untrue}} AND {_HELD} AND d.outcome = 'accepted' AND d.at <= :since)
                   AS true_before,
               array_agg(d.at) FILTER (WHERE NOT {{untrue}} AND {_HELD} AND d.outcome = 'accepted') AS told_at,
               min(d.at) FILTER (WHERE {{untrue}} AND {_HELD} AND d.at > :since) AS slipped
        FROM {{told}}
        WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last AND d.at <= :until
        GROUP BY d.recipient_id
    ) b
    WHERE b.untrue_at IS NOT NULL
) s WHERE s.began IS NOT NULL
"""  # noqa: S608 - only constants are put together

# Of those for whom the truth was meant and who did not get it: they are few, whatever the size of the ledger.
_REASONS = f"""
WITH missed AS (
    SELECT DISTINCT ON (d.recipient_id) d.recipient_id, d.at, d.reason,
           CASE WHEN d.outcome = 'accepted' THEN 'failed' ELSE d.outcome END AS outcome
    FROM {{told}}
    WHERE {_ANNOUNCED} AND NOT {{untrue}} AND (d.outcome <> 'accepted' OR d.receipt = 'failed')
    ORDER BY d.recipient_id, d.at DESC
), believed AS (
    SELECT d.recipient_id, {_MOMENTS} FROM {{told}}
    WHERE {_ANNOUNCED} AND d.recipient_id IN (SELECT recipient_id FROM missed)
    GROUP BY d.recipient_id
)
SELECT m.outcome, m.reason, count(*) AS number FROM missed m JOIN believed b USING (recipient_id)
WHERE {_STALE} AND NOT ({_UNCORRECTED})
GROUP BY 1, 2
"""  # noqa: S608 - only constants are put together

# Each broadcast is looked at for so many recipients; up to the first one that does not reach further all are known.
_NEXT = {
    retrying: f"""
WITH reached AS MATERIALIZED (
    SELECT i.id, l.last, l.number FROM unnest(CAST(:ids AS text[])) i (id)
    CROSS JOIN LATERAL (
        SELECT max(s.recipient_id) AS last, count(*) AS number FROM (
            SELECT d.recipient_id FROM {{partition}} d
            WHERE d.announcement = {{announcement}} AND d.broadcast_id = i.id AND d.recipient_id > :after
            ORDER BY d.recipient_id LIMIT :scanned
        ) s
    ) l
), edge AS (
    SELECT coalesce(min(last) FILTER (WHERE number = :scanned), max(last)) AS last FROM reached
), found AS MATERIALIZED (
    SELECT b.recipient_id AS id FROM (
        SELECT d.recipient_id, {_MOMENTS} FROM {{told}}
        WHERE {_ANNOUNCED} AND d.recipient_id > :after AND d.recipient_id <= (SELECT last FROM edge)
        GROUP BY d.recipient_id
    ) b WHERE {wanted} ORDER BY 1 LIMIT :size
)
SELECT CASE WHEN (SELECT count(*) FROM found) = :size THEN (SELECT max(id) FROM found)
            ELSE (SELECT last FROM edge) END AS last,
       (SELECT count(*) FROM found) AS size
"""  # noqa: S608 - only constants are put together
    for retrying, wanted in _WANTED.items()
}

_IN_RANGE = {
    retrying: f"""
SELECT r.id, r.handle, r.sealed, r.language,
       (SELECT coalesce(nullif(s.reason, ''), 'opted out') FROM suppressions s
        WHERE s.handle = r.handle AND s.channel IN ('', :channel) LIMIT 1),
       r.tag_set, b.held
FROM (
    SELECT d.recipient_id, {_MOMENTS}, bool_or(d.broadcast_id = :broadcast) AS settled,
           (array_agg(d.broadcast_id || '@' || d.revision || '#' || {{class_}} ORDER BY d.at DESC, d.broadcast_id)
            FILTER (WHERE {{untrue}} AND {_HELD}))[1] AS held
    FROM {{told}}
    WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last
    GROUP BY d.recipient_id
) b
CROSS JOIN LATERAL (SELECT * FROM recipients n WHERE n.id = b.recipient_id ORDER BY n.since DESC LIMIT 1) r
WHERE {wanted} AND NOT b.settled ORDER BY r.id
"""  # noqa: S608 - only constants are put together
    for retrying, wanted in _WANTED.items()
}
