"""`apply`, `approve`, `finish`, `cancel`, `pause`, `resume`, `migrate`: what an operator does to an announcement."""

from __future__ import annotations

from pathlib import Path

from broadcaster import clock
from broadcaster.announcement.times import parse_instant, zone_of
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.plan import changes_data, show, show_changes
from broadcaster.cli.screen import console, print_json
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError
from broadcaster.operations import conclude, revise
from broadcaster.operations.outlook import Outlook, outlook_of
from broadcaster.operations.preview import preview
from broadcaster.planning.changes import Changes
from broadcaster.planning.proposal import read
from broadcaster.rendering.renderer import render_all


def apply(file: Path, *, as_json: bool) -> None:
    """Store the file as a proposed revision, after everything that it says was rendered once."""
    proposal = read(file, CHANNELS)
    slug, now = proposal.announcement.slug, clock.now()
    with session() as parts:
        _, problems = render_all(parts.templates, [row.spec for row in CHANNELS.values()], proposal.announcement)
        if problems:
            raise InputError(problems)
        with parts.database.begin() as connection:
            found = preview(connection, proposal, now, parts.reach)
            number = revise.propose(connection, proposal, operator(), now)
    if as_json:
        print_json({"slug": slug, "revision": number, "warnings": list(found.outlook.warnings)})
    elif number is None:
        console.print(f"{slug}: nothing to do")
    else:
        show(found, proposal)
        console.print(f"\nstored as revision {number}; nothing is sent before")
        console.print(f"  broadcaster approve {slug} --revision {number}")


def approve(slug: str, number: int, *, as_json: bool) -> None:
    """Approve a revision; its plan becomes rows."""
    now = clock.now()
    with session() as parts, parts.database.begin() as connection:
        sync_endpoints(connection, parts.vault, parts.site, parts.channels, now)
        changes = revise.approve(connection, slug, number, operator(), now, parts.reach)
        expected = outlook_of(connection, slug, changes, now, parts.reach)
    _tell(changes, expected, f"{slug}: revision {number} is approved", as_json=as_json)


def finish(slug: str, at: str | None, *, as_json: bool) -> None:
    """Say that service is back."""
    now = clock.now()
    with session() as parts, parts.database.begin() as connection:
        zone = zone_of(revise.required(connection, slug).zone)
        try:
            instant = parse_instant(at, zone) if at else now
        except ValueError as error:
            raise InputError.one(f"--at: {error}") from error
        changes = conclude.finish(connection, slug, instant, operator(), now)
        expected = outlook_of(connection, slug, changes, now, parts.reach)
    since = f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"
    _tell(changes, expected, f"{slug}: service is back since {since}", as_json=as_json)


def cancel(slug: str, reason: str, *, as_json: bool) -> None:
    """Call the outage off."""
    now = clock.now()
    with session() as parts, parts.database.begin() as connection:
        changes = conclude.cancel(connection, slug, reason, operator(), now)
        expected = outlook_of(connection, slug, changes, now, parts.reach)
    _tell(changes, expected, f"{slug}: cancelled", as_json=as_json)


def migrate() -> None:
    """Bring the database up to date; opening a session does it."""
    with session() as parts:
        console.print(f"the database at {parts.database.address} is up to date")


def _tell(changes: Changes, expected: Outlook, headline: str, *, as_json: bool) -> None:
    if as_json:
        print_json(changes_data(changes, expected))
        return
    console.print(headline)
    show_changes(changes, expected)
