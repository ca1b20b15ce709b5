"""`plan`: what applying and approving a file would change."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from broadcaster import clock
from broadcaster.announcement.times import parse_instant
from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.screen import console, minute, print_json, table
from broadcaster.cli.session import session
from broadcaster.errors import InputError
from broadcaster.operations.revise import Preview, preview
from broadcaster.planning.broadcast import Broadcast, BroadcastState
from broadcaster.planning.changes import Changes
from broadcaster.planning.proposal import Proposal, read


def plan(file: Path, at: str | None, *, as_json: bool) -> None:
    """Show facts and broadcasts that would change."""
    proposal = read(file, CHANNELS)
    now = local_instant(at, proposal) if at else clock.now()
    with session() as parts, parts.database.begin() as connection:
        found = preview(connection, proposal, now)
    if as_json:
        print_json(_data(found))
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
        return
    if not found.is_new:
        for change in found.facts:
            console.print(f"  {change.path}: {change.old or '–'} → {change.new or '–'}")
    show_changes(found.changes)


def show_changes(changes: Changes) -> None:
    """Print broadcasts that are added, moved and revoked, by due time."""
    marked = [
        *(("+", row) for row in changes.added),
        *(("~", row) for row in changes.moved),
        *((">", row) for row in changes.carried),
        *(("-", row) for row in changes.revoked),
    ]
    shown = table(None, ("", "due", "phase", "channel", "expires", "note"))
    for mark, row in sorted(marked, key=lambda pair: (pair[1].due_at, pair[1].phase, pair[1].channel)):
        shown.add_row(
            "×" if row.state is BroadcastState.SKIPPED else mark,
            minute(row.due_at),
            str(row.phase),
            row.channel,
            minute(row.expires_at),
            row.reason or row.note,
        )
    if marked:
        console.print(shown)
    skipped = sum(1 for _, row in marked if row.state is BroadcastState.SKIPPED)
    console.print(
        f"{len(changes.added) - skipped} to add, {len(changes.moved)} to move, {len(changes.carried)} under way "
        f"to go on with new words, {len(changes.revoked)} to revoke, {skipped} skipped, {len(changes.kept)} unchanged"
    )


def changes_data(changes: Changes) -> dict[str, Any]:
    """Changes as plain data."""
    return {
        name: [_row(row) for row in getattr(changes, name)] for name in ("added", "moved", "carried", "revoked", "kept")
    }


def _data(found: Preview) -> dict[str, Any]:
    return {"facts": [asdict(change) for change in found.facts], **changes_data(found.changes)}


def _row(row: Broadcast) -> dict[str, Any]:
    return {**asdict(row), "due_at": row.due_at.isoformat(), "expires_at": row.expires_at.isoformat()}
