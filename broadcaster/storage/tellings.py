"""Tellings in the database: what each broadcast of an announcement told, and whom that concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text

from broadcaster.announcement.facts import FactChange, Facts, facts
from broadcaster.channels.registry import PEOPLE_POOLS
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.segment import contains, parse_segment
from broadcaster.planning.tellings import Kind, Telling, audiences_in, told_by, untrue
from broadcaster.storage.believers import Beliefs
from broadcaster.storage.tables import audience_counts, tag_sets


def of_announcement(connection: Connection, slug: str, finished_at: datetime | None) -> list[Telling]:
    """What was told of an announcement, or may have been: each opened broadcast in the words of each revision.

    A broadcast that was carried on from one revision to the next told the words of both.
    """
    planned = facts_of(connection, slug)
    return [
        Telling(row.id, number, row.channel, told_by(Phase(row.phase), planned[number], finished_at), row.told)
        for row in connection.execute(_OPENED, {"slug": slug})
        for number in _until(planned, row.revision)
    ]


def of_channel(
    connection: Connection, slug: str, channel: str, planned: Mapping[int, Facts], finished_at: datetime | None
) -> list[Telling]:
    """The same of one channel, without how many were told; `planned` is what `facts_of` gives."""
    return [
        Telling(row.id, number, channel, told_by(Phase(row.phase), planned[number], finished_at))
        for row in connection.execute(_OPENED_ON, {"slug": slug, "channel": channel})
        for number in _until(planned, row.revision)
    ]


def facts_of(connection: Connection, slug: str) -> Mapping[int, Facts]:
    """Each revision that was ever approved → its facts, oldest first."""
    return {row.number: _facts(row) for row in connection.execute(_APPROVED, {"slug": slug})}


def beliefs(connection: Connection, announcement: int, pool: str, told: Iterable[Telling], true: Facts) -> Beliefs:
    """What is to be asked of the ledger about the tellings of one channel, when this is what is true."""
    tellings = list(told)
    segments = sorted(audiences_in([true, *(row.facts for row in tellings)])) if pool in PEOPLE_POOLS else []
    if not segments:
        return Beliefs(announcement, {_key(row): _classes(row.facts, true, [None]) for row in tellings})
    kinds, classes = _divided(connection, pool, segments)
    found = {_key(row): _classes(row.facts, true, kinds) for row in tellings}
    return Beliefs(announcement, found, classes, _memberships(segments, kinds))


def _facts(row: Row[Any]) -> Facts:
    """Stored with the revision, but for those of before that was done."""
    return row.facts or facts(Proposal.restore(row.content).announcement)


def _until(planned: Mapping[int, Facts], revision: int) -> Iterator[int]:
    return (number for number in planned if number <= revision)


def _key(row: Telling) -> tuple[str, int]:
    return row.broadcast_id, row.revision


def _classes(told: Facts, true: Facts, kinds: Sequence[Kind | None]) -> dict[int, tuple[FactChange, ...]]:
    return {number: changes for number, kind in enumerate(kinds) if (changes := untrue(told, true, kind))}


def _memberships(segments: Sequence[str], kinds: Sequence[Kind]) -> dict[int, tuple[str, ...]]:
    """Class → the segments that its people are in."""
    parsed = {segment: parse_segment(segment) for segment in segments}
    return {
        number: tuple(name for name, segment in parsed.items() if contains(segment, kind.language, kind.tags))
        for number, kind in enumerate(kinds)
    }


def _divided(
    connection: Connection, pool: str, segments: Sequence[str]
) -> tuple[list[Kind], dict[tuple[str, int], int]]:
    """People by which of the segments they are in: a kind that stands for each class, and every kind's class."""
    counts = audience_counts
    query = (
        select(counts.c.language, counts.c.tag_set, tag_sets.c.tags)
        .distinct()
        .join(tag_sets, tag_sets.c.id == counts.c.tag_set)
        .where(counts.c.pool == pool)
        .order_by(counts.c.language, counts.c.tag_set)
    )
    parsed = [parse_segment(segment) for segment in segments]
    numbers: dict[tuple[bool, ...], int] = {}
    kinds: list[Kind] = []
    classes: dict[tuple[str, int], int] = {}
    for row in connection.execute(query):
        kind = Kind(row.language, frozenset(row.tags))
        signature = tuple(contains(segment, kind.language, kind.tags) for segment in parsed)
        if signature not in numbers:
            numbers[signature] = len(kinds)
            kinds.append(kind)
        classes[row.language, row.tag_set] = numbers[signature]
    return kinds, classes


# A proposal is many times the size of its facts.
_APPROVED = text(
    """
    SELECT r.number, r.facts, CASE WHEN r.facts = '{}' THEN r.content END AS content
    FROM revisions r WHERE r.slug = :slug AND r.approved_at IS NOT NULL ORDER BY r.number
    """
)

_OPENED_ON = text(
    """
    SELECT b.id, b.phase, b.revision FROM broadcasts b
    WHERE b.slug = :slug AND b.channel = :channel AND b.opened_at IS NOT NULL ORDER BY b.opened_at, b.id
    """
)

_OPENED = text(
    """
    SELECT b.id, b.channel, b.phase, b.revision,
           b.accepted + b.unknown + coalesce(w.told, 0) + coalesce(c.perhaps, 0) AS told
    FROM broadcasts b
    LEFT JOIN LATERAL (
        SELECT sum(x.accepted + x.unknown) AS told FROM batches x WHERE x.broadcast_id = b.id AND NOT x.done
    ) w ON true
    LEFT JOIN LATERAL (
        SELECT sum(cardinality(x.members)) AS perhaps FROM calls x
        WHERE x.batch_id IN (SELECT y.id FROM batches y WHERE y.broadcast_id = b.id AND NOT y.done)
    ) c ON true
    WHERE b.slug = :slug AND b.opened_at IS NOT NULL ORDER BY b.opened_at, b.id
    """
)
