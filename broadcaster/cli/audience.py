"""`audience import` and `audience count`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from broadcaster import clock
from broadcaster.audience import segments
from broadcaster.audience.importing import ImportResult
from broadcaster.audience.importing import import_people as import_file
from broadcaster.audience.segment import named_tags, parse_segment
from broadcaster.cli.failures import WRONG
from broadcaster.cli.screen import console, print_json
from broadcaster.cli.session import session
from broadcaster.errors import InputError, Place


def import_people(file: Path, *, strict: bool, as_json: bool) -> None:
    """Import a CSV file with a progress bar; exit 1 when `strict` and a row was rejected."""
    if not file.is_file():
        raise InputError.one("there is no such file", place=Place(str(file)))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    hidden = as_json or not console.is_terminal
    with session() as parts, Progress(*columns, console=console, disable=hidden, transient=True) as progress:
        task = progress.add_task(file.name, total=file.stat().st_size)
        with parts.database.begin() as connection:
            result = import_file(connection, file, clock.now(), lambda read: progress.update(task, completed=read))
    _print(result, as_json=as_json)
    if strict and result.rejected:
        raise typer.Exit(WRONG)


def count_people(text: str, *, as_json: bool) -> None:
    """Print how many people are in a segment; one that names a tag nobody has is an error, not zero."""
    segment = parse_segment(text)
    with session() as parts, parts.database.begin() as connection:
        unknown = segments.unknown_tags(connection, named_tags(segment))
        if unknown:
            hint = "tags are written as they were imported"
            raise InputError.one(f"nobody has the tag {', '.join(map(repr, unknown))}", hint=hint)
        number = segments.count(connection, segment)
    if as_json:
        print_json({"segment": str(segment), "people": number})
    else:
        console.print(f"{number:,} {'person' if number == 1 else 'people'}")


def _print(result: ImportResult, *, as_json: bool) -> None:
    if as_json:
        # `asdict` on the counter itself would count its pairs.
        print_json({**asdict(replace(result, reasons=Counter())), "reasons": dict(result.reasons)})
        return
    unchanged = result.read - result.added - result.changed
    console.print(f"{result.added} added, {result.changed} changed, {unchanged} unchanged, {result.rejected} rejected")
    for reason, number in result.reasons.most_common():
        console.print(f"  {number} × {reason}")
    if result.rejects:
        console.print(f"rejected rows: {result.rejects}")
