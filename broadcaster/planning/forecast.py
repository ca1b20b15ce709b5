"""The forecast: when each broadcast of a plan will be finished, and which cannot be finished in time. Pure.

A channel tells one occasion after the other, in the order of their due times; what is due together is finished
together. What expires before it is finished ends then. What other announcements send meanwhile is not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from math import ceil

from broadcaster.planning.broadcast import Broadcast, BroadcastState
from broadcaster.planning.capacity import Capacity, Finish, Line
from broadcaster.planning.phase import Phase
from broadcaster.planning.planner import deadlines
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.situation import Situation

Deadlines = Mapping[tuple[Phase, str, str], datetime]


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many recipients a broadcast has now, when the last of them will be told, and what is wrong with that.

    `finished_at` is in the announcement's zone; None when it takes longer than can be planned.
    """

    recipients: int
    finished_at: datetime | None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What goes out on a channel together: to how many people, from when, and until when; `used` as in `Line`."""

    line: Line
    people: int
    start: datetime
    used: int
    finish: Finish | None

    def misses(self, limit: datetime) -> bool:
        """Whether the last of them is not told by then."""
        return self.finish is None or self.finish.at > limit.astimezone(UTC)

    def ending(self, expires: datetime) -> Finish:
        """When the channel is free again: what expires before it is finished ends then."""
        if self.finish and not self.misses(expires):
            return self.finish
        # Broken off, it may have used up whatever that day's quotas were.
        return Finish(expires.astimezone(UTC), self.line.capacity.per_day or 0)


def forecast(
    proposal: Proposal, situation: Situation, now: datetime, broadcasts: Iterable[Broadcast]
) -> Mapping[str, Forecast]:
    """Broadcast id → forecast, for those that are planned."""
    due_by = deadlines(proposal, situation, now)
    lines: dict[str, list[Broadcast]] = defaultdict(list)
    for row in broadcasts:
        if row.state is BroadcastState.PLANNED:
            lines[row.channel].append(row)
    return {
        row.id: found
        for channel, rows in lines.items()
        for row, found in _of_channel(rows, situation.line(channel, proposal), situation, due_by)
    }


def _of_channel(
    rows: list[Broadcast], line: Line, situation: Situation, due_by: Deadlines
) -> Iterator[tuple[Broadcast, Forecast]]:
    before: Finish | None = None
    ordered = sorted(rows, key=lambda row: row.due_at.timestamp())
    for _, together in groupby(ordered, key=lambda row: row.due_at.timestamp()):
        group = [(row, situation.sizes(row.channel, row.audience)) for row in together]
        turn = _turn(group[0][0].due_at, sum(size for _, size in group), line, before)
        for row, size in group:
            yield row, _judged(row, size, turn, due_by)
        before = turn.ending(max(row.expires_at for row, _ in group))


def _turn(due: datetime, people: int, line: Line, before: Finish | None) -> _Turn:
    start = max(due.astimezone(UTC), before.at) if before else due.astimezone(UTC)
    used = before.that_day if before and _same_day(before.at, start, line) else 0
    return _Turn(line, people, start, used, line.finish(start, people, used))


def _judged(row: Broadcast, size: int, turn: _Turn, due_by: Deadlines) -> Forecast:
    finished = turn.finish.at.astimezone(turn.line.zone) if turn.finish else None
    deadline = due_by.get((row.phase, row.channel, row.occurrence))
    if size and turn.misses(row.expires_at):
        late = f"cannot be finished before {_minute(row.expires_at, turn.line)}"
    elif size and deadline and turn.misses(deadline):
        late = f"cannot be finished by {_minute(deadline, turn.line)}"
    else:
        return Forecast(size, finished)
    return Forecast(size, finished, f"{late}: {_why(row, turn)}")


def _why(row: Broadcast, turn: _Turn) -> str:
    capacity = turn.line.capacity
    takes = f"{turn.people:,} recipients at {capacity} take {_duration(turn.people, capacity)}"
    used = f" after {turn.used:,} others on that day" if turn.used and capacity.per_day else ""
    begins = f"from {_minute(turn.start, turn.line)} " if turn.start > row.due_at.astimezone(UTC) else ""
    ends = f"until {_minute(last_minute(turn.finish.at), turn.line)}" if turn.finish else "longer than can be planned"
    return f"{takes}{used}, {begins}{ends}"


def _duration(people: int, capacity: Capacity) -> str:
    """How long sending itself takes, without the silence between: in days where quotas decide, else in hours."""
    if capacity.per_day and people > capacity.per_day:
        return f"{ceil(people / capacity.per_day):,} days"
    minutes = int(people / capacity.pace / 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days:,} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{max(minutes, 1)} min"


def _same_day(one: datetime, other: datetime, line: Line) -> bool:
    return one.astimezone(line.zone).date() == other.astimezone(line.zone).date()


def last_minute(finished: datetime) -> datetime:
    """The minute until whose end the last recipient is told."""
    whole = finished.replace(second=0, microsecond=0)
    return whole if whole == finished else whole + timedelta(minutes=1)


def _minute(instant: datetime, line: Line) -> str:
    return f"{instant.astimezone(line.zone):%Y-%m-%d %H:%M}"
