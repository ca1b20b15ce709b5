"""Angles: from which side a message tells an announcement. Whoever is told from the same angle reads the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from broadcaster.announcement.facts import FactChange
from broadcaster.announcement.model import EVERYONE, Announcement, Impact
from broadcaster.planning.segment import contains, parse_segment
from broadcaster.planning.tellings import Kind


class Angle(NamedTuple):
    """What has changed for the readers since they were told, and the impact rows that concern them (empty: all)."""

    changes: tuple[FactChange, ...] = ()
    rows: tuple[str, ...] = ()


WHOLE = Angle()
"""Everything, to readers for whom nothing has changed."""


def divides(announcement: Announcement) -> bool:
    """Whether some impact row does not concern everybody, so that people are told from different angles."""
    return any(impact.audience != EVERYONE for impact in announcement.impacts)


def rows_for(announcement: Announcement, kind: Kind) -> tuple[str, ...]:
    """The impact rows that concern people of a kind; empty where that is all of them.

    Whoever no row concerns is told all of it as well: why they are written to should not be a riddle.
    """
    found = tuple(impact.id for impact in announcement.impacts if _concerns(impact, kind))
    return () if len(found) == len(announcement.impacts) else found


def narrowed(announcement: Announcement, rows: Sequence[str]) -> Announcement:
    """The announcement as whoever only these rows concern reads it; no rows: as it is."""
    if not rows:
        return announcement
    return announcement.model_copy(update={"impacts": tuple(row for row in announcement.impacts if row.id in rows)})


def angles(announcement: Announcement) -> list[Angle]:
    """The angles to look at before anybody is told: all of it, and each audience of a row on its own and left out."""
    own = sorted({impact.audience for impact in announcement.impacts} - {EVERYONE})
    kept = [(EVERYONE,), *((EVERYONE, audience) for audience in own)] if own else []
    sides = (tuple(row.id for row in announcement.impacts if row.audience in audiences) for audiences in kept)
    found = [Angle(rows=rows) for rows in sides if rows and len(rows) < len(announcement.impacts)]
    return [WHOLE, *dict.fromkeys(found)]


def _concerns(impact: Impact, kind: Kind) -> bool:
    return impact.audience == EVERYONE or contains(parse_segment(impact.audience), kind.language, kind.tags)
