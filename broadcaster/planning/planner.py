"""The planner: (proposal, situation, now) → broadcasts. Pure: it reads no clock and touches nothing.

The policy gives moments; audiences that overlap are shared out; quiet hours move what begins, capacity what must be
finished; every broadcast expires when its people's next one on the channel is due or when what it says stops being
true; and what is too late by `now` is kept as skipped, with its reason, never dropped in silence. Of several messages
that are late but still true, a channel gets the newest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from broadcaster.planning.broadcast import Broadcast, BroadcastState, broadcast_id
from broadcaster.planning.capacity import LONGEST
from broadcaster.planning.moments import NEWS_IS_TRUE_FOR, Frame, Moment, moments
from broadcaster.planning.overlap import within
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.segment import Segment, parse_segment
from broadcaster.planning.shares import shares
from broadcaster.planning.situation import Situation


def plan(proposal: Proposal, situation: Situation, now: datetime) -> tuple[Broadcast, ...]:
    """Every broadcast that the proposal's policy wants in this situation, by due time, then phase and channel."""
    # All arithmetic is in UTC: two local times of one zone compare by the clock face, which autumn shows twice.
    frame = Frame(proposal, situation, now.astimezone(UTC))
    zone = proposal.announcement.zone_info
    wanted: list[Broadcast] = []
    for of_channel in _by_channel(frame).values():
        placed = [_place(moment, people, frame) for moment, people in _with_people(of_channel, frame)]
        wanted += [_judge(row, frame) for row in _expire_by_successor(placed)]
    order = list(Phase)
    ordered = sorted(wanted, key=lambda row: (row.due_at, order.index(row.phase), row.channel))
    return tuple(
        replace(row, due_at=row.due_at.astimezone(zone), expires_at=row.expires_at.astimezone(zone)) for row in ordered
    )


def deadlines(proposal: Proposal, situation: Situation, now: datetime) -> Mapping[tuple[Phase, str, str], datetime]:
    """(phase, channel, occurrence) → when it is to be finished, for what the policy wants finished by a time."""
    frame = Frame(proposal, situation, now.astimezone(UTC))
    return {moment.key: moment.at for moment in moments(frame) if moment.to_finish}


def _by_channel(frame: Frame) -> Mapping[str, list[Moment]]:
    found: dict[str, list[Moment]] = defaultdict(list)
    for moment in sorted(shares(moments(frame), frame), key=lambda moment: moment.at):
        found[moment.channel].append(moment)
    return found


def _with_people(of_channel: list[Moment], frame: Frame) -> Iterator[tuple[Moment, int]]:
    """Each moment with how many are to be told at its occasion, for what must be finished in time; else 0."""
    people: Counter[tuple[Phase, str, str]] = Counter()
    for moment in of_channel:
        if moment.to_finish:
            people[moment.key] += frame.situation.sizes(moment.channel, moment.audience)
    return ((moment, people[moment.key]) for moment in of_channel)


def _place(moment: Moment, people: int, frame: Frame) -> Broadcast:
    """A moment as a broadcast, early enough to be finished in time, or moved out of its channel's quiet hours."""
    announcement, situation = frame.proposal.announcement, frame.situation
    due = _begin_early(moment, people, frame) if moment.to_finish else moment.at
    quiet_until = _quiet_until(moment, due, frame)
    notes = [
        f"to be finished by {_minute(moment.at, frame)}" if moment.to_finish else "",
        f"moved from {_minute(due, frame)} by quiet hours" if quiet_until else "",
    ]
    return Broadcast(
        id=broadcast_id(
            *(announcement.slug, moment.channel, moment.phase, moment.occurrence),
            revision=situation.revision,
            audience=moment.audience,
            among=moment.among,
        ),
        slug=announcement.slug,
        revision=situation.revision,
        channel=moment.channel,
        phase=moment.phase,
        occurrence=moment.occurrence,
        due_at=quiet_until or due,
        expires_at=moment.until or moment.at + NEWS_IS_TRUE_FOR,
        audience=moment.audience,
        among=moment.among,
        note=", ".join(note for note in notes if note),
    )


def _begin_early(moment: Moment, people: int, frame: Frame) -> datetime:
    """When to begin so that so many people are told by the moment; as early as can be where that is not possible."""
    earliest = moment.at - LONGEST
    found = frame.situation.line(moment.channel, frame.proposal).latest_start(moment.at, people) or earliest
    # A whole minute: quiet hours end at one, and a few people more or less do not move the plan.
    return max(found.replace(second=0, microsecond=0), moment.since or earliest)


def _expire_by_successor(placed: list[Broadcast]) -> list[Broadcast]:
    """Nothing is worth sending once its people's next message is due; of two that are due together, the later's.

    A message to some of them leaves it to the others as it is: it has a successor when everybody has a later message.
    """
    # What is never sent (its time is over before it is due) must not end what is.
    dead = [row for row in placed if row.expires_at <= row.due_at]
    ordered = sorted((row for row in placed if row.expires_at > row.due_at), key=lambda row: row.due_at)
    return [*dead, *(_bounded(row, ordered[number + 1 :]) for number, row in enumerate(ordered))]


def _bounded(row: Broadcast, later: Iterable[Broadcast]) -> Broadcast:
    people, told = parse_segment(row.audience), list[Segment]()
    for other in later:
        if other.due_at >= row.expires_at:
            break
        if other.among:
            continue  # whom it reaches, nobody knows before it is opened
        told.append(parse_segment(other.audience))
        if within(people, told):
            return replace(row, expires_at=other.due_at)
    return row


def _judge(row: Broadcast, frame: Frame) -> Broadcast:
    standing = frame.situation.known.get(row.id)
    waits = standing is not None and standing.state not in {BroadcastState.SKIPPED, BroadcastState.REVOKED}
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
        due = _quiet_until(row, frame.now, frame) or frame.now
        late = replace(row, due_at=due, note=f"was due {_minute(row.due_at, frame)}")
        return late if late.expires_at > late.due_at else _too_late(late, frame)
    return row


def _past(row: Broadcast, frame: Frame) -> Broadcast:
    due, expired = _minute(row.due_at, frame), _minute(row.expires_at, frame)
    reason = f"past: was due {due}, no longer true since {expired}"
    return replace(row, state=BroadcastState.SKIPPED, reason=reason)


def _too_late(row: Broadcast, frame: Frame) -> Broadcast:
    reason = f"would be due at {_minute(row.due_at, frame)}, when it is no longer true"
    return replace(row, state=BroadcastState.SKIPPED, reason=reason)


def _minute(instant: datetime, frame: Frame) -> str:
    return f"{instant.astimezone(frame.proposal.announcement.zone_info):%m-%d %H:%M}"


def _quiet_until(row: Moment | Broadcast, instant: datetime, frame: Frame) -> datetime | None:
    """When the quiet hours around an instant end, in UTC; None when it is not in any, or is not bound by them."""
    hours = frame.proposal.quiet_hours(row.channel, row.phase)
    found = hours.ends_after(instant.astimezone(frame.proposal.announcement.zone_info)) if hours else None
    return found.astimezone(UTC) if found else None
