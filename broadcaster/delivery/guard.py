"""The guard: what must hold right before a provider call. Pure; the courier asks it before every single call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from broadcaster.announcement.lifecycle import State
from broadcaster.planning.phase import Phase
from broadcaster.planning.policy import QuietHours


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is true of a batch, its broadcast and its announcement at the moment of a call."""

    lease_held: bool
    paused: bool
    broadcast_open: bool
    moved: bool
    """Whether the broadcast now belongs to a newer revision than the batch was claimed with."""
    revision_approved: bool
    announcement_state: State
    phase: Phase
    expires_at: datetime
    quiet_hours: QuietHours | None
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Proceed:
    """The call may be made."""


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another worker has the batch: record nothing, stop."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Not before an operator resumes the announcement; nothing is lost by waiting."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The broadcast goes on with a newer revision's words: give the batch back, to be claimed with them."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: go on at `until`, campaign time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """Never: whoever is left is skipped, for `reason`."""

    reason: str


Verdict = Proceed | LeaseLost | Paused | Moved | Hold | Stop

_STILL_TRUE_IN: dict[State, frozenset[Phase]] = {
    State.DRAFT: frozenset(),
    State.SCHEDULED: frozenset({Phase.NOTICE, Phase.REMINDER, Phase.CHANGED}),
    State.IN_PROGRESS: frozenset({Phase.STARTED, Phase.ONGOING, Phase.CHANGED}),
    State.OVERRUN: frozenset({Phase.OVERRUN, Phase.CHANGED}),
    State.COMPLETED: frozenset({Phase.RESTORED}),
    State.CANCELLED: frozenset({Phase.CANCELLED}),
}
"""Which phases say something true while an announcement is in a state."""


def judge(found: Circumstances, now: datetime) -> Verdict:
    """Whether a call may begin at `now` (campaign time)."""
    if not found.lease_held:
        return LeaseLost()
    if reason := _why_never(found, now):
        return Stop(reason)
    if found.moved:
        return Moved()
    if found.paused:
        return Paused()
    until = found.quiet_hours.ends_after(now.astimezone(found.zone)) if found.quiet_hours else None
    return Hold(until) if until else Proceed()


def _why_never(found: Circumstances, now: datetime) -> str | None:
    if not found.broadcast_open:
        return "the broadcast was stopped"
    if not found.revision_approved:
        return "a newer revision was approved"
    if found.phase not in _STILL_TRUE_IN[found.announcement_state]:
        return f"no longer true: the announcement is {found.announcement_state}"
    if found.expires_at <= now:
        return f"expired at {found.expires_at.astimezone(found.zone):%Y-%m-%d %H:%M}"
    return None
