"""Asking: what operators' webhooks must be told now, written down before anybody is called.

What is true now follows from what stands in the database: outages under way, broadcasts that are halted, endpoints that
were given up. Whatever is true and not written yet is written, once; whatever waits and is no longer true ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Row

from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.model import Announcement
from broadcaster.errors import BroadcasterError
from broadcaster.planning.asking import Outage, newest_question, next_question_at
from broadcaster.planning.windows import end_planned_since
from broadcaster.rendering import asking as words
from broadcaster.storage import announcements, broadcasts, endpoints, holds, operator_events, windows
from broadcaster.storage.operator_events import Kind, Told

log = structlog.get_logger()

_UNDER_WAY = frozenset({State.IN_PROGRESS, State.OVERRUN})
AT_THE_END = "at the end"
"""The lead of the event that says that the planned end has passed."""

Make = Callable[[Connection], dict[str, Any] | None]
"""Makes an event's data, when it is written down; None: there is nothing to be said after all."""
Say = Callable[[Announcement, int], dict[str, Any]]
"""Makes an event's data of the approved revision and its number."""


@dataclass(frozen=True, slots=True)
class _True:
    """Something that operators must know."""

    kind: Kind
    slug: str
    occasion: str
    make: Make


def keep_asking(connection: Connection, operators: Collection[str], now: datetime) -> bool:
    """Write down what operators are to be told at `now`, campaign time; whether anything may be told at all.

    Not while the database is held back as a restored one: it does not know what was told since.
    """
    if holds.is_restored(connection):
        return False
    true = _to_tell(connection, operators, now)
    keys = {told.key for told in true}
    operator_events.end_others(connection, keys, now)
    known = operator_events.known(connection, keys)
    for told, one in true.items():
        if told.key not in known:
            _write(connection, told, one, now)
    return True


def is_unsettled(connection: Connection, operators: Collection[str], now: datetime) -> bool:
    """Whether something is to be told at `now` that is not written, or not accepted, yet."""
    keys = {told.key for told in _to_tell(connection, operators, now)}
    return operator_events.known(connection, keys) != keys or bool(operator_events.waiting(connection))


def next_due(connection: Connection, operators: Collection[str], now: datetime) -> datetime | None:
    """When an owner is asked next after `now`, as everything stands; None without anybody to ask."""
    found = [next_question_at(outage, now) for outage in _outages(connection).values()] if operators else []
    return min((at for at in found if at), default=None)


def _to_tell(connection: Connection, operators: Collection[str], now: datetime) -> dict[Told, _True]:
    """Every truth, for each of the operators."""
    return {Told(name, one.kind, one.slug, one.occasion): one for one in _truths(connection, now) for name in operators}


def _truths(connection: Connection, now: datetime) -> Iterator[_True]:
    for slug, outage in _outages(connection).items():
        end = outage.end.astimezone(UTC).isoformat()
        if outage.state is State.OVERRUN:
            yield _True(Kind.OVERRUN, slug, end, _asking(slug, outage.state, AT_THE_END))
        question = newest_question(outage, now)
        if question:
            occasion = f"{end} {question.lead}"
            yield _True(Kind.OWNER_ASKED, slug, occasion, _asking(slug, outage.state, question.lead))
    for hold in holds.standing(connection):
        if hold.halted and hold.scope is holds.Scope.BROADCAST:
            yield from _halted(connection, hold)
    for row in endpoints.given_up(connection):
        yield _given_up(row)


def _outages(connection: Connection) -> dict[str, Outage]:
    """Slug → every outage under way whose end is planned."""
    rows = {row.slug: row for row in announcements.live(connection) if row.state in _UNDER_WAY and row.ends_at}
    rules, approved = windows.asking_rules(connection, rows), windows.approved(connection, rows)
    return {
        slug: Outage(row.state, ZoneInfo(row.zone), row.starts_at, row.ends_at, end_planned_since(approved[slug]), rule)
        for slug, rule in rules.items()
        if (row := rows[slug]).starts_at and row.ends_at
    }


def _asking(slug: str, state: State, lead: str) -> Make:
    return _of(slug, lambda announcement, revision: words.question(announcement, revision, state, lead))


def _of(slug: str, say: Say) -> Make:
    """Data that is made of the approved revision of an announcement."""

    def make(connection: Connection) -> dict[str, Any] | None:
        standing = announcements.find(connection, slug)
        number = standing.approved_revision if standing else None
        stored = announcements.revision(connection, slug, number) if number else None
        return say(stored.proposal.announcement, stored.number) if stored else None

    return make


def _halted(connection: Connection, hold: holds.Hold) -> Iterator[_True]:
    row = broadcasts.find(connection, hold.target)
    if row is None:
        return
    said = {
        "broadcast": row.id,
        "channel": row.channel,
        "phase": row.phase,
        "due_at": row.due_at.isoformat(),
        "reason": hold.reason,
        "halted_by": hold.actor,
        "halted_at": hold.at.isoformat(),
    }
    occasion = f"{row.id} {hold.at.astimezone(UTC).isoformat()}"
    make = _of(row.slug, lambda announcement, number: words.halted(announcement, number, said))
    yield _True(Kind.HALTED, row.slug, occasion, make)


def _given_up(row: Row[Any]) -> _True:
    """An endpoint that nobody but the product itself disabled."""
    at = row.disabled_at.astimezone(UTC).isoformat()
    data = words.given_up(row.name, row.label, row.disabled_for, at)
    return _True(Kind.ENDPOINT_DISABLED, "", f"{row.name} {at}", lambda _: data)


def _write(connection: Connection, told: Told, one: _True, now: datetime) -> None:
    """Write it down; an announcement that cannot be read holds up none of the others."""
    try:
        data = one.make(connection)
    except BroadcasterError as error:
        log.error("announcement_left_out", slug=one.slug, why=error.message)
        return
    if data is not None:
        operator_events.write(connection, told, data, now)
