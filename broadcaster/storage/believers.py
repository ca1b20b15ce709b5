"""Believers: whoever holds, on one channel, facts that are no longer true; found in the ledger, never kept beside it.

What a recipient may hold follows from their deliveries: an accepted one replaces whatever they held before, unless a
receipt says that it failed; one in doubt only adds to it; a refused or skipped one changes nothing. So somebody is
stale whose newest delivery of something untrue (accepted, or in doubt) is newer than their newest accepted one of what
is true. They are uncorrected as long as no message with the truth was meant for them since, whatever became of it.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from broadcaster.announcement.facts import FactChange
from broadcaster.storage import believing
from broadcaster.storage.partitions import partition

WAITS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200, 86_400, 604_800)
"""Seconds by which it is told how many were corrected."""

COUNTED_AT_ONCE = 100_000
"""How many recipient ids one count looks at. A larger group does not stay in the processor's cache, nor in `_MEMORY`:
measured with Postgres 15, 100,000 at a time take a third of the time of a million."""
_MEMORY = "64MB"
SIDE_BY_SIDE = 2
"""Connections that count for somebody who waits; the scheduler's own counting does not crowd out the batches."""

OTHERS = "others"
"""Those who are in none of the audiences that impact rows name."""


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What a channel's broadcasts told, and for which classes of recipients that is untrue now.

    `tellings`: (broadcast, revision) → for each class for which what it told is untrue, what of it. `classes`:
    (language, tag set) → class; empty when all recipients are of the one class 0. `segments`: class → the audiences of
    impact rows that its people are in. `retries` narrows them to whom that broadcast, and whatever tried it again,
    failed to reach; else it is those for whom no message with the truth was meant yet.
    """

    announcement: int
    tellings: Mapping[tuple[str, int], Mapping[int, tuple[FactChange, ...]]]
    classes: Mapping[tuple[str, int], int] = field(default_factory=dict)
    segments: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    retries: str = ""

    def __bool__(self) -> bool:
        """Whether anything untrue was told at all."""
        return any(self.tellings.values())

    @property
    def untrue_for(self) -> frozenset[int] | None:
        """The classes for which all that was told is untrue, if for the others nothing is; None when it is mixed.

        Right after a change it is so, and counting is simple: who was told anything at all?
        """
        found = {frozenset(untrue) for untrue in self.tellings.values()}
        return found.pop() if len(found) == 1 else None

    @property
    def number_of_classes(self) -> int:
        """Into how many classes recipients fall."""
        return max(self.classes.values(), default=0) + 1

    @property
    def broadcasts(self) -> Sequence[str]:
        """Every broadcast that told something."""
        return sorted({broadcast for broadcast, _ in self.tellings})

    def changes(self, held: str) -> tuple[FactChange, ...]:
        """What has changed for somebody who holds this (`Believer.held`)."""
        telling, _, number = held.partition("#")
        broadcast, _, revision = telling.partition("@")
        return self.tellings[broadcast, int(revision)][int(number or 0)]

    def values(self) -> dict[str, Any]:
        """The parameters of every statement here."""
        rows = sorted(self.tellings.items())
        found: dict[str, Any] = {
            "ids": self.broadcasts,
            "broadcasts": [key[0] for key, _ in rows],
            "revisions": [key[1] for key, _ in rows],
            "retries": self.retries,
            "untrue_for": sorted(self.untrue_for or ()),
        }
        if not self.classes:
            return found | {"untrue": [bool(classes) for _, classes in rows]}
        kinds = sorted(self.classes.items())
        return found | {
            # An array of arrays must be rectangular in Postgres; words are as long as they are.
            "untrue": [_listed(classes) for _, classes in rows],
            "languages": [kind[0] for kind, _ in kinds],
            "tag_sets": [kind[1] for kind, _ in kinds],
            "of_class": [number for _, number in kinds],
        }


class Believer(NamedTuple):
    """A stale recipient as stored; `held` names what they were told last that is untrue: `broadcast@revision#class`."""

    id: int
    handle: bytes
    sealed: bytes
    language: str
    suppressed: str | None
    tag_set: int
    held: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many are stale, how many of them no message with the truth was meant for yet, and why the others still are.

    `reasons`: (outcome, reason) of the last message that was to correct them → how many. `by_audience`: audience of an
    impact row → how many of the uncorrected are in it, by name; somebody may be in several, and `OTHERS` are in none.
    Empty where no row names one.
    """

    stale: int = 0
    uncorrected: int = 0
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    seconds: float = 0.0
    by_audience: Mapping[str, int] = field(default_factory=dict)


def count(connection: Connection, beliefs: Beliefs, *, apart: bool = False) -> Count:
    """Count the believers of a channel from the ledger; no query at all where nothing untrue was told.

    `apart`: also by audience, for which everybody is looked up where otherwise nobody has to be; on several
    connections, because somebody waits for it.
    """
    if not beliefs:
        return Count()
    started, stale, uncorrected = time.monotonic(), 0, Counter[int]()
    template = _template(beliefs, apart=apart)
    spans = _spans(connection, beliefs)
    count_in = partial(_rows_in, template, beliefs)
    for row in _side_by_side(connection.engine, count_in, spans) if apart else count_in(spans, connection):
        stale += row.stale
        uncorrected[row.class_] += row.uncorrected
    reasons = {}
    if stale > uncorrected.total():
        rows = _run(connection, believing.REASONS, beliefs)
        reasons = {(row.outcome, row.reason): row.number for row in rows}
    by_audience = _by_audience(beliefs, uncorrected) if apart else {}
    return Count(stale, uncorrected.total(), reasons, time.monotonic() - started, by_audience)


def _template(beliefs: Beliefs, *, apart: bool) -> str:
    if beliefs.untrue_for is None:
        return believing.COUNT
    of_some = len(beliefs.untrue_for) < beliefs.number_of_classes
    return believing.COUNT_ALL[bool(beliefs.classes) and (apart or of_some)]


def _rows_in(
    template: str, beliefs: Beliefs, spans: Sequence[tuple[int, int]], connection: Connection
) -> Iterator[Row[Any]]:
    _give_memory(connection)
    for first, last in spans:
        yield from _run(connection, template, beliefs, first=first, last=last)


def _side_by_side(
    engine: Engine,
    rows_in: Callable[[Sequence[tuple[int, int]], Connection], Iterator[Row[Any]]],
    spans: Sequence[tuple[int, int]],
) -> Iterator[Row[Any]]:
    """The rows of all spans, asked for on connections of their own."""

    def some(number: int) -> list[Row[Any]]:
        with engine.connect() as connection:
            return list(rows_in(spans[number::SIDE_BY_SIDE], connection))

    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        yield from itertools.chain.from_iterable(threads.map(some, range(min(SIDE_BY_SIDE, len(spans)))))


def _by_audience(beliefs: Beliefs, numbers: Mapping[int, int]) -> Mapping[str, int]:
    """What was counted by class, by the audiences that those of a class are in; nothing where no row names one."""
    if not beliefs.segments:
        return {}
    found = Counter[str]()
    for class_, number in numbers.items():
        for audience in beliefs.segments.get(class_, ()) or (OTHERS,):
            found[audience] += number
    return {name: found[name] for name in sorted(found, key=lambda name: (name == OTHERS, name)) if found[name]}


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of those who were stale in a stretch of time: how many they were, and how many still were at its end.

    `seconds` is the time for which they were, of all of them together; `within` has for each of `WAITS` how many were
    corrected in so many seconds.
    """

    before: int = 0
    after: int = 0
    seconds: float = 0.0
    within: Sequence[int] = (0,) * len(WAITS)

    @property
    def corrected(self) -> int:
        """How many of them were told what was true in it."""
        return self.before - self.after


def trace(connection: Connection, beliefs: Beliefs, since: datetime, until: datetime) -> Trace:
    """Follow whoever was stale at some time between two instants, in which the same was true; campaign time."""
    found, times = Trace(), {"since": since, "until": until, "waits": list(WAITS)}
    if not beliefs:
        return found
    _give_memory(connection)
    for first, last in _spans(connection, beliefs):
        row = _run(connection, believing.TRACE, beliefs, first=first, last=last, **times).one()
        within = [one + more for one, more in zip(found.within, row.within, strict=True)]
        found = Trace(found.before + row.before, found.after + row.after, found.seconds + row.seconds, within)
    return found


def next_range(connection: Connection, beliefs: Beliefs, after: int, size: int, scanned: int) -> Row[Any]:
    """`last` and `size` of the next range with up to `size` believers to be told; `last` is None past the end.

    Right after a change nearly everybody is one, and a look at a few more than are wanted finds them; only where it
    does not are `scanned` recipients looked at.
    """
    template, values = believing.NEXT[bool(beliefs.retries)], {"after": after, "size": size, "broadcast": ""}
    near = min(scanned, size + size // 4)
    found: Row[Any] = _run(connection, template, beliefs, **values, scanned=near).one()
    if found.size < size and near < scanned:
        found = _run(connection, template, beliefs, **values, scanned=scanned).one()
    return found


def in_range(
    connection: Connection, beliefs: Beliefs, broadcast_id: str, first: int, last: int, channel: str
) -> list[Believer]:
    """The believers of a range of ids whom a broadcast has still to tell, by id, each as their newest row has them."""
    values = {"first": first, "last": last, "channel": channel, "broadcast": broadcast_id}
    statement = _statement(believing.IN_RANGE[bool(beliefs.retries)], beliefs)
    driver: Any = connection.connection.driver_connection
    # Ciphertexts as they are: as text, each byte would come as two digits.
    with driver.cursor(binary=True) as cursor:
        rows = cursor.execute(_in_drivers_form(statement), beliefs.values() | values).fetchall()
    return list(itertools.starmap(Believer, rows))


def _run(connection: Connection, template: str, beliefs: Beliefs, **values: Any) -> Any:
    return connection.execute(text(_statement(template, beliefs)), beliefs.values() | values)


def _statement(template: str, beliefs: Beliefs) -> str:
    classed = bool(beliefs.classes)
    named = {"partition": partition(beliefs.announcement), "announcement": int(beliefs.announcement)}
    told = {
        name: believing.TOLD[classed].format(**named, recipients=recipients)
        for name, recipients in (("told", believing.EACH), ("told_in_range", believing.RANGE))
    }
    return template.format(**told, untrue=believing.UNTRUE[classed], class_=believing.CLASS[classed], **named)


@lru_cache(maxsize=64)
def _in_drivers_form(statement: str) -> str:
    return str(text(statement).compile(dialect=PGDialect_psycopg()))  # type: ignore[no-untyped-call]


def _spans(connection: Connection, beliefs: Beliefs) -> list[tuple[int, int]]:
    """Ranges of ids that cover whoever was told anything."""
    row = _run(connection, believing.ENDS, beliefs).one()
    if row.first is None:
        return []
    starts = range(row.first, row.last + 1, COUNTED_AT_ONCE)
    return [(start, min(start + COUNTED_AT_ONCE - 1, row.last)) for start in starts]


def _give_memory(connection: Connection) -> None:
    """For the rest of the transaction, enough to group a range in."""
    connection.execute(text(f"SET LOCAL work_mem = '{_MEMORY}'"))


def _listed(classes: Collection[int]) -> str:
    return f"{{{','.join(str(number) for number in sorted(classes))}}}"
