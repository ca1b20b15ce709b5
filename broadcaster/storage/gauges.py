"""Gauges: what the metrics ask the database at every scrape. None of it counts the ledger, and none takes long.

What could be large is bounded, or estimated by the database itself.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from broadcaster.announcement.lifecycle import State
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.storage.tables import announcements, audience_versions, broadcasts, holds, receipts, waiting_receipts

MOST_COUNTED = 10_000
"""What waits is counted up to here; more is as bad. Suppressions above it are estimated."""


def states(connection: Connection) -> dict[str, int]:
    """State → broadcasts. Reads the whole plan: not to be asked at every scrape."""
    query = select(broadcasts.c.state, func.count().label("number")).group_by(broadcasts.c.state)
    found = {row.state: row.number for row in connection.execute(query)}
    return {str(state): found.get(state, 0) for state in BroadcastState}


def overdue(connection: Connection, now: datetime) -> tuple[int, float]:
    """How many planned broadcasts are due and not opened, and since how many seconds the first; campaign time."""
    due = (broadcasts.c.state == BroadcastState.PLANNED) & (broadcasts.c.due_at <= now)
    row = connection.execute(
        select(func.count().label("number"), func.min(broadcasts.c.due_at).label("first")).where(due)
    )
    found = row.one()
    return found.number, (now - found.first).total_seconds() if found.first else 0.0


def overrun(connection: Connection) -> int:
    """How many announcements are past their planned end, and nobody has said that service is back."""
    query = select(func.count()).select_from(announcements).where(announcements.c.state == State.OVERRUN)
    return int(connection.execute(query).scalar_one())


def held(connection: Connection) -> dict[tuple[str, bool], int]:
    """(scope, whether halted) → holds."""
    query = select(holds.c.scope, holds.c.halted, func.count().label("number")).group_by(holds.c.scope, holds.c.halted)
    return {(row.scope, row.halted): row.number for row in connection.execute(query)}


def receipts_unmerged(connection: Connection) -> int:
    """How many receipts came in and were not looked at yet; of the first `MOST_COUNTED` callbacks."""
    came = select(receipts.c.number).where(~receipts.c.merged).limit(MOST_COUNTED).subquery()
    return int(connection.execute(select(func.coalesce(func.sum(came.c.number), 0))).scalar_one())


def receipts_without_delivery(connection: Connection) -> int:
    """How many receipts wait for a delivery that is not in the ledger, counted up to `MOST_COUNTED`."""
    waiting = select(literal_column("1")).select_from(waiting_receipts).limit(MOST_COUNTED).subquery()
    return int(connection.execute(select(func.count()).select_from(waiting)).scalar_one())


def suppressed(connection: Connection) -> int:
    """How many suppressions stand: exact up to `MOST_COUNTED`, above it the database's own estimate."""
    return int(connection.execute(_SUPPRESSED, {"most": MOST_COUNTED}).scalar_one())


def audience(connection: Connection) -> dict[str, int]:
    """Pool → recipients of its newest version; the pool of people is the empty one."""
    table = audience_versions
    newest = select(table.c.pool, table.c.recipients).ext(distinct_on(table.c.pool))
    rows = connection.execute(newest.order_by(table.c.pool, table.c.number.desc()))
    return {row.pool: row.recipients for row in rows}


_SUPPRESSED = text(
    """
    SELECT greatest((SELECT count(*) FROM (SELECT 1 FROM suppressions LIMIT :most) AS counted),
                    (SELECT reltuples::bigint FROM pg_class
                     WHERE oid = 'suppressions'::regclass AND reltuples > :most))
    """
)
