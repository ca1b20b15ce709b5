"""The approved windows of announcements, and when their owners are asked: read from revisions without the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Connection, select

from broadcaster.planning.asking import DEFAULT, AskOwner
from broadcaster.planning.windows import ApprovedWindow
from broadcaster.storage.tables import announcements, revisions


def approved(connection: Connection, slugs: Collection[str]) -> Mapping[str, list[ApprovedWindow]]:
    """Slug → the windows of its approved revisions, in the order of their approval."""
    window = revisions.c.content["announcement"]["window"].label("window")
    query = select(revisions.c.slug, revisions.c.number, revisions.c.approved_at, window)
    query = query.where(revisions.c.slug.in_(slugs), revisions.c.approved_at.is_not(None))
    found: defaultdict[str, list[ApprovedWindow]] = defaultdict(list)
    for row in connection.execute(query.order_by(revisions.c.approved_at, revisions.c.number)):
        start, end = datetime.fromisoformat(row.window["start"]), row.window.get("end")
        window_end = datetime.fromisoformat(end) if end else None
        found[row.slug].append(ApprovedWindow(row.number, row.approved_at, start, window_end))
    return found


def asking_rules(connection: Connection, slugs: Collection[str]) -> Mapping[str, AskOwner]:
    """Slug → when its owner is asked, as its approved revision says."""
    this = (revisions.c.slug == announcements.c.slug) & (revisions.c.number == announcements.c.approved_revision)
    rule = revisions.c.content["policy"]["ask_owner"].label("rule")
    query = select(announcements.c.slug, rule).join(revisions, this).where(announcements.c.slug.in_(slugs))
    return {row.slug: _rule(row.rule) for row in connection.execute(query)}


def _rule(data: object) -> AskOwner:
    try:
        return DEFAULT if data is None else AskOwner.model_validate(data)
    except ValidationError:  # stored by another version: an owner who is asked at the usual times is asked
        return DEFAULT
