"""Read-backs in the database: what each surface showed when it was last read, and when it is read again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from broadcaster.storage.tables import readbacks


class Result(StrEnum):
    """What came of reading a surface back."""

    CONFIRMED = "confirmed"
    OTHER = "shows something else"
    UNREACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an address showed at an instant (campaign time), compared with the document `seq`.

    `endpoint` is empty for the public address. `differences` are (slug, words), and why it was not reached.
    """

    channel: str
    endpoint: str
    seq: int
    result: Result
    differences: Sequence[tuple[str, str]]
    at: datetime


def store(connection: Connection, reading: Reading, tries: int, wait: timedelta) -> None:
    """Keep the newest reading of an address; it is due again after `wait` of machine time."""
    values = {
        "seq": reading.seq,
        "result": reading.result,
        "differences": [list(row) for row in reading.differences],
        "at": reading.at,
        "tries": tries,
        "next_at": func.now() + wait,
    }
    row = {"channel": reading.channel, "endpoint": reading.endpoint, **values}
    statement = insert(readbacks).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["channel", "endpoint"], set_=values))


def find(connection: Connection, channel: str, endpoint: str) -> Row[Any] | None:
    """The last reading of an address."""
    of_it = (readbacks.c.channel == channel) & (readbacks.c.endpoint == endpoint)
    return connection.execute(select(readbacks).where(of_it)).one_or_none()


def waiting(connection: Connection, seq: int) -> set[tuple[str, str]]:
    """The (channel, endpoint) that were read since the document `seq` came, and are not due again yet."""
    fresh = (readbacks.c.seq >= seq) & (readbacks.c.next_at > func.now())
    rows = connection.execute(select(readbacks.c.channel, readbacks.c.endpoint).where(fresh))
    return {(row.channel, row.endpoint) for row in rows}


def standing(connection: Connection) -> list[Row[Any]]:
    """The last reading of every address, by channel; the public one first."""
    return list(connection.execute(select(readbacks).order_by(readbacks.c.channel, readbacks.c.endpoint)))


def forget_others(connection: Connection, addresses: Collection[tuple[str, str]]) -> None:
    """Forget what was read at addresses that the site no longer has."""
    kept = tuple_(readbacks.c.channel, readbacks.c.endpoint).in_(sorted(addresses))
    connection.execute(delete(readbacks).where(~kept))
