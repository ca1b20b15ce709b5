"""Suppressions in the database: who must not be written to.

They are found by handle, so that somebody can be suppressed who is in no audience yet; the address is kept sealed,
because a new index key needs it. The courier asks for the newest id before each call: ids become visible in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text

from broadcaster.channels.registry import POOLS
from broadcaster.storage import vaults
from broadcaster.storage.audiences import PEOPLE
from broadcaster.storage.copying import copy_rows
from broadcaster.storage.tables import suppressions
from broadcaster.vault import Vault

# One writer at a time: a lower id that is committed after a higher one would go unnoticed. Any fixed number does.
_LOCK = 7_207_120_229


@dataclass(frozen=True, slots=True)
class Written:
    """How many people were suppressed, and how many were so already."""

    new: int
    known: int


@dataclass(frozen=True, slots=True)
class Sum:
    """How many are suppressed on a channel (empty: on all) for a reason."""

    channel: str
    reason: str
    people: int


def write(
    connection: Connection, vault: Vault, rows: Iterable[tuple[str, str]], channel: str, actor: str, at: datetime
) -> Written:
    """Suppress (address, reason), as the channel's people are addressed; on all channels (empty), those with a phone.

    Of an address that comes twice the last reason counts, before both what stands already."""
    pool = POOLS.get(channel, PEOPLE)
    vaults.share(connection, vault)
    connection.execute(text(_UNWANTED))
    sealed = (
        (line, handle := vault.handle(pool, address), vault.seal(handle, address), reason)
        for line, (address, reason) in enumerate(rows)
    )
    copy_rows(connection, "COPY unwanted (line, handle, sealed, reason) FROM STDIN", sealed)
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    new = connection.execute(text(_SUPPRESS), {"channel": channel, "actor": actor, "at": at}).rowcount
    people = connection.execute(text("SELECT count(DISTINCT handle) FROM unwanted")).scalar_one()
    connection.execute(text("DROP TABLE unwanted"))
    return Written(new, people - new)


def lift(connection: Connection, handle: bytes, channel: str | None) -> list[str]:
    """Let them be written to again on a channel, or on all (None); gives the channels of what was lifted."""
    which = suppressions.c.handle == handle
    if channel is not None:
        which &= suppressions.c.channel == channel
    lifted = delete(suppressions).where(which).returning(suppressions.c.channel)
    return sorted(connection.execute(lifted).scalars())


def of_handle(connection: Connection, handle: bytes) -> list[str]:
    """The channels on which somebody is suppressed."""
    query = select(suppressions.c.channel).where(suppressions.c.handle == handle)
    return sorted(connection.execute(query).scalars())


def sums(connection: Connection) -> list[Sum]:
    """How many there are, by channel and reason."""
    columns = (suppressions.c.channel, suppressions.c.reason)
    query = select(*columns, func.count()).group_by(*columns).order_by(columns[0], func.count().desc(), columns[1])
    return [Sum(*row) for row in connection.execute(query)]


_UNWANTED = "CREATE TEMP TABLE unwanted (line bigint, handle bytea, sealed bytea, reason text) ON COMMIT DROP"

_SUPPRESS = """
INSERT INTO suppressions (handle, sealed, channel, reason, actor, at)
SELECT DISTINCT ON (handle) handle, sealed, :channel, reason, :actor, :at FROM unwanted ORDER BY handle, line DESC
ON CONFLICT (handle, channel) DO NOTHING
"""
