"""Progress: how far each broadcast has come, also while it is under way. Nothing here counts the ledger.

What is recorded raises its batch's counters with every call, and the broadcast's when the batch is done. So what holds
at this moment is the sum of the broadcast's counters and those of its undone batches: it is made here and nowhere else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, Subquery, case, cast, func, select

from broadcaster.planning.broadcast import BroadcastState
from broadcaster.storage.tables import batches, broadcasts, calls

OUTCOMES = ("accepted", "rejected", "unknown", "skipped")
"""Whoever is accounted for is counted in exactly one of these."""
RECEIPTS = ("delivered", "failed")
"""What providers said of the accepted ones afterwards."""
_MADE = calls.c.made_at.is_not(None)
"""A call that was made and stands here: what became of it is not recorded."""
CONDITIONS = ("leased", "held", "retrying", "enqueued", "waiting")
"""An undone batch is with a worker, waits for an hour of the day, for its back-off, on the queue, or for the queue."""


def rows_of(connection: Connection, slug: str, now: datetime) -> list[Row[Any]]:
    """The broadcasts of an announcement by due time, phase and channel; `now` is campaign time.

    A row has the table's columns, with live outcomes. Beside them: for each of `CONDITIONS` a number of undone batches;
    `in_doubt`, members of calls that nobody knows the answer of; `retry_at` (machine time) and `held_until` (campaign
    time), when the first batch that waits for one goes on.
    """
    query = _live(now).where(broadcasts.c.slug == slug)
    return list(connection.execute(query.order_by(broadcasts.c.due_at, broadcasts.c.phase, broadcasts.c.channel)))


def by_announcement(connection: Connection, now: datetime) -> dict[str, Row[Any]]:
    """Slug → its broadcasts together: a number for each state (`open_broadcasts`, …), live sums, and `next_due`."""
    live = _live(now).subquery()
    states = [func.count().filter(live.c.state == state).label(f"{state}_broadcasts") for state in BroadcastState]
    sums = [_sum(live.c[name]).label(name) for name in ("recipients", *OUTCOMES, *RECEIPTS, "in_doubt")]
    next_due = func.min(live.c.due_at).filter(live.c.state == BroadcastState.PLANNED).label("next_due")
    query = select(live.c.slug, *states, *sums, next_due).group_by(live.c.slug)
    return {row.slug: row for row in connection.execute(query)}


def conditions(connection: Connection, now: datetime) -> dict[str, int]:
    """How many undone batches there are in each of `CONDITIONS`."""
    name = _condition(now).label("condition")
    query = select(name, func.count().label("number")).where(~batches.c.done).group_by(name)
    return dict.fromkeys(CONDITIONS, 0) | {row.condition: row.number for row in connection.execute(query)}


def most_attempts(connection: Connection) -> int:
    """The greatest number of failed rounds that an undone batch has behind it."""
    query = select(func.max(batches.c.attempts)).where(~batches.c.done)
    return int(connection.execute(query).scalar() or 0)


def in_doubt(connection: Connection) -> list[Row[Any]]:
    """For each `channel` and `provider` with open calls: the `number` of their members that are in doubt."""
    number = _sum(func.cardinality(calls.c.members)).label("number")
    query = select(broadcasts.c.channel, calls.c.provider, number).join_from(calls, broadcasts, _same_broadcast())
    return list(connection.execute(query.where(_MADE).group_by(broadcasts.c.channel, calls.c.provider)))


def _same_broadcast() -> ColumnElement[bool]:
    return broadcasts.c.id == calls.c.broadcast_id


def _live(now: datetime) -> Select[Any]:
    """Every broadcast with its live figures."""
    work, doubts = _work(now), _doubts()
    own = [column for column in broadcasts.c if column.name not in OUTCOMES]
    outcomes = [(broadcasts.c[name] + func.coalesce(work.c[name], 0)).label(name) for name in OUTCOMES]
    numbers = [func.coalesce(work.c[name], 0).label(name) for name in CONDITIONS]
    doubt = func.coalesce(doubts.c.number, 0).label("in_doubt")
    joined = broadcasts.outerjoin(work, work.c.broadcast_id == broadcasts.c.id).outerjoin(
        doubts, doubts.c.broadcast_id == broadcasts.c.id
    )
    return select(*own, *outcomes, *numbers, doubt, work.c.retry_at, work.c.held_until).select_from(joined)


def _work(now: datetime) -> Subquery:
    """What the undone batches of each broadcast have come to, and what they are doing."""
    doing = _condition(now)
    outcomes = [_sum(batches.c[name]).label(name) for name in OUTCOMES]
    numbers = [func.count().filter(doing == name).label(name) for name in CONDITIONS]
    retry_at = func.min(batches.c.next_attempt_at).filter(doing == "retrying").label("retry_at")
    held_until = func.min(batches.c.hold_until).filter(doing == "held").label("held_until")
    query = select(batches.c.broadcast_id, *outcomes, *numbers, retry_at, held_until)
    return query.where(~batches.c.done).group_by(batches.c.broadcast_id).subquery("work")


def _doubts() -> Subquery:
    """How many members the open calls of each broadcast have that are in doubt."""
    query = select(calls.c.broadcast_id, _sum(func.cardinality(calls.c.members)).label("number"))
    return query.where(_MADE).group_by(calls.c.broadcast_id).subquery("doubts")


def _condition(now: datetime) -> ColumnElement[str]:
    return case(
        (batches.c.lease_until > func.now(), "leased"),
        (batches.c.hold_until > now, "held"),
        (batches.c.next_attempt_at > func.now(), "retrying"),
        (batches.c.enqueued_at.is_not(None), "enqueued"),
        else_="waiting",
    )


def _sum(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A sum as a whole number, 0 over no rows: Postgres makes big sums decimals."""
    return cast(func.coalesce(func.sum(column), 0), BigInteger)
