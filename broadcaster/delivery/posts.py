"""Posts: which earlier ones of an account a new one supersedes.

What a call replaces depends on nothing but what was written down before the call was prepared, so that a repeated call
is the same request.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.announcement.facts import Facts, facts
from broadcaster.announcement.model import Announcement
from broadcaster.channels.base import Channel, Member, Predecessor, RecipientKind
from broadcaster.delivery.run import NO_POSTS, EarlierPost, EarlierPosts
from broadcaster.planning.phase import Phase
from broadcaster.planning.tellings import told_by, untrue
from broadcaster.storage import announcements, posts, tellings


def earlier(connection: Connection, batch: Row[Any], channel: Channel) -> EarlierPosts:
    """What the accounts of a batch posted of its announcement before; nothing where people are reached."""
    rows = posts.earlier(connection, batch) if channel.reaches is RecipientKind.ACCOUNT else []
    if not rows:
        return NO_POSTS
    standing, planned = announcements.find(connection, batch.slug), tellings.facts_of(connection, batch.slug)
    finished_at = standing.finished_at if standing else None
    told: dict[tuple[int, str], Facts] = {}
    found: dict[int, list[EarlierPost]] = {}
    for row in rows:
        key = row.revision, row.phase
        if key not in told:
            told[key] = told_by(Phase(row.phase), planned[row.revision], finished_at)
        post = EarlierPost(Predecessor(row.broadcast_id, row.reference), row.at, row.deleted_at, told[key])
        found.setdefault(row.recipient_id, []).append(post)
    return EarlierPosts(found, finished_at)


def replaced(
    known: EarlierPosts, announcement: Announcement, phase: Phase, members: Sequence[Member], prepared_at: datetime
) -> tuple[Predecessor, ...]:
    """The earlier posts of these accounts that a post of this phase makes untrue, oldest first."""
    if not known.by_account:
        return ()
    told = told_by(phase, facts(announcement), known.finished_at)
    return tuple(
        post.predecessor
        for member in members
        for post in known.by_account.get(member.id, ())
        if post.at < prepared_at and untrue(post.told, told) and _is_out(post, prepared_at)
    )


def _is_out(post: EarlierPost, at: datetime) -> bool:
    return post.deleted_at is None or post.deleted_at >= at
