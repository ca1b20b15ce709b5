"""The situation: what the planner must know of the world besides the proposal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from broadcaster.announcement.lifecycle import State
from broadcaster.planning.broadcast import Broadcast
from broadcaster.planning.capacity import UNPACED, Capacity, Line
from broadcaster.planning.proposal import Proposal

Sizes = Callable[[str, str], int]
"""(channel, audience) → how many recipients that is now."""


def nobody(_channel: str, _audience: str) -> int:
    """The sizes where no audience is known."""
    return 0


@dataclass(frozen=True, slots=True)
class Stale:
    """How many on a channel hold something untrue that no message has been meant to correct yet.

    Counted, or else at the most so many: where nobody was told anything untrue it is 0 all the same.
    """

    uncorrected: int
    counted: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """People or endpoints that joined since a channel was last told: with which audience version, and when."""

    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """What the planner must know of the world besides the proposal. `known` are the broadcasts that stand, by id."""

    revision: int
    state: State = State.SCHEDULED
    approved_at: datetime | None = None
    revised_at: datetime | None = None
    """When the revision was approved, or the announcement reinstated: since then anything else is untrue."""
    finished_at: datetime | None = None
    concluded_at: datetime | None = None
    """When an operator said that it was over, which may be long after it was."""
    cancelled_at: datetime | None = None
    told_channels: frozenset[str] = frozenset()
    stale: Mapping[str, Stale] = field(default_factory=dict)
    """Channel → whom a correction is for."""
    arrivals: Mapping[str, Arrival] = field(default_factory=dict)
    """Channel → who joined in the middle, of those channels on which somebody was told."""
    known: Mapping[str, Broadcast] = field(default_factory=dict)
    capacities: Mapping[str, Capacity] = field(default_factory=dict)
    """What each channel's providers take; a channel that is left out counts as one without any limit."""
    sizes: Sizes = nobody

    def line(self, channel: str, proposal: Proposal) -> Line:
        """A channel's way to the public under a proposal's quiet hours."""
        capacity = self.capacities.get(channel) or UNPACED
        return Line(capacity, proposal.policy.quiet_hours.get(channel), proposal.announcement.zone_info)
