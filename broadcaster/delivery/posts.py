"""Posts: which earlier ones of an account a new one supersedes.

What a call replaces depends on nothing but what was written down before the call was prepared, so that a repeated call
is the same request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.announcement.facts import Facts, facts
from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.model import Announcement
from broadcaster.channels.base import Channel, Member, Predecessor, RecipientKind
from broadcaster.delivery.run import EarlierPost
from broadcaster.planning.phase import Phase
from broadcaster.planning.truth import STATE_TOLD_BY
from broadcaster.storage import announcements, posts


def earlier(connection: Connection, batch: Row[Any], channel: Channel) -> Mapping[int, Sequence[EarlierPost]]:
    """Account → what it posted of the announcement before, oldest first; nothing where people are reached."""
    if channel.reaches is not RecipientKind.ACCOUNT:
        return {}
    said: dict[tuple[int, str], Facts] = {}
    found: dict[int, list[EarlierPost]] = {}
    for row in posts.earlier(connection, batch):
        key = row.revision, row.phase
        if key not in said:
            said[key] = _said(connection, batch.slug, *key)
        post = EarlierPost(Predecessor(row.broadcast_id, row.reference), row.at, row.deleted_at, said[key])
        found.setdefault(row.recipient_id, []).append(post)
    return found


def replaced(
    known: Mapping[int, Sequence[EarlierPost]],
    announcement: Announcement,
    phase: Phase,
    members: Sequence[Member],
    prepared_at: datetime,
) -> tuple[Predecessor, ...]:
    """The earlier posts of these accounts whose facts a post of this phase supersedes, oldest first."""
    if not known:
        return ()
    said = told_by(announcement, phase)
    return tuple(
        post.predecessor
        for member in members
        for post in known.get(member.id, ())
        if post.at < prepared_at and post.facts != said and (post.deleted_at is None or post.deleted_at >= prepared_at)
    )


def told_by(announcement: Announcement, phase: Phase) -> Facts:
    """The facts that a post of a phase tells."""
    return facts(announcement, STATE_TOLD_BY.get(phase, State.SCHEDULED))


def _said(connection: Connection, slug: str, revision: int, phase: str) -> Facts:
    stored = announcements.revision(connection, slug, revision)
    return told_by(stored.proposal.announcement, Phase(phase)) if stored else {}
