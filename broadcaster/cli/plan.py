"""`plan`: what applying and approving a file would change, when it would be done, and what would go wrong."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from broadcaster import clock
from broadcaster.announcement.times import parse_instant
from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.screen import console, minute, print_json, table
from broadcaster.cli.session import session
from broadcaster.errors import InputError
from broadcaster.operations.outlook import Outlook
from broadcaster.operations.preview import Preview, preview
from broadcaster.planning.broadcast import EVERYONE, Broadcast, BroadcastState
from broadcaster.planning.changes import Changes
from broadcaster.planning.forecast import Forecast, last_minute
from broadcaster.planning.proposal import Proposal, read

_COLUMNS = ("", "due", "phase", "channel", "recipients", "done by", "expires", "note")


def plan(file: Path, at: str | None, *, as_json: bool) -> None:
    """Show facts and broadcasts that would change."""
    proposal = read(file, CHANNELS)
    now = local_instant(at, proposal) if at else clock.now()
    with session() as parts, parts.database.begin() as connection:
        found = preview(connection, proposal, now, parts.reach)
    if as_json:
        facts = [asdict(change) for change in found.facts]
        print_json({"facts": facts, **changes_data(found.changes, found.outlook)})
    else:
        show(found, proposal)


def local_instant(text: str, proposal: Proposal) -> datetime:
    """A time given on the command line, in the announcement's zone; raises InputError."""
    try:
        return parse_instant(text, proposal.announcement.zone_info)
    except ValueError as error:
        raise InputError.one(str(error)) from error


def show(found: Preview, proposal: Proposal) -> None:
    """Print a preview as text that compares well from one time to the next."""
    if not found.facts and not found.changes:
        console.print(f"{proposal.announcement.slug}: nothing to do")
        # The answer stays one line for those who compare it; what stands may be in danger all the same.
        typer.echo("".join(f"warning: {warning}\n" for warning in found.outlook.warnings), err=True, nl=False)
        return
    if not found.is_new:
        for change in found.facts:
            console.print(f"  {change.path}: {change.old or '–'} → {change.new or '–'}")
    show_changes(found.changes, found.outlook)


def show_changes(changes: Changes, outlook: Outlook) -> None:
    """Print broadcasts that are added, moved and revoked, by due time; then what the operator should know."""
    marked = [
        *(("+", row) for row in changes.added),
        *(("~", row) for row in changes.moved),
        *((">", row) for row in changes.carried),
        *(("-", row) for row in changes.revoked),
    ]
    shown = table(None, _COLUMNS, numbers=("recipients",))
    for mark, row in sorted(marked, key=lambda pair: (pair[1].due_at, pair[1].phase, pair[1].channel)):
        shown.add_row("×" if row.state is BroadcastState.SKIPPED else mark, *_cells(row, outlook))
    if marked:
        console.print(shown)
    skipped = sum(1 for _, row in marked if row.state is BroadcastState.SKIPPED)
    console.print(
        f"{len(changes.added) - skipped} to add, {len(changes.moved)} to move, {len(changes.carried)} under way "
        f"to go on with new words, {len(changes.revoked)} to revoke, {skipped} skipped, {len(changes.kept)} unchanged"
    )
    for warning in outlook.warnings:
        console.print(f"warning: {warning}", soft_wrap=True)


def changes_data(changes: Changes, outlook: Outlook) -> dict[str, Any]:
    """Changes as plain data, with what is to be expected of them."""
    names = ("added", "moved", "carried", "revoked", "kept")
    rows = {name: [_row(row, outlook) for row in getattr(changes, name)] for name in names}
    return {**rows, "warnings": list(outlook.warnings)}


def _cells(row: Broadcast, outlook: Outlook) -> list[str]:
    expected = outlook.forecasts.get(row.id)
    notes = [
        f"to {row.audience}" if row.audience != EVERYONE else "",
        row.reason or row.note,
        "cannot be finished in time" if expected and expected.warning else "",
    ]
    return [
        minute(row.due_at),
        str(row.phase),
        row.channel,
        f"{expected.recipients:,}" if expected else "",
        _done_by(expected),
        minute(row.expires_at),
        "; ".join(note for note in notes if note),
    ]


def _done_by(expected: Forecast | None) -> str:
    if expected is None:
        return ""
    return minute(last_minute(expected.finished_at)) if expected.finished_at else "never"


def _row(row: Broadcast, outlook: Outlook) -> dict[str, Any]:
    expected = outlook.forecasts.get(row.id)
    finished = expected.finished_at if expected else None
    return {
        **asdict(row),
        "due_at": row.due_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "recipients": expected.recipients if expected else None,
        "finished_at": finished.isoformat() if finished else None,
        "warning": expected.warning if expected else "",
    }
