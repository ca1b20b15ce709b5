"""`report`: who was told what, when, and how late, as one page or as data; checked against the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.cli.failures import WRONG
from broadcaster.cli.screen import console, print_json
from broadcaster.cli.session import session
from broadcaster.operations.revise import required
from broadcaster.reporting.consistency import disagreements
from broadcaster.reporting.page import write_html
from broadcaster.reporting.report import COUNTERS, report


def write(slug: str, out: Path | None, *, as_json: bool) -> None:
    """Write the page, print the data, or both; exit 1 when counters and ledger do not agree."""
    with session() as parts:
        with parts.database.begin() as connection:
            data = _read(connection, slug)
        if as_json:
            print_json(data)
        path = out or (None if as_json else Path(f"{slug}-report.html"))
        if path:
            write_html(data, path, parts.templates)
    if not as_json:
        _tell(data, path)
    if data["problems"]:
        raise typer.Exit(WRONG)


def _read(connection: Connection, slug: str) -> dict[str, Any]:
    """The report of one moment: counters and ledger are compared, where there still is one."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    required(connection, slug, lock=False)
    data = report(connection, slug, clock.now())
    if data["announcement"]["purged_at"]:
        return {**data, "consistent": None, "problems": []}
    problems = list(disagreements(data["broadcasts"], data["progress"]))
    return {**data, "consistent": not problems, "problems": problems}


def _tell(data: dict[str, Any], path: Path | None) -> None:
    totals = data["totals"]
    counts = [f"{totals[name]:,} {name}" for name in COUNTERS if totals[name] or name == "recipients"]
    console.print(f"{data['announcement']['slug']}: {', '.join(counts)}")
    for problem in data["problems"]:
        console.print(f"INCONSISTENT  {problem}", style="bold red")
    console.print(f"report: {path}")
