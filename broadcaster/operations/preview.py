"""Previews: what approving a proposal would change, seen before anything happens, with a mark to hold it to.

The mark is a digest of what would be done: facts, broadcasts, and what stands. Whoever carries out a plan that was
shown gives its mark; when the world has moved in between, it is another one, and nothing is done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.announcement.facts import FactChange, Facts, difference, facts
from broadcaster.announcement.lifecycle import State
from broadcaster.channels.registry import POOLS
from broadcaster.errors import StateError
from broadcaster.operations.cautioning import cautions_in
from broadcaster.operations.outlook import Outlook, outlook
from broadcaster.operations.reach import Reach, Sizes
from broadcaster.operations.replan import capacities, situation
from broadcaster.planning.broadcast import Among, Broadcast, BroadcastState
from broadcaster.planning.caution import Caution
from broadcaster.planning.changes import Changes, compare
from broadcaster.planning.planner import plan
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.situation import Situation, Stale
from broadcaster.planning.tellings import true_in
from broadcaster.storage import announcements, staleness
from broadcaster.storage.announcements import Standing, StoredRevision
from broadcaster.storage.believers import Count

OVER = frozenset({State.COMPLETED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Preview:
    """What a proposal would change: facts against the approved revision, broadcasts against the plan, and for whom.

    `stale`: channel → who would hold something untrue, counted; empty where that was not asked for. `sent` are the
    broadcasts that went out already and stay as they are.
    """

    slug: str
    facts: tuple[FactChange, ...]
    changes: Changes
    outlook: Outlook
    is_new: bool
    mark: str
    base: int | None = None
    stale: Mapping[str, Count] = field(default_factory=dict)
    sent: tuple[Broadcast, ...] = ()
    cautions: tuple[Caution, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.facts or self.changes)


def preview(
    connection: Connection, proposal: Proposal, now: datetime, reach: Mapping[str, Reach], *, counted: bool = True
) -> Preview:
    """Compare a proposal with what stands; changes nothing. `counted`: read the ledger for who would be stale."""
    slug = proposal.announcement.slug
    standing = announcements.find(connection, slug)
    stale: Mapping[str, Count] = {}
    if standing is None:
        present = Situation(revision=1, capacities=capacities(reach), sizes=Sizes(connection, reach))
        told = difference({}, facts(proposal.announcement))
    else:
        refuse_over(standing)
        told = _fact_changes(connection, standing, proposal)
        stale = _stale(connection, standing, proposal) if counted and told else {}
        present = _present(connection, standing, proposal, now, reach, stale if counted and told else None)
    wanted = plan(proposal, present, now)
    changes = compare(present.known.values(), wanted)
    expected = outlook(connection, proposal, present, changes, now, reach)
    base = standing.approved_revision if standing else None
    return Preview(
        slug=slug,
        facts=told,
        changes=changes,
        outlook=expected,
        is_new=standing is None,
        mark=_mark(slug, base, proposal, told, changes, now),
        base=base,
        stale={channel: count for channel, count in stale.items() if count.stale},
        sent=tuple(row for row in present.known.values() if row.state is BroadcastState.CLOSED),
        cautions=cautions_in(connection, proposal, standing, present, wanted, now),
    )


def hold_to(found: Preview, mark: str) -> None:
    """Raise StateError unless a preview is the one that was shown under this mark."""
    if found.mark != mark:
        raise StateError(
            f"{found.slug}: the plan {mark} is not what would be done now: something has changed since it was shown",
            hint=f"look again with `broadcaster plan`; it would be {found.mark}",
        )


def refuse_over(standing: Standing) -> None:
    """Raise StateError when an announcement takes no new revision any more."""
    if standing.state not in OVER:
        return
    back = f"; `broadcaster reinstate {standing.slug}` takes the cancelling back"
    raise StateError(
        f"{standing.slug} is {standing.state} and takes no new revision",
        hint=f"give a new outage a new slug{back if standing.state is State.CANCELLED else ''}",
    )


def _stale(connection: Connection, standing: Standing, proposal: Proposal) -> Mapping[str, Count]:
    state = State.IN_PROGRESS if standing.state is State.OVERRUN else standing.state
    true = true_in(state, facts(proposal.announcement), standing.finished_at)
    return staleness.count(connection, standing, POOLS, true, apart=True)


def _present(
    connection: Connection,
    standing: Standing,
    proposal: Proposal,
    now: datetime,
    reach: Mapping[str, Reach],
    counted: Mapping[str, Count] | None,
) -> Situation:
    """The situation as if the proposal were approved now: what a draft would plan once somebody approves it."""
    latest = announcements.latest_revision(connection, standing.slug)
    number = _next_number(latest, standing, proposal)
    state = State.SCHEDULED if standing.approved_revision is None else standing.state
    if number == standing.approved_revision:
        assumed = standing
    else:
        assumed = replace(standing, state=State.IN_PROGRESS if state is State.OVERRUN else state, revised_at=now)
    true = true_in(assumed.state, facts(proposal.announcement), standing.finished_at)
    stale = (
        staleness.at_most(connection, standing, POOLS, true)
        if counted is None
        else {channel: Stale(count.uncorrected, counted=True) for channel, count in counted.items()}
    )
    return situation(connection, assumed, number, reach, stale)


def _next_number(latest: StoredRevision | None, standing: Standing, proposal: Proposal) -> int:
    return 1 if latest is None else latest.number + (0 if says_the_same(latest, standing, proposal) else 1)


def says_the_same(latest: StoredRevision, standing: Standing, proposal: Proposal) -> bool:
    """Whether a proposal need not be stored again: the newest revision is it, made from what is approved now."""
    return latest.digest == proposal.digest and standing.approved_revision in (latest.number, latest.base)


def _fact_changes(connection: Connection, standing: Standing, proposal: Proposal) -> tuple[FactChange, ...]:
    return difference(_approved_facts(connection, standing), facts(proposal.announcement))


def _approved_facts(connection: Connection, standing: Standing) -> Facts:
    if standing.approved_revision is None:
        return {}
    approved = announcements.revision(connection, standing.slug, standing.approved_revision)
    assert approved is not None  # noqa: S101 - a foreign fact: approved revisions are never deleted
    return facts(approved.proposal.announcement)


def _mark(
    slug: str,
    base: int | None,
    proposal: Proposal,
    told: tuple[FactChange, ...],
    changes: Changes,
    now: datetime,
) -> str:
    """Twelve hexadecimal characters. What is due is due, whether it has been so for a minute or two.

    Corrections follow from the facts, and go to whoever holds the old ones when they are opened: they are left out.
    """
    rows = [
        [name, row.id, row.state, "now" if row.due_at <= now else row.due_at.timestamp()]
        for name, row in _listed(changes)
        if row.among is not Among.STALE
    ]
    said = [slug, base, proposal.digest, [[row.path, row.old, row.new] for row in told], sorted(rows, key=str)]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=6).hexdigest()


def _listed(changes: Changes) -> Iterator[tuple[str, Broadcast]]:
    for name in ("added", "moved", "carried", "revoked"):
        for row in getattr(changes, name):
            yield name, row
