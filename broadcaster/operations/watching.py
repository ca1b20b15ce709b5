"""Watching: is this database as far as this installation has seen it before? One that is not is held back.

The order makes it safe for several schedulers at once: the file is read first. What it says was in the database by
then, so only a database that went back is behind it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection

from broadcaster.storage import events, heartbeats, high_water, holds
from broadcaster.storage.database import Database
from broadcaster.storage.high_water import Mark
from broadcaster.storage.holds import Hold, Scope

log = structlog.get_logger()

ACTOR = "scheduler"
WATCH = "watch"
"""The heartbeat whose number is the mark."""
_WENT_ON = "went on"


def keep_watch(database: Database, data: Path, now: datetime) -> bool:
    """Look at the database and remember how far it is, in the data folder; whether anything may be planned and sent.

    Not while it is held back as a restored one: by this, or by `restoring.restored`.
    """
    before = high_water.read(data)
    with database.begin() as connection:
        beat = heartbeats.beat(connection, WATCH)
        mark = Mark(heartbeats.installed(connection), beat.number, now, beat.at)
        if before and before.installed == mark.installed and before.beats >= mark.beats:
            mark = _went_back(connection, before, mark)
        held = holds.is_restored(connection)
    high_water.write(data, mark)
    return not held


def went_on(connection: Connection) -> None:
    """Somebody said how to go on with the database as it is: what was seen of it before is no reason any more."""
    heartbeats.beat(connection, _WENT_ON)


def _went_back(connection: Connection, before: Mark, mark: Mark) -> Mark:
    """Hold everything back, unless somebody went on since; and take over the mark, so that this is said once."""
    went_on_at = heartbeats.last(connection, _WENT_ON)
    if went_on_at is None or before.seen > went_on_at:
        _hold(connection, before, mark.at)
    # In the database, so that the next copy of an older one is behind it again.
    return replace(mark, beats=heartbeats.catch_up(connection, WATCH, before.beats + 1))


def _hold(connection: Connection, before: Mark, now: datetime) -> None:
    reason = (
        f"this database is older than what this installation did until {before.at:%Y-%m-%d %H:%M} UTC:"
        " was a backup restored?"
    )
    if holds.put(connection, Hold(Scope.RESTORED, "", halted=True, reason=reason, actor=ACTOR, at=now)):
        events.record(connection, ACTOR, "halt", "", now, {"scope": Scope.RESTORED, "reason": reason})
        log.error("database_went_back", reason=reason)
