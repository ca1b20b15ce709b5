"""The planner: (proposal, situation, now) → broadcasts. Pure: it reads no clock and touches nothing.

The policy gives moments; quiet hours move them; every broadcast expires when the next one on its channel is due or when
what it says stops being true; and what is too late by `now` is kept as skipped, with its reason, never dropped in
silence. Of several messages that are late but still true, a channel gets the newest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.times import at_clock
from broadcaster.planning.broadcast import Broadcast, BroadcastState, broadcast_id
from broadcaster.planning.phase import Phase
from broadcaster.planning.policy import DaysBefore, Immediate, Periodic
from broadcaster.planning.proposal import Proposal

HORIZON = timedelta(days=35)
"""How far ahead a phase without a known end is planned; planning again later adds more."""

OVERRUN_IS_TRUE_FOR = timedelta(days=1)
NEWS_IS_TRUE_FOR = timedelta(days=7)
"""How long a `restored` or `cancelled` message is still worth sending."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the planner must know of the world besides the proposal. `known` are the broadcasts that stand, by id."""

    revision: int
    state: State = State.SCHEDULED
    approved_at: datetime | None = None
    finished_at: datetime | None = None
    concluded_at: datetime | None = None
    """When an operator said that it was over, which may be long after it was."""
    cancelled_at: datetime | None = None
    told_channels: frozenset[str] = frozenset()
    known: Mapping[str, Broadcast] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A policy's moment before anything moved it; `until` is when what it says stops being true (None: unknown)."""

    phase: Phase
    channel: str
    occurrence: str
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class _Frame:
    proposal: Proposal
    situation: Situation
    now: datetime


def plan(proposal: Proposal, situation: Situation, now: datetime) -> tuple[Broadcast, ...]:
    """Every broadcast that the proposal's policy wants in this situation, by due time, then phase and channel."""
    # All arithmetic is in UTC: two local times of one zone compare by the clock face, which autumn shows twice.
    frame = _Frame(proposal, situation, now.astimezone(UTC))
    zone = proposal.announcement.zone_info
    moments = sorted(_moments(frame), key=lambda moment: (moment.channel, moment.at))
    wanted: list[Broadcast] = []
    for _, of_channel in groupby(moments, key=lambda moment: moment.channel):
        placed = [_place(moment, frame) for moment in of_channel]
        wanted += [_judge(row, frame) for row in _expire_by_successor(placed)]
    order = list(Phase)
    ordered = sorted(wanted, key=lambda row: (row.due_at, order.index(row.phase), row.channel))
    return tuple(
        replace(row, due_at=row.due_at.astimezone(zone), expires_at=row.expires_at.astimezone(zone)) for row in ordered
    )


def _moments(frame: _Frame) -> Iterator[_Moment]:
    state = frame.situation.state
    if state is State.CANCELLED:
        yield from _cancelled(frame)
    elif state is State.COMPLETED:
        yield from _restored(frame)
    else:
        yield from _before(frame)
        yield from _during(frame)
        yield from _overrun(frame)


def _before(frame: _Frame) -> Iterator[_Moment]:
    start = frame.proposal.announcement.window.start
    policy = frame.proposal.policy
    for rule in policy.notice:
        if isinstance(rule, DaysBefore):
            yield from _days_before(Phase.NOTICE, rule, frame)
        else:
            at = _later(frame.situation.approved_at or frame.now, rule)
            yield from _each(Phase.NOTICE, rule.channels, _after("approval", rule), at, start)
    for days_before in policy.reminder:
        yield from _days_before(Phase.REMINDER, days_before, frame)


def _days_before(phase: Phase, rule: DaysBefore, frame: _Frame) -> Iterator[_Moment]:
    announcement = frame.proposal.announcement
    start = announcement.window.start
    for days in rule.days_before:
        at = at_clock(start.date() - timedelta(days=days), rule.at, announcement.zone_info)
        yield from _each(phase, rule.channels, _named(at, frame), at, start)


def _during(frame: _Frame) -> Iterator[_Moment]:
    window = frame.proposal.announcement.window
    for rule in frame.proposal.policy.started:
        at = _later(window.start, rule)
        yield from _each(Phase.STARTED, rule.channels, _named(at, frame), at, window.end)
    last = window.end or max(frame.now, window.start) + HORIZON
    for periodic in frame.proposal.policy.ongoing:
        yield from _periodic(Phase.ONGOING, periodic, window.start, last, frame, until=window.end)


def _overrun(frame: _Frame) -> Iterator[_Moment]:
    end = frame.proposal.announcement.window.end
    if end is None:
        return
    for rule in frame.proposal.policy.overrun:
        if isinstance(rule, Immediate):
            at = _later(end, rule)
            yield from _each(Phase.OVERRUN, rule.channels, _named(at, frame), at, at + OVERRUN_IS_TRUE_FOR)
        elif frame.situation.state is State.OVERRUN:
            # Nobody plans weeks of overrun ahead: once it has begun, the next days' messages are planned.
            yield from _periodic(Phase.OVERRUN, rule, end, max(frame.now, end) + timedelta(days=2), frame, until=None)


def _later(instant: datetime, rule: Immediate) -> datetime:
    # Elapsed minutes: adding to a local time would count clock minutes, an hour off across a clock change.
    return instant.astimezone(UTC) + timedelta(minutes=rule.after_minutes)


def _restored(frame: _Frame) -> Iterator[_Moment]:
    at = frame.situation.concluded_at or frame.situation.finished_at or frame.now
    for rule in frame.proposal.policy.restored:
        due = _later(at, rule)
        yield from _each(Phase.RESTORED, rule.channels, _after("finish", rule), due, due + NEWS_IS_TRUE_FOR)


def _cancelled(frame: _Frame) -> Iterator[_Moment]:
    at = frame.situation.cancelled_at or frame.now
    for rule in frame.proposal.policy.cancelled:
        due = _later(at, rule)
        yield from _each(Phase.CANCELLED, rule.channels, _named(due, frame), due, due + NEWS_IS_TRUE_FOR)


def _periodic(
    phase: Phase, rule: Periodic, start: datetime, last: datetime, frame: _Frame, *, until: datetime | None
) -> Iterator[_Moment]:
    zone = frame.proposal.announcement.zone_info
    day = start.astimezone(zone).date() + timedelta(days=rule.every_days)
    while (at := at_clock(day, rule.at, zone)) < last:
        yield from _each(phase, rule.channels, _named(at, frame), at, until or at + OVERRUN_IS_TRUE_FOR)
        day += timedelta(days=rule.every_days)


def _each(
    phase: Phase, channels: tuple[str, ...], occurrence: str, at: datetime, until: datetime | None
) -> Iterator[_Moment]:
    for channel in channels:
        yield _Moment(phase, channel, occurrence, at.astimezone(UTC), until.astimezone(UTC) if until else None)


def _named(at: datetime, frame: _Frame) -> str:
    """The occurrence of a moment: its own instant. Moved by a new revision, it is another one and goes out again."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _after(cause: str, rule: Immediate) -> str:
    """The occurrence of what follows an operator's deed, however late that is: it goes out once."""
    return f"{cause}+{rule.after_minutes}" if rule.after_minutes else cause


def _place(moment: _Moment, frame: _Frame) -> Broadcast:
    """A moment as a broadcast, moved out of its channel's quiet hours."""
    announcement, situation = frame.proposal.announcement, frame.situation
    local = moment.at.astimezone(announcement.zone_info)
    hours = frame.proposal.policy.quiet_hours.get(moment.channel)
    quiet_until = hours.ends_after(local) if hours else None
    return Broadcast(
        id=broadcast_id(announcement.slug, moment.channel, moment.phase, moment.occurrence, situation.revision),
        slug=announcement.slug,
        revision=situation.revision,
        channel=moment.channel,
        phase=moment.phase,
        occurrence=moment.occurrence,
        due_at=(quiet_until or moment.at).astimezone(UTC),
        expires_at=moment.until or moment.at + NEWS_IS_TRUE_FOR,
        note=f"moved from {local:%m-%d %H:%M} by quiet hours" if quiet_until else "",
    )


def _expire_by_successor(placed: list[Broadcast]) -> list[Broadcast]:
    """Nothing is worth sending once the channel's next message is due; of two that are due together, the later's."""
    # What is never sent (its time is over before it is due) must not end what is.
    dead = [row for row in placed if row.expires_at <= row.due_at]
    ordered = sorted((row for row in placed if row.expires_at > row.due_at), key=lambda row: row.due_at)
    bounded = [replace(row, expires_at=min(row.expires_at, later.due_at)) for row, later in pairwise(ordered)]
    return [*dead, *bounded, *ordered[-1:]]


def _judge(row: Broadcast, frame: _Frame) -> Broadcast:
    standing = frame.situation.known.get(row.id)
    waits = standing is not None and standing.state is not BroadcastState.SKIPPED
    if standing and waits and row.due_at < frame.now and standing.due_at.astimezone(UTC) <= frame.now:
        # It is due and waits to be opened: planning again does not put it off.
        return replace(row, due_at=standing.due_at.astimezone(UTC), note=standing.note)
    if row.phase is Phase.CANCELLED and row.channel not in frame.situation.told_channels:
        return replace(row, state=BroadcastState.SKIPPED, reason="nobody was told on this channel")
    if row.expires_at <= row.due_at:
        return _too_late(row, frame)
    if row.expires_at <= frame.now:
        return _past(row, frame)
    if row.due_at < frame.now:
        late = replace(row, due_at=_not_quiet(row, frame), note=f"was due {_minute(row.due_at, frame)}")
        return late if late.expires_at > late.due_at else _too_late(late, frame)
    return row


def _past(row: Broadcast, frame: _Frame) -> Broadcast:
    due, expired = _minute(row.due_at, frame), _minute(row.expires_at, frame)
    reason = f"past: was due {due}, no longer true since {expired}"
    return replace(row, state=BroadcastState.SKIPPED, reason=reason)


def _too_late(row: Broadcast, frame: _Frame) -> Broadcast:
    reason = f"would be due at {_minute(row.due_at, frame)}, when it is no longer true"
    return replace(row, state=BroadcastState.SKIPPED, reason=reason)


def _minute(instant: datetime, frame: _Frame) -> str:
    return f"{instant.astimezone(frame.proposal.announcement.zone_info):%m-%d %H:%M}"


def _not_quiet(row: Broadcast, frame: _Frame) -> datetime:
    local = frame.now.astimezone(frame.proposal.announcement.zone_info)
    hours = frame.proposal.policy.quiet_hours.get(row.channel)
    return ((hours.ends_after(local) if hours else None) or local).astimezone(UTC)
