"""Segments against the database: how many people of the newest version a filter covers.

Counted from the sums that every import keeps for each language and set of tags, so it is exact and takes no longer for
ten million people than for ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from broadcaster.planning.segment import Segment, contains
from broadcaster.storage import audiences
from broadcaster.storage.audiences import PEOPLE, Combination


def chosen(combinations: Iterable[Combination], segment: Segment) -> list[Combination]:
    """Those of the combinations of language and tags that are in the segment."""
    return [row for row in combinations if contains(segment, row.language, row.tags)]


def count(connection: Connection, segment: Segment, pool: str = PEOPLE) -> int:
    """How many people of a pool's newest version are in the segment."""
    return sum(row.recipients for row in chosen(_newest(connection, pool), segment))


def unknown_tags(connection: Connection, tags: Iterable[str], pool: str = PEOPLE) -> list[str]:
    """Which of `tags` nobody in a pool's newest version has."""
    known = frozenset[str]().union(*(row.tags for row in _newest(connection, pool)))
    return sorted(set(tags) - known)


def _newest(connection: Connection, pool: str) -> Sequence[Combination]:
    return audiences.combinations(connection, pool, audiences.newest(connection, pool))
