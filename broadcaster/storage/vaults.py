"""The vault and the database: which keys its rows need, and giving rows new ones.

Whoever writes handles shares a lock that a re-index holds alone: no row is written under an index key that is on its
way out. A row that does not open (it was changed, or moved) is left as it is and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    Row,
    Text,
    TextClause,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from broadcaster.channels.registry import PEOPLE_POOLS
from broadcaster.errors import StateError
from broadcaster.storage.tables import batches, vault_checks
from broadcaster.vault import UnopenedError, Vault

AT_ONCE = 5_000
"""Rows that are given new keys in one statement."""

# Shared by imports and suppressions, held alone by whoever changes keys; any fixed number does.
_LOCK = 7_207_120_228

Progress = Callable[[int], None]
"""Told how many more rows were done."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a walk over all sealed rows is: after this row of `recipients`, or of `suppressions`."""

    table: str = "recipients"
    id: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Walked:
    """What one step of a walk did; `next` is None at the end."""

    done: int
    unopened: int
    next: Position | None


def share(connection: Connection, vault: Vault) -> None:
    """Keep the index key as it is until the transaction ends; raises StateError when it is another one by now."""
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": _LOCK})
    stored = connection.execute(select(vault_checks.c.digest).where(vault_checks.c.name == "index")).scalar()
    if stored is not None and not vault.fits(stored):
        raise StateError("the keys of this database were changed a moment ago", hint="run it again")


def own(connection: Connection) -> None:
    """Keep everybody else from writing sealed rows until the transaction ends; waits for an import to end."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def rows_per_key(connection: Connection) -> dict[int, int]:
    """Sealing key → how many rows were sealed with it."""
    return {int(row.number): int(row.rows) for row in connection.execute(_PER_KEY)}


def sealed_rows(connection: Connection) -> int:
    """How many sealed rows there are."""
    return int(connection.execute(_SEALED_ROWS).scalar_one())


def under_way(connection: Connection) -> bool:
    """Whether there is a batch that is not done."""
    return bool(connection.execute(select(select(batches.c.id).where(~batches.c.done).exists())).scalar())


def reseal(connection: Connection, vault: Vault, after: Position) -> Walked:
    """Seal the next rows of older keys with the current one."""

    def renewed(row: Row[Any]) -> dict[str, Any]:
        return {"sealed": vault.reseal(row.handle, row.sealed)}

    own(connection)
    return _step(connection, after, vault.current, renewed, _RESEAL)


def reindex(connection: Connection, old: Vault, new: Vault, progress: Progress) -> int:
    """Renew each row's handle, fingerprint and seal under new keys, in one transaction; gives how many did not open."""

    def renewed(row: Row[Any]) -> dict[str, Any]:
        handle, fingerprint, sealed = new.seal_new(row.pool, *old.open(row.handle, row.sealed))
        return {"handle": handle, "fingerprint": fingerprint, "sealed": sealed}

    unopened, after = 0, Position()
    while True:
        walked = _step(connection, after, _NO_KEY, renewed, _REINDEX)
        progress(walked.done)
        unopened += walked.unopened
        if walked.next is None:
            break
        after = walked.next
    connection.execute(update(vault_checks).where(vault_checks.c.name == "index").values(digest=new.check))
    return unopened


def _step(
    connection: Connection,
    after: Position,
    current: int,
    renewed: Callable[[Row[Any]], dict[str, Any]],
    statements: dict[str, TextClause],
) -> Walked:
    """Renew the next rows that were not sealed with the key `current`."""
    values = {"id": after.id, "since": after.since, "current": current, "limit": AT_ONCE}
    rows = connection.execute(_NEXT[after.table], values).all()
    opened = list(_opened(rows, renewed))
    if opened:
        columns = {name: [row[name] for row in opened] for name in opened[0]}
        connection.execute(statements[after.table], columns)
    return Walked(len(opened), len(rows) - len(opened), _after(after, rows))


def _opened(rows: Iterable[Row[Any]], renewed: Callable[[Row[Any]], dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for row in rows:
        try:
            yield {"ids": row.id, "sinces": row.since, **renewed(row)}
        except UnopenedError:
            continue


def _after(before: Position, rows: Sequence[Row[Any]]) -> Position | None:
    if len(rows) == AT_ONCE:
        return Position(before.table, rows[-1].id, rows[-1].since)
    return Position("suppressions") if before.table == "recipients" else None


_NO_KEY = 0
"""No key has this number: every row is one of another key."""

_PER_KEY = text(
    """
    SELECT number, sum(rows) AS rows FROM (
        SELECT get_byte(sealed, 0) AS number, count(*) AS rows FROM recipients GROUP BY 1
        UNION ALL SELECT get_byte(sealed, 0), count(*) FROM suppressions GROUP BY 1
        UNION ALL SELECT get_byte(secret, 0), count(*) FROM endpoints GROUP BY 1
        UNION ALL SELECT get_byte(previous, 0), count(*) FROM endpoints WHERE previous IS NOT NULL GROUP BY 1
    ) counted GROUP BY number ORDER BY number
    """
)

_SEALED_ROWS = text("SELECT (SELECT count(*) FROM recipients) + (SELECT count(*) FROM suppressions)")

_NEXT = {
    "recipients": text(
        """
        SELECT id, since, pool, handle, sealed FROM recipients
        WHERE (id, since) > (:id, :since) AND get_byte(sealed, 0) <> :current ORDER BY id, since LIMIT :limit
        """
    ),
    "suppressions": text(
        """
        SELECT id, 0 AS since, CASE WHEN channel = ANY(:pools) THEN channel ELSE '' END AS pool, handle, sealed
        FROM suppressions WHERE id > :id AND get_byte(sealed, 0) <> :current ORDER BY id LIMIT :limit
        """
    ).bindparams(bindparam("pools", sorted(PEOPLE_POOLS), type_=ARRAY(Text))),
}


def _by_rows(statement: str) -> TextClause:
    types = {"ids": BigInteger, "sinces": Integer, "handle": LargeBinary, "fingerprint": LargeBinary}
    named = {**types, "sealed": LargeBinary}
    return text(statement).bindparams(
        *(bindparam(name, type_=ARRAY(kind)) for name, kind in named.items() if f":{name}" in statement)
    )


_RESEAL = {
    "recipients": _by_rows(
        """
        UPDATE recipients r SET sealed = n.sealed
        FROM unnest(:ids, :sinces, :sealed) n (id, since, sealed) WHERE r.id = n.id AND r.since = n.since
        """
    ),
    "suppressions": _by_rows(
        """
        UPDATE suppressions s SET sealed = n.sealed
        FROM unnest(:ids, :sealed) n (id, sealed) WHERE s.id = n.id
        """
    ),
}

_REINDEX = {
    "recipients": _by_rows(
        """
        UPDATE recipients r SET handle = n.handle, fingerprint = n.fingerprint, sealed = n.sealed
        FROM unnest(:ids, :sinces, :handle, :fingerprint, :sealed) n (id, since, handle, fingerprint, sealed)
        WHERE r.id = n.id AND r.since = n.since
        """
    ),
    "suppressions": _by_rows(
        """
        UPDATE suppressions s SET handle = n.handle, sealed = n.sealed
        FROM unnest(:ids, :handle, :sealed) n (id, handle, sealed) WHERE s.id = n.id
        """
    ),
}
