"""Cautions of notice: told too late before the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from broadcaster.announcement.rules import Finding
from broadcaster.planning.broadcast import Broadcast
from broadcaster.planning.cautions.concern import Concern
from broadcaster.planning.phase import Phase

_BEFORE = frozenset({Phase.NOTICE, Phase.REMINDER, Phase.CHANGED})
"""Whichever goes out first is the first that people hear of an outage."""


def minimum_notice(concern: Concern) -> Iterator[Finding]:
    """Told with less notice than the minimum of its phase."""
    if concern.is_past(concern.announcement.window.start):
        return
    first = _first([*concern.told, *concern.planned], _BEFORE)
    if first is None:
        yield from _untold(concern)
    else:
        yield from _late(concern, Phase.NOTICE, first, "the outage is first told of")
    reminded = _first([*concern.told, *concern.planned], {Phase.REMINDER})
    if reminded:
        yield from _late(concern, Phase.REMINDER, reminded, "the first reminder is")
    if _is_moved(concern):
        # While no message of it is planned, it can be told now at the earliest.
        changed = _first(concern.planned, {Phase.CHANGED}) or concern.frame.now
        yield from _late(concern, Phase.CHANGED, changed, "the new start is told")


def _first(rows: Iterable[Broadcast], phases: Iterable[Phase]) -> datetime | None:
    return min((row.due_at.astimezone(UTC) for row in rows if row.phase in phases), default=None)


def _is_moved(concern: Concern) -> bool:
    """Whether people were told another start than this."""
    approved, start = concern.approved, concern.announcement.window.start
    return bool(concern.told) and approved is not None and approved.window.start.timestamp() != start.timestamp()


def _untold(concern: Concern) -> Iterator[Finding]:
    needed = concern.precautions.minimum_notice.notice
    if needed.number:
        message = f"nothing tells of the outage before it starts {concern.minute(concern.announcement.window.start)}"
        hint = f"give the policy a notice or a reminder, {needed} before the start"
        yield Finding(_path(Phase.NOTICE), f"{message}: the policy asks for {needed}", hint)


def _late(concern: Concern, phase: Phase, told: datetime, what: str) -> Iterator[Finding]:
    needed, start = getattr(concern.precautions.minimum_notice, phase), concern.announcement.window.start
    latest = needed.latest(start, concern.announcement.zone_info, concern.calendar)
    if not needed.number or told <= latest.astimezone(UTC):
        return
    message = (
        f"{what} {concern.minute(told)}, {_duration(told, start)} before it starts {concern.minute(start)}:"
        f" the policy asks for {needed}"
    )
    hint = "start later" if concern.is_past(latest) else f"tell it by {concern.minute(latest)}, or start later"
    yield Finding(_path(phase), message, hint)


def _path(phase: Phase) -> tuple[str, ...]:
    return ("policy", "precautions", "minimum_notice", str(phase))


def _duration(told: datetime, start: datetime) -> str:
    minutes = int((start.astimezone(UTC) - told).total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
