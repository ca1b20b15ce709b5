"""Moments: when a proposal's policy wants which phase told on which channel, before anything moves it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.times import at_clock
from broadcaster.planning.broadcast import EVERYONE, Among, BroadcastState
from broadcaster.planning.phase import Phase
from broadcaster.planning.policy import DaysBefore, Immediate, Periodic
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.situation import Situation

HORIZON = timedelta(days=35)
"""How far ahead a phase without a known end is planned; planning again later adds more."""

OVERRUN_IS_TRUE_FOR = timedelta(days=1)
NEWS_IS_TRUE_FOR = timedelta(days=7)
"""How long a `restored` or `cancelled` message is still worth sending."""

_Rule = Immediate | DaysBefore | Periodic


@dataclass(frozen=True, slots=True)
class Frame:
    """What a plan is made of: a proposal, its situation, and the present instant in UTC."""

    proposal: Proposal
    situation: Situation
    now: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A policy's moment, in UTC: `since` and `until` are when what it says begins and stops being true (None: unknown).

    With `to_finish`, `at` is when the last recipient is to be told; else when the first one is.
    """

    phase: Phase
    channel: str
    audience: str
    occurrence: str
    at: datetime
    since: datetime | None
    until: datetime | None
    to_finish: bool
    among: Among = Among.ALL

    @property
    def key(self) -> tuple[Phase, str, str]:
        """Within these a recipient gets one message, whatever audiences they are in."""
        return self.phase, self.channel, self.occurrence


def moments(frame: Frame) -> Iterator[Moment]:
    """Every moment of the policy in this situation; those of one phase in the order of its rules."""
    state = frame.situation.state
    if state is State.CANCELLED:
        yield from _cancelled(frame)
    elif state is State.COMPLETED:
        yield from _restored(frame)
        yield from _left_out(Phase.RESTORED, frame, NEWS_IS_TRUE_FOR)
    else:
        yield from _before(frame)
        yield from _during(frame)
        yield from _overrun(frame)
        yield from _changed(frame)
        yield from _arrived(frame)
        if state is State.OVERRUN:
            yield from _left_out(Phase.OVERRUN, frame, OVERRUN_IS_TRUE_FOR)


def _changed(frame: Frame) -> Iterator[Moment]:
    """A correction for whoever was told otherwise; again for those who were found to be after the last one was over."""
    situation = frame.situation
    if situation.state is State.OVERRUN:
        return  # that nobody has confirmed the end is told by `overrun`
    at, end = situation.revised_at or frame.now, frame.proposal.announcement.window.end
    for rule in frame.proposal.policy.changed:
        due = _later(at, rule)
        for moment in _each(Phase.CHANGED, rule, due, until=end or due + NEWS_IS_TRUE_FOR):
            over = _closed(frame, moment.channel, Phase.CHANGED, Among.STALE)
            if _has_stale(frame, moment.channel, again=over > 0):
                since = f"revision {situation.revision}, {_exact(at)}"
                occurrence = f"{since}, again {over}" if over else since
                yield replace(moment, among=Among.STALE, occurrence=occurrence)


def _left_out(phase: Phase, frame: Frame, true_for: timedelta) -> Iterator[Moment]:
    """What everybody was told, for those who were not among them: told before, and no longer in the audience."""
    for rule in getattr(frame.proposal.policy, phase)[:1]:
        for channel in rule.channels:
            over = _closed(frame, channel, phase, Among.STALE)
            if _closed(frame, channel, phase, Among.ALL) and _has_stale(frame, channel, again=True):
                occurrence = f"told before, {over + 1}"
                moment = _moment(phase, channel, occurrence, frame.now, frame.now + true_for)
                yield replace(moment, among=Among.STALE)


_OF_THE_MOMENT = {State.SCHEDULED: Phase.NOTICE, State.IN_PROGRESS: Phase.ONGOING, State.OVERRUN: Phase.OVERRUN}


def _arrived(frame: Frame) -> Iterator[Moment]:
    """One message with what is true now for whoever joins in the middle, on the channels where others were told."""
    window = frame.proposal.announcement.window
    phase = _OF_THE_MOMENT[frame.situation.state]
    until = {Phase.NOTICE: window.start, Phase.ONGOING: window.end}.get(phase)
    for channel, arrival in frame.situation.arrivals.items():
        if channel in frame.proposal.policy.channels:
            last = until or arrival.at + NEWS_IS_TRUE_FOR
            moment = _moment(phase, channel, f"joined with version {arrival.version}", arrival.at, last)
            yield replace(moment, among=Among.NEWCOMERS)


def _has_stale(frame: Frame, channel: str, *, again: bool) -> bool:
    """Whether a correction is wanted; once more only where somebody was counted since."""
    found = frame.situation.stale.get(channel)
    return found is not None and found.uncorrected > 0 and (found.counted or not again)


def _closed(frame: Frame, channel: str, phase: Phase, among: Among) -> int:
    """How many broadcasts of this kind are over, of those that tell what is true now."""
    return sum(
        1
        for row in frame.situation.known.values()
        if (row.channel, row.phase, row.among, row.state) == (channel, phase, among, BroadcastState.CLOSED)
        and row.revision == frame.situation.revision
        and row.due_at >= (frame.situation.revised_at or row.due_at)
    )


def _before(frame: Frame) -> Iterator[Moment]:
    start = frame.proposal.announcement.window.start
    policy = frame.proposal.policy
    for rule in policy.notice:
        if isinstance(rule, DaysBefore):
            yield from _days_before(Phase.NOTICE, rule, frame)
        else:
            at = _later(frame.situation.approved_at or frame.now, rule)
            yield from _each(Phase.NOTICE, rule, at, until=start, occurrence=_after("approval", rule))
    for days_before in policy.reminder:
        yield from _days_before(Phase.REMINDER, days_before, frame)


def _days_before(phase: Phase, rule: DaysBefore, frame: Frame) -> Iterator[Moment]:
    announcement = frame.proposal.announcement
    start = announcement.window.start
    for days in rule.days_before:
        at = at_clock(start.date() - timedelta(days=days), rule.clock, announcement.zone_info)
        yield from _each(phase, rule, at, until=start)


def _during(frame: Frame) -> Iterator[Moment]:
    window = frame.proposal.announcement.window
    for rule in frame.proposal.policy.started:
        yield from _each(Phase.STARTED, rule, _later(window.start, rule), until=window.end)
    last = window.end or max(frame.now, window.start) + HORIZON
    for periodic in frame.proposal.policy.ongoing:
        for at in _periodic(periodic, window.start, last, frame):
            until = window.end or at + OVERRUN_IS_TRUE_FOR
            yield from _each(Phase.ONGOING, periodic, at, since=window.start, until=until)


def _overrun(frame: Frame) -> Iterator[Moment]:
    end = frame.proposal.announcement.window.end
    if end is None:
        return
    for rule in frame.proposal.policy.overrun:
        if isinstance(rule, Immediate):
            at = _later(end, rule)
            yield from _each(Phase.OVERRUN, rule, at, until=at + OVERRUN_IS_TRUE_FOR)
        elif frame.situation.state is State.OVERRUN:
            # Nobody plans weeks of overrun ahead: once it has begun, the next days' messages are planned.
            for at in _periodic(rule, end, max(frame.now, end) + timedelta(days=2), frame):
                yield from _each(Phase.OVERRUN, rule, at, since=end, until=at + OVERRUN_IS_TRUE_FOR)


def _restored(frame: Frame) -> Iterator[Moment]:
    at = frame.situation.concluded_at or frame.situation.finished_at or frame.now
    for rule in frame.proposal.policy.restored:
        due = _later(at, rule)
        yield from _each(Phase.RESTORED, rule, due, until=due + NEWS_IS_TRUE_FOR, occurrence=_after("finish", rule))


def _cancelled(frame: Frame) -> Iterator[Moment]:
    at = frame.situation.cancelled_at or frame.now
    for rule in frame.proposal.policy.cancelled:
        due = _later(at, rule)
        for moment in _each(Phase.CANCELLED, rule, due, until=due + NEWS_IS_TRUE_FOR):
            over = _closed(frame, moment.channel, Phase.CANCELLED, Among.STALE)
            if not over or _has_stale(frame, moment.channel, again=True):
                occurrence = f"{_exact(due)}, again {over}" if over else _exact(due)
                yield replace(moment, among=Among.STALE, occurrence=occurrence)


def _later(instant: datetime, rule: Immediate) -> datetime:
    # Elapsed minutes: adding to a local time would count clock minutes, an hour off across a clock change.
    return instant.astimezone(UTC) + timedelta(minutes=rule.after_minutes)


def _periodic(rule: Periodic, start: datetime, last: datetime, frame: Frame) -> Iterator[datetime]:
    zone = frame.proposal.announcement.zone_info
    day = start.astimezone(zone).date() + timedelta(days=rule.every_days)
    while (at := at_clock(day, rule.clock, zone)) < last:
        yield at
        day += timedelta(days=rule.every_days)


def _each(
    phase: Phase,
    rule: _Rule,
    at: datetime,
    *,
    until: datetime | None,
    since: datetime | None = None,
    occurrence: str | None = None,
) -> Iterator[Moment]:
    to_finish = not isinstance(rule, Immediate) and rule.finish_by is not None
    for channel in rule.channels:
        yield Moment(
            phase=phase,
            channel=channel,
            audience=rule.audience,
            occurrence=occurrence or _named(at),
            at=at.astimezone(UTC),
            since=since.astimezone(UTC) if since else None,
            until=until.astimezone(UTC) if until else None,
            to_finish=to_finish,
        )


def _moment(phase: Phase, channel: str, occurrence: str, at: datetime, until: datetime) -> Moment:
    """A moment that no rule of the policy names."""
    return Moment(
        phase=phase,
        channel=channel,
        audience=EVERYONE,
        occurrence=occurrence,
        at=at.astimezone(UTC),
        since=None,
        until=until.astimezone(UTC),
        to_finish=False,
    )


def _named(at: datetime) -> str:
    """The occurrence of a moment: its own instant. Moved by a new revision, it is another one and goes out again."""
    return _utc(at)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _exact(at: datetime) -> str:
    """The occurrence of what follows an operator's deed: somebody may call it off, take that back and call it off
    again within a minute, and each time it is another one."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _after(cause: str, rule: Immediate) -> str:
    """The occurrence of what follows an operator's deed, however late that is: it goes out once."""
    return f"{cause}+{rule.after_minutes}" if rule.after_minutes else cause
