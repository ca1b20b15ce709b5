"""`export`: the ledger of an announcement as a file."""

from __future__ import annotations

from pathlib import Path

from broadcaster import clock
from broadcaster.announcement.times import zone_of
from broadcaster.audience.pools import shown
from broadcaster.audience.rejects import no_formula
from broadcaster.cli.screen import console, minute
from broadcaster.cli.session import operator, session
from broadcaster.errors import StateError
from broadcaster.operations.revise import required
from broadcaster.reporting.export import Exported, deliveries
from broadcaster.reporting.sheets import check_ending, write_sheet
from broadcaster.storage import events
from broadcaster.storage.announcements import Standing


def export(slug: str, out: Path, *, failures: bool, with_phones: bool) -> None:
    """Write one row a delivery, in constant memory."""
    check_ending(out)
    with session() as parts:
        with parts.database.begin() as connection:
            _refuse_purged(required(connection, slug, lock=False))
            if with_phones:
                # Before the first of them is written: whoever stops the command has some of them all the same.
                details = {"out": out.name, "failures": failures}
                events.record(connection, operator(), "export_phones", slug, clock.now(), details)
        with parts.database.begin() as connection:
            rows = deliveries(connection, slug, parts.vault, shown(in_full=with_phones), failures_only=failures)
            number = write_sheet(out, Exported, rows, no_formula)
    # A device may be the terminal itself: what is said about it must not stand in the middle of it.
    if out.is_file():
        console.print(f"{out}: {number:,} deliveries{', with phones and openids in full' if with_phones else ''}")


def _refuse_purged(standing: Standing) -> None:
    if standing.purged_at:
        at = minute(standing.purged_at.astimezone(zone_of(standing.zone)))
        raise StateError(
            f"who was told of {standing.slug} was purged at {at}",
            hint=f"its totals are kept: `broadcaster status {standing.slug}`",
        )
