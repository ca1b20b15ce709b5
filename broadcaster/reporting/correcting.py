"""Correcting as the report tells it: each change, whom it made stale, who was told, and who still is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcaster.announcement.facts import UNKNOWN
from broadcaster.planning.tellings import STATUS
from broadcaster.reporting.words import ABSENT, minutes_text, moment, share_text, span

Row = Mapping[str, Any]

_EVENTS = {"finish": "finished", "cancel": "cancelled", "reinstate": "reinstated", "end_passed": "overrun"}
"""What the events of the lifecycle are called afterwards; of an approval the facts say what it did."""
_START, _END, _RESUME = "window.start", "window.end", "resume"
_NAMES = {_START: "start", _END: "end", _RESUME: "back", STATUS: "status"}


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact that changed, as it is read."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What a change came to on one channel; `stale` is how many still were at its end."""

    text: str
    small: str
    stale: bool


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as the tables show it; `cells` has one for each channel, None where nobody was told otherwise."""

    number: int
    what: str
    at: str
    when: str
    revision: int
    why: str
    facts: tuple[FactRow, ...]
    other_facts: int
    before: str
    corrected: str
    share: str
    after: str
    stale: bool
    within: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A sum over all changes; `look` is its class in the style sheet."""

    name: str
    number: str
    small: str
    look: str


@dataclass(frozen=True, slots=True)
class Minutes:
    """For how long something untrue stood, by channel in the order of the table; "" where it is another kind's."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some of a channel still are stale."""

    channel: str
    words: str
    number: str


@dataclass(frozen=True, slots=True)
class StillStale:
    """Whoever holds something untrue as counted last; `number` is "" when nobody does. `at` is machine time, in UTC."""

    number: str
    at: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Correcting:
    """All that the report says of changes."""

    channels: tuple[str, ...]
    changes: tuple[ChangeRow, ...]
    cards: tuple[Card, ...]
    minutes: tuple[Minutes, ...]


def correcting(data: Row) -> Correcting | None:
    """What a report says of its changes; None when there was none."""
    rows: Sequence[Row] = data.get("changes", ())
    if not rows:
        return None
    channels = channels_of(rows)
    persons, statements = data["stale_recipient_minutes"], data["false_statement_minutes"]
    return Correcting(
        channels=channels,
        changes=tuple(_change(number, row, channels) for number, row in enumerate(rows, 1)),
        cards=tuple(_cards(rows, persons, statements)),
        minutes=(
            _minutes("stale recipient-minutes", persons, channels),
            _minutes("false-statement minutes", statements, channels),
        ),
    )


def still_stale(rows: Sequence[Row]) -> StillStale | None:
    """Who still is stale, and why; None where nothing untrue was ever told."""
    if not rows:
        return None
    number = sum(row["stale"] for row in rows)
    reasons = [
        Reason(row["channel"], words, f"{many:,}")
        for row in rows
        for words, many in sorted(row["why"].items(), key=lambda pair: -pair[1])
    ]
    oldest = min(row["counted_at"] for row in rows)
    return StillStale(f"{number:,}" if number else "", f"{moment(oldest)} UTC", tuple(reasons))


def channels_of(changes: Sequence[Row]) -> tuple[str, ...]:
    """Every channel on which a change made somebody stale."""
    return tuple(sorted({channel for row in changes for channel in row["channels"]}))


def what(change: Row) -> str:
    """One word for what happened: `extended`, `shortened`, `rescheduled`, `changed`, or what the event did."""
    if change["event"] in _EVENTS:
        return _EVENTS[change["event"]]
    facts = {fact["path"]: fact for fact in change["facts"]}
    if _START in facts:
        return "rescheduled"
    end = facts.get(_END)
    if end is None or UNKNOWN in {end["old"], end["new"]} or None in {end["old"], end["new"]}:
        return "changed"
    later = datetime.fromisoformat(end["new"]) > datetime.fromisoformat(end["old"])
    return "extended" if later else "shortened"


def settled(row: Row) -> int | None:
    """Within how many seconds the last one of those who were corrected was; None: later than is told."""
    return next((point["seconds"] for point in row["curve"] if point["stale"] <= row["stale_after"]), None)


def within(row: Row) -> str:
    """The same in words; nothing where nobody was corrected."""
    if not row["corrected"]:
        return ABSENT
    seconds = settled(row)
    return f"> {span(row['curve'][-1]['seconds'])}" if seconds is None else f"≤ {span(seconds)}"


def _change(number: int, row: Row, channels: Sequence[str]) -> ChangeRow:
    return ChangeRow(
        number=number,
        what=what(row),
        at=row["applied_at"],
        when=moment(row["applied_at"]),
        revision=row["revision"],
        why=row["why"],
        facts=tuple(_facts(row["facts"])),
        other_facts=row["other_facts"],
        before=f"{row['stale_before']:,}",
        corrected=f"{row['corrected']:,}",
        share=share_text(row["corrected"], row["stale_before"]),
        after=f"{row['stale_after']:,}",
        stale=bool(row["stale_after"]),
        within=within(row),
        cells=tuple(_cell(row["channels"].get(channel)) for channel in channels),
    )


def _cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    small = f"{within(row)} · {minutes_text(row['stale_minutes'])} min"
    return Cell(f"{row['stale_before']:,} → {row['stale_after']:,}", small, bool(row["stale_after"]))


def _facts(rows: Sequence[Row]) -> Iterator[FactRow]:
    """The times that moved, a resume time that is the end's only once; where none did, how the outage stands."""
    by_path = {row["path"]: (_read(row["old"]), _read(row["new"])) for row in rows}
    times = {by_path[path]: path for path in (_RESUME, _END, _START) if path in by_path}
    shown = {path: move for move, path in times.items()} or by_path
    yield from (FactRow(name, *shown[path]) for path, name in _NAMES.items() if path in shown)


def _read(value: str | None) -> str:
    """A fact's value: a time as it is read, or a word."""
    if value is None:
        return UNKNOWN
    return moment(value) if value[:1].isdigit() else value


def _cards(rows: Sequence[Row], persons: Mapping[str, float], statements: Mapping[str, float]) -> Iterator[Card]:
    before, corrected = (sum(row[name] for row in rows) for name in ("stale_before", "corrected"))
    left = rows[-1]["stale_after"]
    slowest = max((row for row in rows if row["corrected"]), key=lambda row: settled(row) or float("inf"), default=None)
    yield Card("changes", f"{len(rows):,}", "after the first approval", "")
    yield Card("told otherwise", f"{before:,}", "each change for itself", "")
    yield Card("corrected", f"{corrected:,}", share_text(corrected, before), "t-accepted")
    yield Card("still stale", f"{left:,}", "of the last change", "t-failed" if left else "none")
    yield Card("last correction", within(slowest) if slowest else ABSENT, "after its change", "")
    yield Card("stale recipient-minutes", minutes_text(sum(persons.values())), "people", "")
    yield Card("false-statement minutes", minutes_text(sum(statements.values())), "accounts and screens", "")


def _minutes(name: str, found: Mapping[str, float], channels: Sequence[str]) -> Minutes:
    return Minutes(name, tuple(minutes_text(found[channel]) if channel in found else "" for channel in channels))
