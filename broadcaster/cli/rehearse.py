"""`rehearse`: a campaign on a virtual clock, with a timeline that grows while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from broadcaster import clock, logs
from broadcaster.announcement.source import read_source
from broadcaster.announcement.times import zone_of
from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.failures import WRONG
from broadcaster.cli.plan_file import local_instant
from broadcaster.cli.screen import console, minute
from broadcaster.planning.proposal import parse
from broadcaster.rehearsal.rehearse import Result, Scene, Wish, play, write_json
from broadcaster.rehearsal.script import read_script
from broadcaster.reporting import correcting
from broadcaster.reporting.page import write_html
from broadcaster.reporting.report import broadcast_data
from broadcaster.storage import announcements, progress

COUNTS = ("recipients", "accepted", "delivered", "rejected", "unknown", "skipped")
LOOK_EVERY = 0.2
"""Seconds between two drawings."""
A_WHILE = timedelta(minutes=1)
"""Campaign time after which a rehearsal's clock was moved on, which it is when nothing is on its way any more."""
_LINE = "{:<16}  {:<9} {:<7}" + " {:>10}" + " {:>9}" * (len(COUNTS) - 1) + " {:>6}"
_DONE = ("closed", "skipped", "revoked")


@dataclass(frozen=True, slots=True)
class Request:
    """The command's arguments."""

    file: Path
    script: Path | None
    data: Path
    recipients: int
    people: Path | None
    begin: str | None
    site: Path | None
    templates: Path | None
    keep: bool
    vendors: bool = False


def rehearse(request: Request) -> None:
    """Run it, print the timeline and totals, write the reports; exit 1 when something does not add up."""
    logs.configure("ERROR")
    wish = _wish(request)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        timeline = Timeline(progress)
        console.print(f"rehearsing {wish.proposal.announcement.slug} in {request.data} …")
        started = time.monotonic()
        with play(wish, timeline.look) as (scene, result):
            timeline.draw(scene, at_the_end=True)
            progress.stop()
            _conclude(request, scene, result, time.monotonic() - started)
            if request.keep:
                _keep(scene)
    if result.problems:
        raise typer.Exit(WRONG)


class Timeline:
    """The growing table: a line for each broadcast that is done, a bar for each that is under way."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._printed: set[str] = set()
        self._bars: dict[str, TaskID] = {}
        self._looked_at = 0.0
        self._headed = False

    def look(self, scene: Scene) -> None:
        """Bring the screen up to date, a few times a second at most."""
        if time.monotonic() - self._looked_at >= LOOK_EVERY:
            self.draw(scene)

    def draw(self, scene: Scene, *, at_the_end: bool = False) -> None:
        """Bring the screen up to date now."""
        self._looked_at, now = time.monotonic(), clock.now()
        with scene.parts.database.begin() as connection:
            standing = announcements.find(connection, scene.slug)
            rows = progress.rows_of(connection, scene.slug, now)
        zone = zone_of(standing.zone if standing else "UTC")
        if not self._headed:
            console.print(
                _LINE.format("local time", "phase", "channel", *COUNTS, "late s"), style="bold", soft_wrap=True
            )
            self._headed = True
        for row in rows:
            is_past = at_the_end or bool(row.closed_at and now - row.closed_at > A_WHILE)
            self._draw(broadcast_data(row, zone, now), is_past=is_past)

    def _draw(self, row: dict[str, Any], *, is_past: bool) -> None:
        key = row["id"]
        if row["state"] == "open":
            if key not in self._bars:
                label = f"{minute(row['due_at'])}  {row['phase']:<9} {row['channel']:<7}"
                self._bars[key] = self._progress.add_task(label, total=row["recipients"])
            self._progress.update(self._bars[key], completed=row["accounted"])
        elif row["state"] in _DONE and key not in self._printed and (is_past or self._is_final(row)):
            if key in self._bars:
                self._progress.remove_task(self._bars.pop(key))
            self._printed.add(key)
            console.print(_text(row), soft_wrap=True)

    def _is_final(self, row: dict[str, Any]) -> bool:
        # Receipts follow acceptance by moments, where a supplier sends any; the clock moves on when there are no more.
        # A line that is printed does not change.
        return bool(row["state"] != "closed" or row["delivered"] + row["failed"] >= row["accepted"])


def _text(row: dict[str, Any]) -> str:
    head = (minute(row["due_at"]), row["phase"], row["channel"])
    if row["state"] != "closed":
        return _LINE.format(*head, *([""] * len(COUNTS)), "").rstrip() + f"  {row['state']}: {row['reason']}"
    return _LINE.format(*head, *(f"{row[name]:,}" for name in COUNTS), f"{row['lateness_seconds']:.1f}")


def _wish(request: Request) -> Wish:
    source = read_source(request.file)
    proposal = parse(source, CHANNELS)
    return Wish(
        proposal=proposal,
        source=source,
        data=request.data,
        size=request.recipients,
        audience=request.people,
        script=read_script(request.script, proposal.announcement) if request.script else None,
        begin=local_instant(request.begin, proposal) if request.begin else None,
        templates=request.templates,
        site=request.site,
        vendors=request.vendors,
    )


def _conclude(request: Request, scene: Scene, result: Result, seconds: float) -> None:
    write_json(result, request.data / "report.json")
    write_html(result.data, request.data / "report.html", scene.parts.templates)
    totals, sandbox = result.data["totals"], result.data["sandbox"]
    console.print(
        _LINE.format("total", "", "", *(f"{totals[name]:,}" for name in COUNTS), ""), style="bold", soft_wrap=True
    )
    console.print(
        f"\nthe public was shown {sandbox['received']:,}, {sandbox['duplicates']} of them twice; "
        f"{sandbox['repeats']} calls were repeated under the same key"
    )
    for change in result.data["changes"]:
        console.print(_changed(change), soft_wrap=True)
    for problem in result.problems:
        console.print(f"INCONSISTENT  {problem}", style="bold red")
    if not result.problems:
        console.print("consistent: everybody is accounted for, and the public saw what the ledger says", style="green")
    console.print(f"{seconds:.0f} s; report: {request.data / 'report.html'}")


def _changed(change: dict[str, Any]) -> str:
    """A change and what came of it, on a line."""
    head = f"{minute(change['applied_at'])}  {correcting.what(change)}: "
    within = next((row["seconds"] for row in change["curve"] if row["stale"] == change["stale_after"]), None)
    soon = f" within {within:,} s" if within and change["corrected"] else ""
    told = f"{change['stale_before']:,} had been told otherwise, {change['corrected']:,} were corrected{soon}"
    return f"{head}{told}, {change['stale_after']:,} are left"


def _keep(scene: Scene) -> None:
    console.print(f"\nsandbox  {scene.sandbox_url}/\nkiosk    {scene.web_url}/surfaces/kiosk\nCtrl-C stops everything.")
    while True:
        scene.stack.revive()
        time.sleep(0.5)
