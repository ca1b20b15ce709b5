"""`audience import`, `audience versions` and `audience count`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psycopg
import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from broadcaster import clock
from broadcaster.audience import segments
from broadcaster.audience.importing import ImportResult, Manner
from broadcaster.audience.importing import import_people as import_file
from broadcaster.audience.pools import pool_named
from broadcaster.cli.failures import WRONG
from broadcaster.cli.screen import console, minute, print_json, table
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError, Place, UnreachableError
from broadcaster.planning.segment import named_tags, parse_segment
from broadcaster.storage import audiences
from broadcaster.wiring import App

_ADDED_UP = ("added", "changed", "removed", "unchanged", "merged", "rejected")


def manner(*, add: bool, replace: bool, encoding: str | None, channel: str) -> Manner:
    """How the operator wants a file imported."""
    if add and replace:
        raise InputError.one("--add and --replace exclude each other", hint="--add keeps whoever is not in the file")
    return Manner(add, replace, encoding, operator(), pool_named(channel))


def import_people(file: Path, wanted: Manner, strict: bool, *, as_json: bool) -> None:
    """Import a file with a progress bar; exit 1 when `strict` and a row was rejected."""
    if not file.exists():
        raise InputError.one("there is no such file", place=Place(str(file)))
    with session() as parts, watched(file.name, hidden=as_json) as bar, storing(parts) as connection:
        result = import_file(connection, parts.vault, file, clock.now(), wanted, bar)
    _print(result, as_json=as_json)
    if strict and result.rejected:
        raise typer.Exit(WRONG)


def versions(channel: str, *, as_json: bool) -> None:
    """Print every version, the newest last."""
    pool = pool_named(channel)
    with session() as parts, parts.database.begin() as connection:
        found = audiences.versions(connection, pool.name)
    if as_json:
        print_json([{**asdict(row), "at": row.at.isoformat(timespec="seconds")} for row in found])
        return
    numbers = ("version", "people", "added", "changed", "removed")
    shown = table(None, ("version", "at (UTC)", "people", "added", "changed", "removed", "file"), numbers)
    for row in found:
        counts = (row.recipients, row.added, row.changed, row.removed)
        shown.add_row(f"{row.number}", minute(row.at), *(f"{number:,}" for number in counts), row.source)
    console.print(shown if found else "nobody was imported yet")


def count_people(text: str, channel: str, *, as_json: bool) -> None:
    """Print how many people are in a segment; one that names a tag nobody has is an error, not zero."""
    segment, pool = parse_segment(text), pool_named(channel)
    with session() as parts, parts.database.begin() as connection:
        unknown = segments.unknown_tags(connection, named_tags(segment), pool.name)
        if unknown:
            hint = "tags are written as they were imported"
            raise InputError.one(f"nobody has the tag {', '.join(map(repr, unknown))}", hint=hint)
        number = segments.count(connection, segment, pool.name)
    if as_json:
        print_json({"segment": str(segment), "people": number})
    else:
        console.print(f"{number:,} {_people(number)}")


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar with rows, their rate and the time that is left."""

    progress: Progress
    task: TaskID

    def reading(self, share: float, rows: int) -> None:
        """Move the bar."""
        seconds = self.progress.tasks[0].elapsed
        rate = f"{rows / seconds:,.0f}/s" if seconds else ""
        self.progress.update(self.task, completed=share, rows=f"{rows:,} rows", rate=rate)

    def merging(self) -> None:
        """Say that the file was read, and that the rest takes as long as it takes."""
        self.progress.update(self.task, completed=1.0)
        self.progress.add_task("working out what changed", total=None, rows="", rate="")


@contextmanager
def watched(name: str, *, hidden: bool) -> Iterator[Bar]:
    """A bar on the terminal, gone in the end; none where nobody looks."""
    fields = (TextColumn("{task.fields[rows]}"), TextColumn("{task.fields[rate]}"))
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), *fields, TimeRemainingColumn())
    off = hidden or not console.is_terminal
    with Progress(*columns, console=console, disable=off, transient=True) as progress:
        yield Bar(progress, progress.add_task(name, total=1.0, rows="", rate=""))


@contextmanager
def storing(parts: App) -> Iterator[Connection]:
    """A transaction that takes much; what Postgres cannot take, such as when its disk is full, is said in its words."""
    try:
        with parts.database.begin() as connection:
            yield connection
    except (psycopg.OperationalError, OperationalError) as error:
        said = error.orig if isinstance(error, OperationalError) else error
        first = str(said).strip().split("\n", 1)[0]
        where = f"Postgres at {parts.database.address}"
        raise UnreachableError(f"{where} did not take it: {first}", hint="nothing was changed") from error


def _print(result: ImportResult, *, as_json: bool) -> None:
    if as_json:
        # `asdict` on the counter itself would count its pairs.
        print_json({**asdict(replace(result, reasons=Counter())), "reasons": dict(result.reasons)})
        return
    counted = ", ".join(f"{getattr(result, name):,} {name}" for name in _ADDED_UP)
    console.print(f"{counted}; version {result.version} has {result.recipients:,} {_people(result.recipients)}")
    for reason, number in result.reasons.most_common():
        console.print(f"  {number:,} × {reason}")
    if result.rejects:
        console.print(f"rejected rows: {result.rejects}")
    for tag in result.unnameable:
        console.print(f"no segment can name the tag {tag!r}, because of its space or bracket")


def _people(number: int) -> str:
    return "person" if number == 1 else "people"
