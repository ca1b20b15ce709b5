"""`status`: every broadcast and what came of it."""

from __future__ import annotations

import time
from typing import Any

from rich.live import Live
from rich.table import Table

from broadcaster.cli.screen import console, minute, print_json, table
from broadcaster.cli.session import session
from broadcaster.delivery.rounds import TICK
from broadcaster.operations.revise import required
from broadcaster.reporting.report import report
from broadcaster.storage import heartbeats
from broadcaster.wiring import App

LOOK_EVERY = 1.0
"""Seconds between two looks of `--watch`."""
COUNTS = ("recipients", "accepted", "delivered", "rejected", "unknown", "skipped")


def status(slug: str, *, watch: bool, as_json: bool) -> None:
    """Print the table, once or until Ctrl-C."""
    with session() as parts:
        data = _read(parts, slug)
        if as_json:
            print_json(data)
        elif watch:
            _watch(parts, slug)
        else:
            console.print(_table(data))


def _watch(parts: App, slug: str) -> None:
    with Live(_table(_read(parts, slug)), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(LOOK_EVERY)
            live.update(_table(_read(parts, slug)), refresh=True)


def _read(parts: App, slug: str) -> dict[str, Any]:
    with parts.database.begin() as connection:
        required(connection, slug)
        return {**report(connection, slug), "seconds_since_tick": heartbeats.age(connection, TICK)}


def _table(data: dict[str, Any]) -> Table:
    head, age = data["announcement"], data["seconds_since_tick"]
    beat = "the scheduler never ran" if age is None else f"the scheduler ran {age:.0f} s ago"
    state = f"{head['state']}, PAUSED" if head["paused"] else head["state"]
    title = f"{head['slug']} · {state} · revision {head['revision'] or '–'} · {head['zone']} · {beat}"
    columns = ("due", "phase", "channel", "state", *COUNTS, "late s", "note")
    shown = table(title, columns, numbers=(*COUNTS, "late s"))
    for row in data["broadcasts"]:
        late = "" if row["lateness_seconds"] is None else f"{row['lateness_seconds']:.1f}"
        counts = (f"{row[name]:,}" if row["recipients"] else "" for name in COUNTS)
        note = row["reason"] or row["note"]
        shown.add_row(minute(row["due_at"]), row["phase"], row["channel"], row["state"], *counts, late, note)
    return shown
