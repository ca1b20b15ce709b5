"""Segments against the database: the same filter as SQL."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, not_, or_, select, true

from broadcaster.audience.segment import Both, Either, Everyone, Not, Segment, Speaks, Tagged
from broadcaster.channels.base import RecipientKind
from broadcaster.storage.tables import recipients

_LISTED = (recipients.c.kind == RecipientKind.PERSON) & recipients.c.inactive_since.is_(None)


def condition(segment: Segment) -> ColumnElement[bool]:
    """The segment as a condition on `recipients`."""
    match segment:
        case Everyone():
            return true()
        case Tagged(tag):
            return literal(tag) == func.any(recipients.c.tags)
        case Speaks(language):
            return recipients.c.language == language
        case Not(inner):
            return not_(condition(inner))
        case Both(left, right):
            return and_(condition(left), condition(right))
        case Either(left, right):
            return or_(condition(left), condition(right))


def count(connection: Connection, segment: Segment) -> int:
    """How many listed people are in the segment."""
    query = select(func.count()).select_from(recipients).where(_LISTED, condition(segment))
    return int(connection.execute(query).scalar_one())


def unknown_tags(connection: Connection, tags: Iterable[str]) -> list[str]:
    """Which of `tags` no listed person has."""
    wanted = sorted(set(tags))
    return [tag for tag in wanted if not connection.execute(_anybody(tag)).scalar()]


def _anybody(tag: str) -> Select[bool]:
    return select(select(recipients.c.id).where(_LISTED, condition(Tagged(tag))).exists())
