"""Revising: proposing a version of an announcement, and approving it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.announcement.lifecycle import Event, State, next_state
from broadcaster.announcement.revision import RevisionState
from broadcaster.errors import StateError
from broadcaster.operations.advance import advance_one
from broadcaster.operations.outlook import unknown_tags
from broadcaster.operations.preview import preview, refuse_over, says_the_same
from broadcaster.operations.reach import Reach
from broadcaster.operations.replan import replan
from broadcaster.planning.caution import Caution, refuse
from broadcaster.planning.changes import Changes
from broadcaster.planning.proposal import Proposal
from broadcaster.storage import announcements, broadcasts, events
from broadcaster.storage.announcements import Standing, StoredRevision


@dataclass(frozen=True, slots=True)
class Consent:
    """What an operator has to say expressly, because it is easily done by mistake."""

    other_base: bool = False
    """Approve a revision that was made from another one than what is approved now."""
    fewer_languages: bool = False
    """Approve a revision without a language in which people were told."""


NONE_GIVEN = Consent()


def propose(connection: Connection, proposal: Proposal, actor: str, now: datetime) -> int | None:
    """Store a proposal as a new revision and give its number; None when the newest revision says the same."""
    slug = proposal.announcement.slug
    standing = announcements.find(connection, slug, lock=True)
    if standing is None:
        announcements.create(connection, slug, proposal.announcement.zone, now)
        standing = required(connection, slug)
    else:
        refuse_over(standing)
    latest = announcements.latest_revision(connection, slug)
    if latest and says_the_same(latest, standing, proposal):
        return None
    number = latest.number + 1 if latest else 1
    announcements.add_revision(connection, slug, number, proposal, standing.approved_revision, now)
    events.record(connection, actor, "propose", slug, now, {"revision": number})
    return number


def approve(  # noqa: PLR0913, PLR0917 - who approves what when, for whom
    connection: Connection,
    slug: str,
    number: int,
    actor: str,
    now: datetime,
    reach: Mapping[str, Reach],
    consent: Consent = NONE_GIVEN,
    why: str = "",
) -> Changes:
    """Approve a revision and plan it; `reach` is whom the site can tell, `why` is for the event log."""
    standing = required(connection, slug)
    stored = _existing(connection, slug, number)
    if stored.state is not RevisionState.PROPOSED:
        raise StateError(f"revision {number} of {slug} is {stored.state}", hint="only a proposed one can be approved")
    if not consent.other_base:
        _refuse_other_base(standing, stored)
    if not consent.fewer_languages:
        _refuse_fewer_languages(connection, standing, stored.proposal)
    _refuse_unreachable(stored.proposal, reach)
    _refuse_unknown_tags(connection, stored.proposal)
    _refuse_past(stored.proposal, now)
    _refuse_postponing(standing, stored.proposal, now)
    refuse(cautions_against(connection, slug, number, now, reach))
    announcements.approve_revision(connection, slug, number, now)
    announcements.change(
        connection,
        slug,
        state=next_state(standing.state, Event.EXTEND if standing.state is State.OVERRUN else Event.APPROVE),
        approved_revision=number,
        starts_at=stored.proposal.announcement.window.start,
        ends_at=stored.proposal.announcement.window.end,
        approved_at=standing.approved_at or now,
        revised_at=now,
        zone=stored.proposal.announcement.zone,
    )
    events.record(connection, actor, "approve", slug, now, {"revision": number} | ({"why": why} if why else {}))
    # Approved after the start: it is in progress at once, or the guard would stop a `started` that opens before a tick.
    advance_one(connection, required(connection, slug), now, reach)
    changes = replan(connection, slug, now, reach)
    assert changes is not None  # noqa: S101 - it was approved just above
    return changes


def cautions_against(
    connection: Connection, slug: str, number: int, now: datetime, reach: Mapping[str, Reach]
) -> tuple[Caution, ...]:
    """What its precautions have against approving a proposed revision now."""
    found = announcements.revision(connection, slug, number)
    if found is None or found.state is not RevisionState.PROPOSED:
        return ()
    return cautions_of(connection, found.proposal, now, reach)


def cautions_of(
    connection: Connection, proposal: Proposal, now: datetime, reach: Mapping[str, Reach]
) -> tuple[Caution, ...]:
    """What its precautions have against a proposal, beside what stands of it."""
    return preview(connection, proposal, now, reach, counted=False).cautions


def stored(connection: Connection, slug: str, number: int | None = None) -> Proposal:
    """The content of a revision; without a number of the approved one, or of the newest where none is."""
    standing = required(connection, slug, lock=False)
    latest = announcements.latest_revision(connection, slug)
    wanted = number or standing.approved_revision or (latest.number if latest else 0)
    return _existing(connection, slug, wanted).proposal


def _existing(connection: Connection, slug: str, number: int) -> StoredRevision:
    found = announcements.revision(connection, slug, number)
    if found is None:
        latest = announcements.latest_revision(connection, slug)
        hint = f"the newest is {latest.number}" if latest else None
        raise StateError(f"{slug} has no revision {number}", hint=hint)
    return found


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


def _refuse_other_base(standing: Standing, stored: StoredRevision) -> None:
    if stored.base != standing.approved_revision:
        made = f"from revision {stored.base}" if stored.base else "before any was approved"
        raise StateError(
            f"revision {stored.number} was made {made}; meanwhile revision {standing.approved_revision} was approved",
            hint="look at the plan again with `plan FILE` and `apply FILE`, or insist with --despite-newer",
        )


def _refuse_fewer_languages(connection: Connection, standing: Standing, proposal: Proposal) -> None:
    if standing.approved_revision is None or not broadcasts.told_channels(connection, standing.slug):
        return
    approved = announcements.revision(connection, standing.slug, standing.approved_revision)
    missing = (
        []
        if approved is None
        else [
            language
            for language in approved.proposal.announcement.languages
            if language not in proposal.announcement.languages
        ]
    )
    if missing:
        raise StateError(
            f"people were told of {standing.slug} in {', '.join(missing)}, which the new revision does not have",
            hint="add its texts, or insist with --drop-languages: they get another language from then on",
        )


def _refuse_unreachable(proposal: Proposal, reach: Mapping[str, Reach]) -> None:
    missing = sorted(set(proposal.policy.channels) - {channel for channel, found in reach.items() if found.capacity})
    if missing:
        hint = "add a provider for it to the site's configuration, or take it out of the policy"
        raise StateError(f"the site has no provider for: {', '.join(missing)}", hint=hint)


def _refuse_unknown_tags(connection: Connection, proposal: Proposal) -> None:
    unknown = unknown_tags(connection, proposal)
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
