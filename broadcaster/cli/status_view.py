"""How `status` looks: loud lines for what is wrong, then a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from broadcaster import clock
from broadcaster.cli import asked_view, posts_view, surfaces_view
from broadcaster.cli.screen import console, minute, table
from broadcaster.cli.stale_view import stale_cell, stale_lines
from broadcaster.delivery.breaker import Circuit
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.reporting.rate import Rates
from broadcaster.reporting.words import share_text, span

SILENT_SECONDS = 10.0
"""A scheduler that did not run for so long is said to be silent."""
_CELLS = 10
_ID_LENGTH = 8
"""Characters of a broadcast's id: enough for `--broadcast`."""
_AROUND_TABLE = 6
"""Lines of a live screen that are no rows: the head, the sum, the table's own head, what is not shown, the prompt."""
_LOUD = {"halted": "bold white on red", "paused": "bold black on yellow"}
_RESUME = {
    "everything": "--everything",
    "announcement": "{target}",
    "broadcast": "--broadcast {target}",
    "restored": "--everything --skip-due-before TIME",
}
_NARROW = 150
"""A screen with fewer columns leaves out what the others imply."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: numbers align right, and what is only for wide screens may be left out."""

    name: str
    text: Callable[[Row], str]
    number: bool = False
    wide: bool = False


def of_one(data: Row) -> RenderableType:
    """An announcement with every broadcast of it."""
    columns = (
        Column("id", lambda row: str(row["id"])[:_ID_LENGTH]),
        *_WHAT,
        Column("done", done, number=True),
        *_counts("recipients", "accepted", "delivered", "rejected", "unknown", "skipped"),
        Column("late s", lateness, number=True),
        Column("note", lambda row: "; ".join(filter(None, (doubt(row), note(row))))),
    )
    return Group(*_head(data), _table(columns, data["broadcasts"]))


def of_one_live(data: Row, rates: Rates, width: int, height: int) -> RenderableType:
    """What fits on a screen of this size: what is under way, what comes next, and what was last."""
    head = list(_head(data))
    taken = sum(len(line.wrap(console, width)) for line in head)
    rows = pick(data["broadcasts"], max(1, height - taken - _AROUND_TABLE))
    columns = (
        *_WHAT,
        Column("progress", progress_bar),
        *_counts("recipients", wide=True),
        Column("rate/s", lambda row: rate(row, rates), number=True),
        Column("left", lambda row: time_left(row, rates), number=True),
        *_counts("accepted", wide=True),
        *_counts("rejected", "unknown"),
        *_counts("in doubt", "skipped", wide=True),
        Column("late s", lateness, number=True),
        Column("note", note),
    )
    shown = _table([column for column in columns if width >= _NARROW or not column.wide], rows)
    return Group(*head, _together(data["broadcasts"], rates), shown, *_not_shown(data["broadcasts"], rows))


def of_all(data: Row) -> RenderableType:
    """Every announcement."""
    columns = (
        Column("announcement", lambda row: str(row["slug"])),
        Column("state", lambda row: str(row["state"])),
        Column("revision", lambda row: str(row["revision"] or "–"), number=True),
        *(_in_state(state) for state in (BroadcastState.PLANNED, BroadcastState.OPEN, BroadcastState.CLOSED)),
        Column("progress", progress_bar),
        *_counts("recipients", "accepted", "rejected", "unknown", "in doubt", "skipped"),
        Column("stale", lambda row: stale_cell(row["stale"]), number=True),
        Column("next due", lambda row: minute(row["next_due"])),
    )
    nothing = [] if data["announcements"] else [Text("no announcement yet: `broadcaster apply FILE` stores one")]
    heard = beat(data["seconds_since_tick"])
    told = [*asked_view.of_trouble(data["asked"]), *surfaces_view.of_stale(data["screens"])]
    return Group(heard, *_holds(data), *_circuits(data), *told, _table(columns, data["announcements"]), *nothing)


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    shown = table(None, [column.name for column in columns], [column.name for column in columns if column.number])
    for row in rows:
        shown.add_row(*(column.text(row) for column in columns))
    return shown


def _counts(*names: str, wide: bool = False) -> Iterator[Column]:
    """Columns of numbers, empty where there is nobody to count."""
    for name in names:
        yield Column(name, partial(_count, name.replace(" ", "_")), number=True, wide=wide)


def _count(name: str, row: Row) -> str:
    return f"{row[name]:,}" if row["recipients"] else ""


def _in_state(state: BroadcastState) -> Column:
    return Column(str(state), lambda row: f"{row['broadcasts'][state]:,}", number=True)


def progress_bar(row: Row) -> str:
    """How many are accounted for, as `██████░░░░ 63.0%`; empty when there is nobody to account for."""
    whole, part = row["recipients"], row["accounted"]
    if not whole:
        return ""
    cells = min(_CELLS, _CELLS * part // whole)
    return f"{'█' * cells}{'░' * (_CELLS - cells)} {share_text(part, whole)}"


def done(row: Row) -> str:
    """The share of those who are accounted for."""
    return share_text(row["accounted"], row["recipients"]) if row["recipients"] else ""


def doubt(row: Row) -> str:
    """How many are members of calls whose answer nobody knows."""
    return f"{row['in_doubt']:,} in doubt" if row["in_doubt"] else ""


def lateness(row: Row) -> str:
    """Seconds from due to opened, and to closed; the first alone while it is open, with a mark while it is overdue."""
    opened, closed = row["opened_late_seconds"], row["lateness_seconds"]
    if opened is None:
        return ""
    if row["state"] == BroadcastState.PLANNED:
        return f"{opened:,.0f} !"
    return f"{opened:,.1f}" if closed is None else f"{opened:,.1f} / {closed:,.1f}"


def rate(row: Row, rates: Rates) -> str:
    """Recipients a second of a broadcast under way."""
    found = rates.per_second(row["id"]) if row["state"] == BroadcastState.OPEN else None
    return "" if found is None else f"{found:,.0f}"


def time_left(row: Row, rates: Rates) -> str:
    """How long a broadcast under way takes at this rate; empty when it does not move."""
    left = row["recipients"] - row["accounted"]
    found = rates.seconds_left(row["id"], left) if row["state"] == BroadcastState.OPEN else None
    return "" if found is None else span(found)


def note(row: Row) -> str:
    """Why it stands as it does, and what its batches wait for."""
    waiting = row["batches"]
    words = [row["reason"] or row["note"]]
    if row["canary"] == "sending" and row["state"] == BroadcastState.OPEN:
        words.append("canary")
    if waiting["retrying"]:
        words.append(f"{_many(waiting['retrying'], 'batch', 'batches')} to retry")
    if waiting["held"]:
        words.append(f"{_many(waiting['held'], 'batch', 'batches')} held until {minute(row['held_until'])}")
    return "; ".join(word for word in words if word)


def pick(rows: Sequence[Row], room: int) -> list[Row]:
    """At most `room` broadcasts in the order of their due times: the busy ones, then half to come and half done."""
    if len(rows) <= room:
        return list(rows)
    busy = [row for row in rows if row["state"] == BroadcastState.OPEN or _overdue(row)][:room]
    planned = [row for row in rows if row["state"] == BroadcastState.PLANNED and not _overdue(row)]
    done = [row for row in rows if row["state"] in (BroadcastState.CLOSED, BroadcastState.SKIPPED)]
    left = room - len(busy)
    before = min(len(done), max(left // 2, left - len(planned)))
    chosen = {row["id"] for row in (*busy, *planned[: left - before], *done[len(done) - before :])}
    return [row for row in rows if row["id"] in chosen]


def beat(age: float | None) -> Text:
    """When the scheduler last ran; loud when that is long ago."""
    if age is None:
        return Text("THE SCHEDULER NEVER RAN: nothing is opened", style=_LOUD["halted"])
    if age > SILENT_SECONDS:
        return Text(f"THE SCHEDULER IS SILENT for {span(age)}: nothing is opened", style=_LOUD["halted"])
    return Text(f"the scheduler ran {age:.0f} s ago", style="dim")


def _head(data: Row) -> Iterator[Text]:
    head = data["announcement"]
    state = f"{head['state']}, PAUSED" if head["paused"] else head["state"]
    title = f"{head['slug']} · {state} · revision {head['revision'] or '–'} · {head['zone']} · "
    yield Text(title, style="bold").append_text(beat(data["seconds_since_tick"]))
    yield from _holds(data)
    yield from _circuits(data)
    yield from surfaces_view.lines(data.get("surfaces", ()))
    yield from posts_view.lines(data.get("posts", ()))
    yield from asked_view.of_one(data)
    yield from stale_lines(data["stale"], clock.machine_now())


def _holds(data: Row) -> Iterator[Text]:
    zone = data["announcement"]["zone"] if "announcement" in data else "UTC"
    for hold in data["holds"]:
        name = f"{hold['scope']} {hold['target']}".strip()
        why = f": {hold['reason']}" if hold["reason"] else ""
        command = _RESUME[hold["scope"]].format(target=hold["target"])
        words = f" {hold['kind'].upper()} {name}{why} · {hold['actor']}, since {minute(hold['at'])} {zone} "
        yield Text(words, style=_LOUD[hold["kind"]]).append(f" broadcaster resume {command}", style="not bold default")


def _circuits(data: Row) -> Iterator[Text]:
    for row in data["circuits"]:
        if row["state"] != Circuit.CLOSED:
            words = f" {row['provider']} ({row['channel']}) fails: its circuit is {row['state']} "
            yield Text(words, style=_LOUD["paused"])


def _together(rows: Sequence[Row], rates: Rates) -> Text:
    """One line on all broadcasts that are under way."""
    busy = [row for row in rows if row["state"] == BroadcastState.OPEN]
    if not busy:
        return Text("nothing is under way")
    known = [found for row in busy if (found := rates.per_second(row["id"])) is not None]
    left = sum(row["recipients"] - row["accounted"] for row in busy)
    words = f"under way: {_many(len(busy), 'broadcast', 'broadcasts')}, {left:,} recipients left"
    if known:
        words += f", {sum(known):,.0f}/s"
    return Text(words + (f", done in {span(left / sum(known))}" if sum(known) > 0 else ""), style="bold")


def _not_shown(rows: Sequence[Row], shown: Sequence[Row]) -> Iterator[Text]:
    counts = Counter(row["state"] for row in rows) - Counter(row["state"] for row in shown)
    if counts:
        yield Text(f"not shown: {', '.join(f'{number:,} {state}' for state, number in counts.items())}", style="dim")


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


_WHAT = (
    Column("due", lambda row: minute(row["due_at"])),
    Column("phase", lambda row: str(row["phase"])),
    Column("channel", lambda row: str(row["channel"])),
    Column("state", lambda row: str(row["state"])),
)
"""Which broadcast a row is about."""


def _overdue(row: Row) -> bool:
    return row["state"] == BroadcastState.PLANNED and row["opened_late_seconds"] is not None
