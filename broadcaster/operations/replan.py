"""Replanning: making the rows of the plan what the planner wants now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from broadcaster.announcement.times import zone_of
from broadcaster.planning.changes import Changes, compare
from broadcaster.planning.planner import Situation, plan
from broadcaster.planning.proposal import Proposal
from broadcaster.storage import announcements, broadcasts
from broadcaster.storage.announcements import Standing


def situation(connection: Connection, standing: Standing, revision: int) -> Situation:
    """What the planner must know of an announcement that stands."""
    known = broadcasts.of_announcement(connection, standing.slug, zone_of(standing.zone))
    return Situation(
        revision=revision,
        state=standing.state,
        approved_at=standing.approved_at,
        finished_at=standing.finished_at,
        concluded_at=standing.concluded_at,
        cancelled_at=standing.cancelled_at,
        told_channels=broadcasts.told_channels(connection, standing.slug),
        known={row.id: row for row in known},
    )


def changes_for(
    connection: Connection, standing: Standing, proposal: Proposal, revision: int, now: datetime
) -> Changes:
    """What planning `proposal` as `revision` would change; changes nothing."""
    standing_rows = broadcasts.of_announcement(connection, standing.slug, zone_of(standing.zone))
    wanted = plan(proposal, situation(connection, standing, revision), now)
    return compare(standing_rows, wanted)


def replan(connection: Connection, slug: str, now: datetime) -> Changes | None:
    """Bring the plan of an announcement up to date; None when it has no approved revision."""
    standing = announcements.find(connection, slug, lock=True)
    if standing is None or standing.approved_revision is None:
        return None
    stored = announcements.revision(connection, slug, standing.approved_revision)
    if stored is None:
        return None
    changes = changes_for(connection, standing, stored.proposal, stored.number, now)
    broadcasts.carry_out(connection, changes)
    return changes
