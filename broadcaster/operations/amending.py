"""Amending: moving an announcement's times without editing its file. It makes a new revision on the ordinary path.

What coincides with an edge that is moved moves along with it: the resume time with the end, a deadline with the start,
an impact row's own times with either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.announcement import rules
from broadcaster.announcement.lifecycle import Event, next_state
from broadcaster.announcement.model import Advice, Announcement, Impact, Window
from broadcaster.announcement.source import dotted
from broadcaster.errors import InputError, Place, Problem, StateError
from broadcaster.operations.advance import advance_one
from broadcaster.operations.reach import Reach
from broadcaster.operations.replan import replan
from broadcaster.operations.revise import NONE_GIVEN, Consent, approve, cautions_of, propose, required
from broadcaster.planning.caution import refuse
from broadcaster.planning.changes import Changes
from broadcaster.planning.proposal import Proposal
from broadcaster.storage import announcements, events
from broadcaster.storage.announcements import Standing


@dataclass(frozen=True, slots=True)
class Times:
    """New times of an announcement; None leaves one as it is."""

    start: datetime | None = None
    end: datetime | None = None
    resume: datetime | None = None

    def __bool__(self) -> bool:
        return any((self.start, self.end, self.resume))


def amended(proposal: Proposal, times: Times) -> Proposal:
    """The proposal with new times; raises InputError when they break a rule of announcements."""
    announcement = proposal.announcement
    window = Window(start=times.start or announcement.window.start, end=times.end or announcement.window.end)
    moved = _moved(announcement, window, times)
    fields = {
        "window": window,
        "resume": times.resume or _resume(announcement, window, moved),
        "impacts": tuple(_impact(row, moved) for row in announcement.impacts),
        "advice": tuple(_advice(row, moved) for row in announcement.advice),
    }
    changed = announcement.model_copy(update=fields)
    problems = [
        Problem(found.message, Place(announcement.slug, field=dotted(found.path)), found.hint)
        for found in rules.findings(changed)
    ]
    if problems:
        raise InputError(problems)
    return proposal.model_copy(update={"announcement": changed})


def approved_proposal(connection: Connection, slug: str) -> tuple[Standing, Proposal]:
    """What stands of an announcement; raises StateError when nothing of it was ever approved."""
    standing = required(connection, slug, lock=False)
    number = standing.approved_revision
    stored = announcements.revision(connection, slug, number) if number else None
    if stored is None:
        raise StateError(f"nothing of {slug} is approved yet", hint="change its file, and apply and approve that one")
    return standing, stored.proposal


def amend(  # noqa: PLR0913, PLR0917 - who changes what when, for whom
    connection: Connection,
    proposal: Proposal,
    base: int | None,
    why: str,
    actor: str,
    now: datetime,
    reach: Mapping[str, Reach],
    consent: Consent = NONE_GIVEN,
) -> tuple[int, Changes]:
    """Store and approve a proposal that was made from the revision `base`, in one go; gives its number.

    Raises StateError when another revision was approved since: whoever did that was first.
    """
    slug = proposal.announcement.slug
    standing = announcements.find(connection, slug, lock=True)
    if standing is not None and standing.approved_revision != base:
        raise StateError(
            f"revision {standing.approved_revision} of {slug} was approved by somebody else meanwhile",
            hint=f"look at what stands now with `broadcaster status {slug}`, and at the plan again",
        )
    number = propose(connection, proposal, actor, now)
    latest = announcements.latest_revision(connection, slug)
    assert latest is not None  # noqa: S101 - it was stored just above, or before
    if number is None and latest.number == base:
        raise StateError(f"{slug} stands like that already", hint="nothing would change")
    return latest.number, approve(connection, slug, latest.number, actor, now, reach, consent, why)


def reinstate(  # noqa: PLR0917 - who changes what when, for whom
    connection: Connection,
    slug: str,
    times: Times,
    reason: str,
    actor: str,
    now: datetime,
    reach: Mapping[str, Reach],
) -> Changes:
    """Take the cancelling of an announcement back, if wanted with new times; whoever was told of it is told that.

    Raises InputError when one of its precautions is an error, as an approval does.
    """
    standing = required(connection, slug)
    state = next_state(standing.state, Event.REINSTATE)
    if standing.approved_revision is None:
        raise StateError(f"nothing of {slug} was ever approved", hint="apply and approve its file under a new slug")
    _, proposal = approved_proposal(connection, slug)
    end = times.end or proposal.announcement.window.end
    if end and end <= now:
        raise StateError(
            f"the planned end {end:%Y-%m-%d %H:%M} has passed: there is nothing left to announce",
            hint="give new times with --start and --until",
        )
    over = {"cancelled_at": None, "concluded_at": None}
    announcements.change(connection, slug, state=state, revised_at=now, **over)
    events.record(connection, actor, str(Event.REINSTATE), slug, now, {"reason": reason})
    wanted = amended(proposal, times)
    if wanted != proposal:
        return amend(connection, wanted, standing.approved_revision, reason, actor, now, reach)[1]
    refuse(cautions_of(connection, proposal, now, reach))
    advance_one(connection, required(connection, slug), now, reach)
    return replan(connection, slug, now, reach) or Changes()


def _moved(announcement: Announcement, window: Window, times: Times) -> Mapping[datetime, datetime]:
    """Old instant → new one, for the edges that move."""
    edges = [(announcement.window.start, window.start), (announcement.window.end, window.end)]
    if times.resume:
        edges.append((announcement.resumes_at, times.resume))
    return {old: new for old, new in edges if old and new and old != new}


def _resume(announcement: Announcement, window: Window, moved: Mapping[datetime, datetime]) -> datetime | None:
    """The resume time that was given, as long after the end as it was."""
    old, end = announcement.resume, announcement.window.end
    if old is None or end is None or window.end is None:
        return old
    return moved.get(old) or old + (window.end - end)


def _impact(row: Impact, moved: Mapping[datetime, datetime]) -> Impact:
    window = row.window and Window(start=moved.get(row.window.start, row.window.start), end=_of(row.window.end, moved))
    times = {"last_acceptance": _of(row.last_acceptance, moved), "resume": _of(row.resume, moved)}
    return row.model_copy(update={"window": window, **times})


def _advice(row: Advice, moved: Mapping[datetime, datetime]) -> Advice:
    return row.model_copy(update={"deadline": _of(row.deadline, moved)})


def _of(instant: datetime | None, moved: Mapping[datetime, datetime]) -> datetime | None:
    return moved.get(instant, instant) if instant else None
