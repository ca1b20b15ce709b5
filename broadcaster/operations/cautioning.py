"""Cautioning: what a proposal's dates do against its precautions, seen beside what stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.channels.base import ChannelKind
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.broadcast import Broadcast
from broadcaster.planning.caution import Caution
from broadcaster.planning.cautions import cautions
from broadcaster.planning.planner import plan
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.situation import Situation
from broadcaster.storage import announcements
from broadcaster.storage.announcements import Standing

PUSHES = frozenset(
    slug for slug, channel in CHANNELS.items() if channel.kind is ChannelKind.PUSH and not channel.registered
)
"""The channels that come to people; others are looked at, or tell a partner's system."""


def cautions_in(
    connection: Connection,
    proposal: Proposal,
    standing: Standing | None,
    present: Situation,
    broadcasts: Iterable[Broadcast],
    now: datetime,
) -> tuple[Caution, ...]:
    """The cautions of a proposal with its plan, beside the revision that is approved."""
    number = standing.approved_revision if standing else None
    stored = announcements.revision(connection, proposal.announcement.slug, number) if number else None
    approved = stored.proposal.announcement if stored else None
    return cautions(proposal, present, broadcasts, now, approved=approved, pushes=PUSHES)


def cautions_alone(proposal: Proposal, now: datetime) -> tuple[Caution, ...]:
    """The cautions of a proposal as if it were approved now, and nothing of it stood yet."""
    present = Situation(revision=1)
    return cautions(proposal, present, plan(proposal, present, now), now, pushes=PUSHES)
