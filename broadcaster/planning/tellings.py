"""Tellings: which facts a broadcast's message told, and which of them are no longer true. Pure.

What a message tells follows from its phase and its revision: before the end the whole plan, at the planned end that
nobody has confirmed it, afterwards when service came back, or that the outage was called off. Whoever holds what a
telling told holds something untrue as soon as one of those facts differs from what is true now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadcaster.announcement.facts import AUDIENCE, UNKNOWN, FactChange, Facts, difference
from broadcaster.announcement.lifecycle import State
from broadcaster.planning.phase import Phase
from broadcaster.planning.segment import contains, parse_segment

STATUS = "status"
"""The path under which facts say how the outage as a whole stands."""
_END, _RESUME = "window.end", "resume"


class Status(StrEnum):
    """What a message says of the outage as a whole."""

    PLANNED = "planned"
    OVERRUN = "overrun"
    RESTORED = "restored"
    CANCELLED = "cancelled"


_TOLD_BY = {Phase.OVERRUN: Status.OVERRUN, Phase.RESTORED: Status.RESTORED, Phase.CANCELLED: Status.CANCELLED}
_TRUE_IN = {
    State.SCHEDULED: Status.PLANNED,
    State.IN_PROGRESS: Status.PLANNED,
    State.OVERRUN: Status.OVERRUN,
    State.COMPLETED: Status.RESTORED,
    State.CANCELLED: Status.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """People of one language with exactly these tags: what concerns one of them concerns all of them."""

    language: str
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Telling:
    """What a broadcast told whoever it reached in the words of one revision. `recipients`: perhaps told, not fewer."""

    broadcast_id: str
    revision: int
    channel: str
    facts: Facts
    recipients: int = 0


def told_by(phase: Phase, planned: Facts, finished_at: datetime | None) -> Facts:
    """The facts that a message of this phase tells, of a revision whose facts are `planned`."""
    return _as(_TOLD_BY.get(phase, Status.PLANNED), planned, finished_at)


def true_in(state: State, planned: Facts, finished_at: datetime | None) -> Facts:
    """What is true while an announcement is in this state; nothing of a draft."""
    status = _TRUE_IN.get(state)
    return _as(status, planned, finished_at) if status else {}


def untrue(told: Facts, true: Facts, kind: Kind | None = None) -> tuple[FactChange, ...]:
    """What of the told facts is no longer true, as far as it concerns people of a kind; None: everything does.

    Told is what was said: where only the end was told, only that can be untrue.
    """
    if not true:
        return ()
    was, is_ = told[STATUS], true[STATUS]
    if was != is_:
        if (was, is_) == (Status.PLANNED, Status.RESTORED) and true[_RESUME] in (told[_RESUME], told[_END]):
            return ()  # it came back when it was said to
        return difference(_times_and_status(told), _times_and_status(true))
    if was == Status.PLANNED:
        return difference(concerning(told, kind), concerning(true, kind))
    return difference(told, true)


def concerning(facts: Facts, kind: Kind | None) -> Facts:
    """The facts without the impact rows that do not concern people of a kind, and without whom they concern."""
    audiences = {path.rpartition(".")[0]: value for path, value in facts.items() if _names_audience(path)}
    foreign = {row for row, audience in audiences.items() if kind and not _contains(audience, kind)}
    return {
        path: value
        for path, value in facts.items()
        if not _names_audience(path) and path.rpartition(".")[0] not in foreign
    }


def audiences_in(tellings: Iterable[Facts]) -> frozenset[str]:
    """The segments that impact rows of these facts name: people who are in the same ones of them are told alike."""
    return frozenset(value for facts in tellings for path, value in facts.items() if _names_audience(path))


def _as(status: Status, planned: Facts, finished_at: datetime | None) -> Facts:
    if status is Status.PLANNED:
        return {STATUS: str(status), **planned}
    if status is Status.OVERRUN:
        return {STATUS: str(status), _END: planned[_END]}
    if status is Status.RESTORED:
        back = finished_at.isoformat() if finished_at else UNKNOWN
        return {STATUS: str(status), _RESUME: _like(back, planned[_RESUME])}
    return {STATUS: str(status)}


def _like(instant: str, example: str) -> str:
    """The instant in the zone offset of another one, so that equal instants are equal texts."""
    if UNKNOWN in (instant, example):
        return instant
    return datetime.fromisoformat(instant).astimezone(datetime.fromisoformat(example).tzinfo).isoformat()


def _times_and_status(facts: Facts) -> Mapping[str, str]:
    return {path: facts[path] for path in (STATUS, "window.start", _END, _RESUME) if path in facts}


def _names_audience(path: str) -> bool:
    return path.startswith("impact.") and path.endswith(f".{AUDIENCE}")


def _contains(audience: str, kind: Kind) -> bool:
    return contains(parse_segment(audience), kind.language, kind.tags)
