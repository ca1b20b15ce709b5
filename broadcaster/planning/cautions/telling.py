"""Cautions of telling: people are told on a public holiday, or a chosen time lies in quiet hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from broadcaster.announcement.rules import Finding
from broadcaster.planning.broadcast import Broadcast, BroadcastState
from broadcaster.planning.cautions.concern import Concern, is_chosen
from broadcaster.planning.moments import Moment, moments
from broadcaster.planning.phase import Phase


def holiday_broadcasts(concern: Concern) -> Iterator[Finding]:
    """People are told on a public holiday; what they only look at does not disturb them."""
    found: dict[tuple[str, Phase], list[str]] = defaultdict(list)
    for row in concern.planned:
        name = concern.calendar.holiday(concern.day(row.due_at))
        if name and is_chosen(row) and row.channel in concern.pushes:
            found[row.channel, row.phase].append(f"{concern.minute(row.due_at)}, a public holiday ({name})")
    for (channel, phase), due in found.items():
        days = list(dict.fromkeys(due))  # several audiences may be told together
        message = f"{channel} {phase} is due {days[0]}{_more(days)}"
        hint = "choose another day, or set it to off when that is meant"
        yield Finding(("policy", "precautions", "levels", "holiday_broadcasts"), message, hint)


def quiet_hours(concern: Concern) -> Iterator[Finding]:
    """What the policy wants told at a time that lies in quiet hours: it is moved, or comes too late to be true."""
    found: dict[tuple[str, Phase, bool], list[str]] = defaultdict(list)
    rows = {(row.phase, row.channel, row.occurrence): row for row in concern.untold}
    for moment in moments(concern.frame):
        row = rows.get(moment.key)
        if row and is_chosen(row) and not moment.to_finish:
            for is_lost, words in _held(concern, moment, row):
                found[row.channel, row.phase, is_lost].append(words)
    for (channel, phase, _), held in found.items():
        times = list(dict.fromkeys(held))  # one moment may be shared out to several audiences
        hours = concern.frame.proposal.policy.quiet_hours[channel].model_dump()
        message = f"{channel} {phase} is due {times[0]}{_more(times)}"
        hint = f"quiet hours of {channel} are {hours}: choose a time outside them"
        yield Finding(("policy", "quiet_hours", channel), message, hint)


def _held(concern: Concern, moment: Moment, row: Broadcast) -> Iterator[tuple[bool, str]]:
    """What quiet hours do to a moment that is not past: whether it is lost by them, and words."""
    now = concern.frame.now.astimezone(UTC)
    asked = max(moment.at, now)
    hours = concern.frame.proposal.quiet_hours(moment.channel, moment.phase)
    over = hours.ends_after(asked.astimezone(concern.announcement.zone_info)) if hours else None
    if over is None:
        return
    due = f"{concern.minute(asked)}, in quiet hours"
    if row.state is BroadcastState.PLANNED and _is_later(row.due_at, asked):
        yield False, f"{due}: it goes out {concern.minute(row.due_at)}"
    elif moment.at >= now and moment.until and not _is_later(moment.until, over):
        yield True, f"{due}: when they end it is not true any more, and nobody is told"


def _is_later(one: datetime, other: datetime) -> bool:
    return one.astimezone(UTC) > other.astimezone(UTC)


def _more(rows: list[str]) -> str:
    return f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
