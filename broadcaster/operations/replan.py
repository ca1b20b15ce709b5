"""Replanning: making the rows of the plan what the planner wants now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.announcement.times import zone_of
from broadcaster.channels.registry import POOLS, REGISTERED
from broadcaster.operations.reach import Reach, Sizes
from broadcaster.planning.capacity import Capacity
from broadcaster.planning.changes import Changes, compare
from broadcaster.planning.planner import plan
from broadcaster.planning.situation import Arrival, Situation, Stale
from broadcaster.storage import announcements, audiences, broadcasts, staleness
from broadcaster.storage.announcements import Standing
from broadcaster.storage.scopes import truth


def situation(
    connection: Connection,
    standing: Standing,
    revision: int,
    reach: Mapping[str, Reach],
    stale: Mapping[str, Stale] | None = None,
) -> Situation:
    """What the planner must know of an announcement that stands; `stale` if it was counted by the caller."""
    known = broadcasts.of_announcement(connection, standing.slug, zone_of(standing.zone))
    told = broadcasts.told_channels(connection, standing.slug)
    if stale is None:
        stale = staleness.at_most(connection, standing, POOLS, truth(connection, standing)) if told else {}
    return Situation(
        revision=revision,
        state=standing.state,
        approved_at=standing.approved_at,
        revised_at=standing.revised_at,
        finished_at=standing.finished_at,
        concluded_at=standing.concluded_at,
        cancelled_at=standing.cancelled_at,
        told_channels=told,
        stale=stale,
        arrivals=_arrivals(connection, standing.slug, told),
        known={row.id: row for row in known},
        capacities=capacities(reach),
        sizes=Sizes(connection, reach),
    )


def _arrivals(connection: Connection, slug: str, told: frozenset[str]) -> dict[str, Arrival]:
    """Who joined since each of these channels was last told from its whole audience.

    Of a registry that was empty then nobody was told, and the first endpoint joins in the middle all the same.
    """
    found = {}
    before = broadcasts.newest_versions(connection, slug)
    for channel in before.keys() & (told | {REGISTERED.slug}):
        version = audiences.newest_version(connection, POOLS.get(channel, channel))
        if (
            version
            and version.number > before[channel]
            and audiences.joined_since(connection, POOLS.get(channel, channel), version.number, before[channel])
        ):
            found[channel] = Arrival(version.number, version.at)
    return found


def capacities(reach: Mapping[str, Reach]) -> dict[str, Capacity]:
    """What each channel's providers take."""
    return {channel: found.capacity for channel, found in reach.items()}


def replan(connection: Connection, slug: str, now: datetime, reach: Mapping[str, Reach]) -> Changes | None:
    """Bring the plan of an announcement up to date; None when it has no approved revision."""
    standing = announcements.find(connection, slug, lock=True)
    if standing is None or standing.approved_revision is None:
        return None
    stored = announcements.revision(connection, slug, standing.approved_revision)
    if stored is None:
        return None
    # Whom an opened broadcast tells is told nothing again: none may be opened while the plan is made.
    broadcasts.lock_planned(connection, slug)
    present = situation(connection, standing, stored.number, reach)
    changes = compare(present.known.values(), plan(stored.proposal, present, now))
    broadcasts.carry_out(connection, changes)
    return changes
