"""`apply`, `approve`, `finish`, `cancel`, `migrate`: what an operator does to an announcement."""

from __future__ import annotations

from pathlib import Path

from broadcaster import clock
from broadcaster.announcement.source import Source, read_source
from broadcaster.announcement.times import parse_instant, zone_of
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.cli import plan_file, plan_view
from broadcaster.cli.cautions import cautioned, with_cautions
from broadcaster.cli.screen import console, print_json
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError
from broadcaster.operations import amending, conclude, revise
from broadcaster.operations.fitness import refuse_unfit
from broadcaster.operations.outlook import Outlook, outlook_of
from broadcaster.operations.preview import hold_to, preview
from broadcaster.operations.revise import Consent
from broadcaster.planning.caution import refuse
from broadcaster.planning.changes import Changes
from broadcaster.planning.proposal import Proposal
from broadcaster.wiring import App


def apply(file: Path, mark: str | None, consent: Consent, *, as_json: bool) -> None:
    """Store the file as a proposed revision; with the mark of a plan that was shown, carry out exactly that plan."""
    proposal, shown = plan_file.read(file)
    mark = mark or shown
    with session() as parts:
        refuse_unfit(parts.templates, proposal, None if shown else read_source(file))
        if mark:
            carry_out(parts, proposal, mark, consent, "", as_json=as_json)
        else:
            _propose(parts, proposal, read_source(file), as_json=as_json)


def carry_out(parts: App, proposal: Proposal, mark: str | None, consent: Consent, why: str, *, as_json: bool) -> None:
    """Store and approve a proposal in one go, if that is still what was shown under the mark (None: whatever it is)."""
    slug, now = proposal.announcement.slug, clock.now()
    with parts.database.begin() as connection:
        sync_endpoints(connection, parts.vault, parts.site, parts.channels, now)
        found = preview(connection, proposal, now, parts.reach, counted=False)
        if mark:
            hold_to(found, mark)
        number, changes = amending.amend(connection, proposal, found.base, why, operator(), now, parts.reach, consent)
        expected = with_cautions(outlook_of(connection, slug, changes, now, parts.reach), found.cautions)
    headline = f"{slug}: revision {number} is approved" + (f", {why}" if why else "")
    tell(changes, expected, headline, as_json=as_json)


def approve(slug: str, number: int, mark: str | None, consent: Consent, *, as_json: bool) -> None:
    """Approve a revision; its plan becomes rows."""
    now = clock.now()
    with session() as parts, parts.database.begin() as connection:
        sync_endpoints(connection, parts.vault, parts.site, parts.channels, now)
        if mark:
            proposal = revise.stored(connection, slug, number)
            hold_to(preview(connection, proposal, now, parts.reach, counted=False), mark)
        against = revise.cautions_against(connection, slug, number, now, parts.reach)
        changes = revise.approve(connection, slug, number, operator(), now, parts.reach, consent)
        expected = with_cautions(outlook_of(connection, slug, changes, now, parts.reach), against)
    tell(changes, expected, f"{slug}: revision {number} is approved", as_json=as_json)


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
    tell(changes, expected, f"{slug}: service is back since {since}", as_json=as_json)


def cancel(slug: str, reason: str, *, as_json: bool) -> None:
    """Call the outage off."""
    now = clock.now()
    with session() as parts, parts.database.begin() as connection:
        changes = conclude.cancel(connection, slug, reason, operator(), now)
        expected = outlook_of(connection, slug, changes, now, parts.reach)
    tell(changes, expected, f"{slug}: cancelled", as_json=as_json)


def migrate() -> None:
    """Bring the database up to date; opening a session does it."""
    with session() as parts:
        console.print(f"the database at {parts.database.address} is up to date")


def tell(changes: Changes, expected: Outlook, headline: str, *, as_json: bool) -> None:
    """Print what was done."""
    if as_json:
        print_json(plan_view.changes_data(changes, expected))
        return
    console.print(headline, soft_wrap=True)
    plan_view.show_changes(changes, expected)


def _propose(parts: App, proposal: Proposal, source: Source, *, as_json: bool) -> None:
    slug, now = proposal.announcement.slug, clock.now()
    with parts.database.begin() as connection:
        found = cautioned(preview(connection, proposal, now, parts.reach), source)
        refuse(found.cautions, source)
        number = revise.propose(connection, proposal, operator(), now)
        corrections = plan_view.corrections(found, proposal, parts.templates, parts.site)
    if as_json:
        print_json({"slug": slug, "revision": number, "plan": found.mark, "warnings": list(found.outlook.warnings)})
    elif number is None:
        console.print(f"{slug}: nothing to do")
    else:
        plan_view.show(found, corrections)
        console.print(f"\nstored as revision {number}; nothing is sent before")
        console.print(f"  broadcaster approve {slug} --revision {number}")
