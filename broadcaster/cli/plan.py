"""`plan`: what applying and approving a file would change, when it would be done, and what would go wrong."""

from __future__ import annotations

from pathlib import Path

import typer

from broadcaster import clock
from broadcaster.announcement.source import read_source
from broadcaster.cli import plan_file, plan_view
from broadcaster.cli.cautions import cautioned, refusals, show_refusals
from broadcaster.cli.screen import console, print_json
from broadcaster.cli.session import session
from broadcaster.operations.preview import preview

CHANGES = 3
"""The exit code that says that there is something to do, where it was asked for; 2 is always wrong usage."""


def plan(file: Path, at: str | None, out: Path | None, *, exit_code: bool, as_json: bool) -> None:
    """Show facts and broadcasts that would change, and whom a correction would reach."""
    proposal, source = plan_file.proposal_of(file), read_source(file)
    now = plan_file.local_instant(at, proposal) if at else clock.now()
    with session() as parts, parts.database.begin() as connection:
        found = cautioned(preview(connection, proposal, now, parts.reach), source)
        corrections = plan_view.corrections(found, proposal, parts.templates, parts.site)
    if out:
        plan_file.write(out, found, proposal)
    if as_json:
        print_json({**plan_view.data(found, corrections), "errors": refusals(found, source)})
    else:
        plan_view.show(found, corrections)
        show_refusals(found, source)
        if found:
            _say_how(file, out, found.mark)
    if exit_code and found:
        raise typer.Exit(CHANGES)


def _say_how(file: Path, out: Path | None, mark: str) -> None:
    console.print(f"\nplan {mark}; to carry out exactly this:")
    console.print(f"  broadcaster apply {out}" if out else f"  broadcaster apply {file} --plan {mark}", soft_wrap=True)
