"""Revising: proposing a version of an announcement, seeing what it would change, approving it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.announcement.facts import FactChange, difference, facts
from broadcaster.announcement.lifecycle import Event, State, next_state
from broadcaster.announcement.revision import RevisionState
from broadcaster.errors import StateError
from broadcaster.operations.advance import advance_one
from broadcaster.operations.outlook import Outlook, outlook, unknown_tags
from broadcaster.operations.reach import Reach, Sizes
from broadcaster.operations.replan import capacities, replan, situation
from broadcaster.planning.changes import Changes, compare
from broadcaster.planning.planner import plan
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.situation import Situation
from broadcaster.storage import announcements, events
from broadcaster.storage.announcements import Standing, StoredRevision

_OVER = frozenset({State.COMPLETED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Preview:
    """What a proposal would change: facts against the approved revision, and broadcasts against the plan."""

    facts: tuple[FactChange, ...]
    changes: Changes
    outlook: Outlook
    is_new: bool


def preview(connection: Connection, proposal: Proposal, now: datetime, reach: Mapping[str, Reach]) -> Preview:
    """Compare a proposal with what stands; changes nothing."""
    standing = announcements.find(connection, proposal.announcement.slug)
    if standing is None:
        present = Situation(revision=1, capacities=capacities(reach), sizes=Sizes(connection, reach))
        told = difference({}, facts(proposal.announcement))
    else:
        _refuse_over(standing)
        latest = announcements.latest_revision(connection, standing.slug)
        # Seen as if it were approved now: what a draft would plan once somebody approves it.
        assumed = standing if standing.approved_revision else replace(standing, state=State.SCHEDULED)
        present = situation(connection, assumed, _next_number(latest, proposal), reach)
        told = _fact_changes(connection, standing, proposal)
    changes = compare(present.known.values(), plan(proposal, present, now))
    expected = outlook(connection, proposal, present, changes, now, reach)
    return Preview(told, changes, expected, is_new=standing is None)


def propose(connection: Connection, proposal: Proposal, actor: str, now: datetime) -> int | None:
    """Store a proposal as a new revision and give its number; None when the newest revision says the same."""
    slug = proposal.announcement.slug
    standing = announcements.find(connection, slug, lock=True)
    if standing is None:
        announcements.create(connection, slug, proposal.announcement.zone, now)
    else:
        _refuse_over(standing)
    latest = announcements.latest_revision(connection, slug)
    if latest and latest.digest == proposal.digest:
        return None
    number = latest.number + 1 if latest else 1
    announcements.add_revision(connection, slug, number, proposal, now)
    events.record(connection, actor, "propose", slug, now, {"revision": number})
    return number


def approve(
    connection: Connection, slug: str, number: int, actor: str, now: datetime, reach: Mapping[str, Reach]
) -> Changes:
    """Approve a revision and plan it; `reach` is whom the site can tell."""
    standing = required(connection, slug)
    stored = announcements.revision(connection, slug, number)
    if stored is None:
        latest = announcements.latest_revision(connection, slug)
        hint = f"the newest is {latest.number}" if latest else None
        raise StateError(f"{slug} has no revision {number}", hint=hint)
    if stored.state is not RevisionState.PROPOSED:
        raise StateError(f"revision {number} of {slug} is {stored.state}", hint="only a proposed one can be approved")
    _refuse_unreachable(stored.proposal, reach)
    _refuse_unknown_tags(connection, stored.proposal)
    _refuse_past(stored.proposal, now)
    _refuse_postponing(standing, stored.proposal, now)
    announcements.approve_revision(connection, slug, number, now)
    announcements.change(
        connection,
        slug,
        state=next_state(standing.state, Event.EXTEND if standing.state is State.OVERRUN else Event.APPROVE),
        approved_revision=number,
        starts_at=stored.proposal.announcement.window.start,
        ends_at=stored.proposal.announcement.window.end,
        approved_at=standing.approved_at or now,
        zone=stored.proposal.announcement.zone,
    )
    events.record(connection, actor, "approve", slug, now, {"revision": number})
    # Approved after the start: it is in progress at once, or the guard would stop a `started` that opens before a tick.
    advance_one(connection, required(connection, slug), now, reach)
    changes = replan(connection, slug, now, reach)
    assert changes is not None  # noqa: S101 - it was approved just above
    return changes


def required(connection: Connection, slug: str, *, lock: bool = True) -> Standing:
    """The announcement, locked unless it is only looked at; raises StateError when there is none of that slug."""
    standing = announcements.find(connection, slug, lock=lock)
    if standing is None:
        known = ", ".join(row.slug for row in announcements.all_standing(connection)[:5])
        raise StateError(
            f"there is no announcement {slug!r}",
            hint=f"known: {known}" if known else "`broadcaster apply FILE` makes one",
        )
    return standing


def _next_number(latest: StoredRevision | None, proposal: Proposal) -> int:
    if latest is None:
        return 1
    return latest.number if latest.digest == proposal.digest else latest.number + 1


def _refuse_over(standing: Standing) -> None:
    if standing.state in _OVER:
        raise StateError(
            f"{standing.slug} is {standing.state} and takes no new revision", hint="give a new outage a new slug"
        )


def _refuse_unreachable(proposal: Proposal, reach: Mapping[str, Reach]) -> None:
    missing = sorted(set(proposal.policy.channels) - {channel for channel, found in reach.items() if found.capacity})
    if missing:
        hint = "add a provider for it to the site's configuration, or take it out of the policy"
        raise StateError(f"the site has no provider for: {', '.join(missing)}", hint=hint)


def _refuse_unknown_tags(connection: Connection, proposal: Proposal) -> None:
    unknown = unknown_tags(connection, proposal.policy)
    if unknown:
        hint = "tags are written as they were imported: `broadcaster audience count` tells who has one"
        raise StateError("\n".join(unknown), hint=hint)


def _refuse_past(proposal: Proposal, now: datetime) -> None:
    end = proposal.announcement.window.end
    if end and end <= now:
        raise StateError(
            f"the planned end {end:%Y-%m-%d %H:%M} has passed: nobody could be told in time",
            hint="give a later end, or rehearse it: `broadcaster rehearse FILE`",
        )


def _refuse_postponing(standing: Standing, proposal: Proposal, now: datetime) -> None:
    start = proposal.announcement.window.start
    if standing.state in (State.IN_PROGRESS, State.OVERRUN) and start > now:
        raise StateError(
            f"{standing.slug} has started, and cannot be moved to {start:%Y-%m-%d %H:%M}",
            hint="cancel it, and announce the new dates under a new slug",
        )


def _fact_changes(connection: Connection, standing: Standing, proposal: Proposal) -> tuple[FactChange, ...]:
    if standing.approved_revision is None:
        return difference({}, facts(proposal.announcement))
    approved = announcements.revision(connection, standing.slug, standing.approved_revision)
    assert approved is not None  # noqa: S101 - a foreign fact: approved revisions are never deleted
    return difference(
        facts(approved.proposal.announcement, standing.state), facts(proposal.announcement, standing.state)
    )
