"""The guard: what must hold right before a provider call. Pure; the courier asks it before every single call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from broadcaster.announcement.lifecycle import State
from broadcaster.planning.phase import Phase
from broadcaster.planning.policy import QuietHours
from broadcaster.planning.truth import STILL_TRUE_IN


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is true of a batch, its broadcast and its announcement at the moment of a call."""

    paused: bool
    broadcast_open: bool
    moved: bool
    """Whether the broadcast now belongs to a newer revision than the batch was claimed with, or somebody opted out."""
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
    """Another worker has the batch: record nothing, stop. What the database says of it, not the guard."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Not before an operator resumes it; nothing is lost by waiting."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What the batch was claimed with is no longer so: give it back, to be claimed with new words and members."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: go on at `until`, campaign time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """Never: whoever is left is skipped, for `reason`."""

    reason: str


Verdict = Proceed | LeaseLost | Paused | Moved | Hold | Stop


def judge(found: Circumstances, now: datetime) -> Verdict:
    """Whether a call may begin at `now` (campaign time)."""
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
    if found.phase not in STILL_TRUE_IN[found.announcement_state]:
        return f"no longer true: the announcement is {found.announcement_state}"
    if found.expires_at <= now:
        return f"expired at {found.expires_at.astimezone(found.zone):%Y-%m-%d %H:%M}"
    return None
