"""`extend`, `reschedule`, `reinstate`, `show`: moving an announcement's times without its file."""

from __future__ import annotations

import sys
from datetime import datetime

from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.announcement.times import parse_instant, zone_of
from broadcaster.cli import operate, plan_view
from broadcaster.cli.cautions import cautioned, refusals, show_refusals, with_cautions
from broadcaster.cli.screen import console, print_json
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError
from broadcaster.operations import amending, revise
from broadcaster.operations.amending import Times
from broadcaster.operations.fitness import refuse_unfit
from broadcaster.operations.outlook import outlook_of
from broadcaster.operations.preview import preview
from broadcaster.operations.revise import NONE_GIVEN
from broadcaster.planning.proposal import Proposal
from broadcaster.wiring import App


def move(slug: str, said: dict[str, str | None], mark: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Give an announcement other times, as a new revision that is approved at once; or only show what that would do.

    `said`: option (`--start`, `--until`, `--resume-at`) → a time as it was given.
    """
    with session() as parts:
        with parts.database.begin() as connection:
            times = _times(connection, slug, said)
            _, proposal = amending.approved_proposal(connection, slug)
        wanted = amending.amended(proposal, times)
        refuse_unfit(parts.templates, wanted)
        if dry_run:
            _show(parts, wanted, slug, said, as_json=as_json)
            return
        operate.carry_out(parts, wanted, mark, NONE_GIVEN, _why(said), as_json=as_json)


def reinstate(slug: str, said: dict[str, str | None], reason: str, *, as_json: bool) -> None:
    """Take a cancelling back."""
    now = clock.now()
    with session() as parts, parts.database.begin() as connection:
        times = _times(connection, slug, said)
        _, proposal = amending.approved_proposal(connection, slug)
        wanted = amending.amended(proposal, times)
        refuse_unfit(parts.templates, wanted)
        changes = amending.reinstate(connection, slug, times, reason, operator(), now, parts.reach)
        against = revise.cautions_of(connection, wanted, now, parts.reach)
        expected = with_cautions(outlook_of(connection, slug, changes, now, parts.reach), against)
    operate.tell(changes, expected, f"{slug}: goes ahead after all", as_json=as_json)


def show(slug: str, number: int | None) -> None:
    """Print a revision (the approved one, else the newest) as a file that `apply` takes back."""
    with session() as parts, parts.database.begin() as connection:
        proposal = revise.stored(connection, slug, number)
    sys.stdout.write(proposal.to_yaml())


def _show(parts: App, wanted: Proposal, slug: str, said: dict[str, str | None], *, as_json: bool) -> None:
    with parts.database.begin() as connection:
        found = cautioned(preview(connection, wanted, clock.now(), parts.reach))
        corrections = plan_view.corrections(found, wanted, parts.templates, parts.site)
    if as_json:
        print_json({**plan_view.data(found, corrections), "errors": refusals(found)})
        return
    plan_view.show(found, corrections)
    show_refusals(found)
    if found:
        given = " ".join(f'{option} "{text}"' for option, text in said.items() if text)
        verb = "reschedule" if said.get("--start") else "extend"
        console.print(f"\nplan {found.mark}, nothing was done; to carry out exactly this:")
        console.print(f"  broadcaster {verb} {slug} {given} --plan {found.mark}", soft_wrap=True)


def _times(connection: Connection, slug: str, said: dict[str, str | None]) -> Times:
    zone = zone_of(revise.required(connection, slug, lock=False).zone)

    def instant(option: str) -> datetime | None:
        text = said.get(option)
        try:
            return parse_instant(text, zone) if text else None
        except ValueError as error:
            raise InputError.one(f"{option}: {error}") from error

    return Times(instant("--start"), instant("--until"), instant("--resume-at"))


def _why(said: dict[str, str | None]) -> str:
    return ", ".join(f"{option.removeprefix('--')} {text}" for option, text in said.items() if text)
