"""`restored`, and `resume --skip-due-before`: going on with a database that a backup was restored to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.announcement.times import parse_instant, zone_of
from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.screen import console
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError
from broadcaster.operations import restoring
from broadcaster.storage import announcements


def restored(backup_at: str) -> None:
    """Hold everything back before anything is started on a restored database."""
    with session() as parts, parts.database.begin() as connection:
        instant = _instant(connection, "--from", backup_at)
        restoring.restored(connection, instant, operator(), clock.now())
    console.print(
        f"everything is held back: the database knows nothing of what went out since {instant:%Y-%m-%d %H:%M %Z}"
    )
    console.print(f"  {restoring.HOW_TO_GO_ON}")


def go_on(until: str) -> None:
    """Let everything go on, without what may have gone out by then."""
    with session() as parts:
        with parts.database.begin() as connection:
            instant = _instant(connection, "--skip-due-before", until)
        found = restoring.go_on(parts.database, CHANNELS, parts.reach, instant, operator(), clock.now())
    console.print(
        f"everything goes on; perhaps sent before {instant:%Y-%m-%d %H:%M %Z}:"
        f" {found.broadcasts:,} broadcasts are skipped, {found.recipients:,} recipients of others are unknown"
    )


def _instant(connection: Connection, option: str, text: str) -> datetime:
    """A time in the zone that all announcements share; with an offset where they share none."""
    zones = {row.zone for row in announcements.all_standing(connection)}
    try:
        return parse_instant(text, zone_of(zones.pop()) if len(zones) == 1 else None)
    except ValueError as error:
        hint = "such as 2022-02-24 03:00, or 2022-02-24 03:00+08:00 where announcements have different zones"
        raise InputError.one(f"{option}: {error}", hint=hint) from error
