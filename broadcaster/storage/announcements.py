"""Announcements and their revisions in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, func, insert, literal, select, update

from broadcaster.announcement.facts import facts
from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.revision import RevisionState
from broadcaster.errors import StateError
from broadcaster.planning.proposal import Proposal
from broadcaster.storage.partitions import add_partition
from broadcaster.storage.tables import announcements, broadcasts, revisions, staleness

_LIVE = announcements.c.state.in_([State.SCHEDULED, State.IN_PROGRESS, State.OVERRUN])


@dataclass(frozen=True, slots=True)
class Standing:
    """An announcement as it stands: its state, its approved revision, and when each step really happened."""

    slug: str
    number: int
    state: State
    zone: str
    approved_revision: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    created_at: datetime
    approved_at: datetime | None
    revised_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    cancelled_at: datetime | None
    concluded_at: datetime | None
    purged_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """A revision as stored."""

    slug: str
    number: int
    state: RevisionState
    digest: str
    base: int | None
    """The revision that was approved when this one was proposed."""
    proposal: Proposal


def find(connection: Connection, slug: str, *, lock: bool = False) -> Standing | None:
    """The announcement, or None; `lock` keeps every other writer of it out until the transaction ends."""
    query = select(announcements).where(announcements.c.slug == slug)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _standing(row) if row else None


def all_standing(connection: Connection) -> list[Standing]:
    """Every announcement, newest first."""
    rows = connection.execute(select(announcements).order_by(announcements.c.created_at.desc(), announcements.c.slug))
    return [_standing(row) for row in rows]


def live(connection: Connection) -> list[Standing]:
    """The announcements to which the passing of time matters."""
    rows = connection.execute(select(announcements).where(_LIVE).order_by(announcements.c.slug))
    return [_standing(row) for row in rows]


def overdue(connection: Connection, now: datetime) -> list[Standing]:
    """Those whose start or planned end has passed while their state does not say so yet."""
    started = (announcements.c.state == State.SCHEDULED) & (announcements.c.starts_at <= now)
    ended = announcements.c.state.in_([State.SCHEDULED, State.IN_PROGRESS]) & (announcements.c.ends_at <= now)
    rows = connection.execute(select(announcements).where(started | ended).order_by(announcements.c.slug))
    return [_standing(row) for row in rows]


def revised(connection: Connection, concluded_since: datetime) -> list[Standing]:
    """Those of which somebody may hold something untrue: approved again, past their planned end, or just concluded."""
    over = announcements.c.state.in_([State.COMPLETED, State.CANCELLED])
    # What was under way when it was concluded may have ended long after; or nothing of us has run since.
    same = (staleness.c.slug == broadcasts.c.slug) & (staleness.c.channel == broadcasts.c.channel)
    uncounted = broadcasts.c.opened_at.is_not(None) & ~select(literal(1)).where(same).correlate(broadcasts).exists()
    left = (broadcasts.c.slug == announcements.c.slug) & ((broadcasts.c.closed_at >= concluded_since) | uncounted)
    doubted = (staleness.c.slug == announcements.c.slug) & (staleness.c.mark == "")
    lately = announcements.c.concluded_at >= concluded_since
    lately |= select(literal(1)).where(left).exists() | select(literal(1)).where(doubted).exists()
    again = announcements.c.revised_at > announcements.c.approved_at
    wanted = (over & lately) | (announcements.c.state == State.OVERRUN) | (_LIVE & again)
    present = announcements.c.approved_revision.is_not(None) & announcements.c.purged_at.is_(None)
    rows = connection.execute(select(announcements).where(wanted, present).order_by(announcements.c.slug))
    return [_standing(row) for row in rows]


def next_boundary(connection: Connection, now: datetime) -> datetime | None:
    """The next start or planned end of a live announcement after `now`."""
    edges = (
        select(func.min(edge)).where(_LIVE, edge > now) for edge in (announcements.c.starts_at, announcements.c.ends_at)
    )
    found = [connection.execute(edge).scalar() for edge in edges]
    return min((edge for edge in found if edge), default=None)


def create(connection: Connection, slug: str, zone: str, at: datetime) -> None:
    """A new announcement without any revision, as a draft, with its own part of the ledger."""
    row = {"slug": slug, "state": State.DRAFT, "zone": zone, "created_at": at}
    number = connection.execute(insert(announcements).values(row).returning(announcements.c.number)).scalar_one()
    add_partition(connection, number)


def change(connection: Connection, slug: str, **values: Any) -> None:
    """Set columns of an announcement."""
    connection.execute(update(announcements).where(announcements.c.slug == slug).values(**values))


def revision(connection: Connection, slug: str, number: int) -> StoredRevision | None:
    """One revision, or None."""
    query = select(revisions).where(revisions.c.slug == slug, revisions.c.number == number)
    row = connection.execute(query).one_or_none()
    return _revision(row) if row else None


def latest_revision(connection: Connection, slug: str) -> StoredRevision | None:
    """The revision with the highest number, or None."""
    query = select(revisions).where(revisions.c.slug == slug).order_by(revisions.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return _revision(row) if row else None


def add_revision(
    connection: Connection, slug: str, number: int, proposal: Proposal, base: int | None, at: datetime
) -> None:
    """Store a proposed revision; its content is never changed afterwards."""
    row = {
        "slug": slug,
        "number": number,
        "state": RevisionState.PROPOSED,
        "digest": proposal.digest,
        "content": proposal.to_data(),
        "facts": dict(facts(proposal.announcement)),
        "base": base,
        "created_at": at,
    }
    connection.execute(insert(revisions).values(row))


def approve_revision(connection: Connection, slug: str, number: int, at: datetime) -> None:
    """Make `number` the approved revision; every earlier one that is not superseded becomes so."""
    of_slug = revisions.c.slug == slug
    connection.execute(
        update(revisions).where(of_slug, revisions.c.number < number).values(state=RevisionState.SUPERSEDED)
    )
    approved = update(revisions).where(of_slug, revisions.c.number == number)
    connection.execute(approved.values(state=RevisionState.APPROVED, approved_at=at))


def _standing(row: Row[Any]) -> Standing:
    return Standing(**{**row._mapping, "state": State(row.state)})


def _revision(row: Row[Any]) -> StoredRevision:
    try:
        proposal = Proposal.restore(row.content)
    except (ValidationError, ValueError, KeyError) as error:
        raise StateError(
            f"revision {row.number} of {row.slug} was stored by another version and cannot be read",
            hint="apply and approve its file again with this version",
        ) from error
    return StoredRevision(row.slug, row.number, RevisionState(row.state), row.digest, row.base, proposal)
