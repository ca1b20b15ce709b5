"""Publishing: the surface document of what stands in the database now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from broadcaster.channels.base import Channel
from broadcaster.errors import StateError
from broadcaster.rendering.environment import Templates
from broadcaster.storage import announcements, events
from broadcaster.storage.announcements import Standing
from broadcaster.surfaces.document import Shown, document

log = structlog.get_logger()


def current_document(connection: Connection, channel: Channel, templates: Templates, now: datetime) -> dict[str, Any]:
    """What `channel` shows from `now` on; its `seq` rises with every change (`events.newest_seq`)."""
    # The number first: what is decided in between may be in the document already, but never the other way round.
    seq = events.newest_seq(connection)
    shown = [found for row in announcements.all_standing(connection) if (found := _shown(connection, row))]
    return document(channel, templates, shown, seq=seq, issued_at=now)


def _shown(connection: Connection, standing: Standing) -> Shown | None:
    if standing.approved_revision is None or standing.approved_at is None:
        return None
    try:
        stored = announcements.revision(connection, standing.slug, standing.approved_revision)
    except StateError as error:
        # One announcement that cannot be read must not take the others off every screen.
        log.error("announcement_left_out", slug=standing.slug, why=error.message)
        return None
    if stored is None:
        return None
    return Shown(
        announcement=stored.proposal.announcement,
        revision=stored.number,
        state=standing.state,
        approved_at=standing.approved_at,
        finished_at=standing.finished_at,
        concluded_at=standing.concluded_at,
        cancelled_at=standing.cancelled_at,
    )
