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


def count(connection: Connection, segment: Segment) -> int:
    """How many people of the newest version are in the segment."""
    return sum(row.recipients for row in chosen(_newest(connection), segment))


def unknown_tags(connection: Connection, tags: Iterable[str]) -> list[str]:
    """Which of `tags` nobody in the newest version has."""
    known = frozenset[str]().union(*(row.tags for row in _newest(connection)))
    return sorted(set(tags) - known)


def _newest(connection: Connection) -> Sequence[Combination]:
    return audiences.combinations(connection, PEOPLE, audiences.newest(connection, PEOPLE))
