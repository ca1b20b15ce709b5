"""Correcting: counting who holds something untrue, and planning again where that calls for a message.

A plan is made with the counters that are at hand. What slipped out meanwhile (a call in doubt that is settled later, a
receipt that undoes a delivery) is found here, by the ledger itself, and leads to one more correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from broadcaster.channels.registry import POOLS
from broadcaster.errors import BroadcasterError
from broadcaster.operations.reach import Reach
from broadcaster.operations.replan import replan
from broadcaster.storage import announcements, holds, staleness
from broadcaster.storage.announcements import Standing
from broadcaster.storage.database import Database
from broadcaster.storage.scopes import truth

log = structlog.get_logger()

PATIENCE = 20.0
"""A count is repeated when so many times the time that it took are over."""
CONCLUDED_FOR = timedelta(days=14)
"""How long after its end an announcement is looked at: no news of it is sent later. After that a receipt is what leads
to another count."""


def correct(database: Database, now: datetime, reach: Mapping[str, Reach]) -> None:
    """Look at every announcement of which somebody may hold something untrue, one transaction each."""
    with database.begin() as connection:
        rows = [] if holds.is_restored(connection) else announcements.revised(connection, now - CONCLUDED_FOR)
    for row in rows:
        try:
            with database.begin() as connection:
                correct_one(connection, row, now, reach)
        except BroadcasterError as error:
            log.error("announcement_left_out", slug=row.slug, why=error.message)


def correct_one(connection: Connection, standing: Standing, now: datetime, reach: Mapping[str, Reach]) -> None:
    """Count an announcement's believers where that may differ, and plan again when it does; one process at a time."""
    if not staleness.only_one(connection, standing.number):
        return
    if staleness.renew(connection, standing, POOLS, truth(connection, standing), PATIENCE):
        replan(connection, standing.slug, now, reach)
