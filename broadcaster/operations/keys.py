"""Changing keys: another sealing key, sealing anew, another index key. What is in the keyring and the database agree.

Whoever changes the keyring holds the vault's lock in the database, so that two never write the file at once.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from broadcaster.errors import StateError
from broadcaster.storage import endpoints, events, holds, vaults
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Scope
from broadcaster.storage.vaults import Position, Progress, Walked
from broadcaster.vault import (
    Vault,
    keep_folder,
    pending_path,
    read_keyring,
    reindexed,
    rotated,
    vault_of,
    without,
    write_keyring,
)


def rotate(connection: Connection, path: Path, actor: str, now: datetime) -> int:
    """Add a sealing key and let it be the one that seals; gives its number."""
    vaults.own(connection)
    keyring = rotated(read_keyring(path))
    number = int(keyring["current"])
    events.record(connection, actor, "rotate keys", "", now, {"key": number})
    write_keyring(path, keyring)
    return number


def reseal(database: Database, vault: Vault) -> Generator[Walked]:
    """Seal what older keys sealed with the current one, each step in a transaction of its own."""
    after: Position | None = Position()
    while after:
        with database.begin() as connection:
            walked = vaults.reseal(connection, vault, after)
        yield walked
        after = walked.next
    with database.begin() as connection:
        vaults.own(connection)
        renewed = endpoints.reseal(connection, vault)
    yield Walked(renewed, 0, None)


def drop(connection: Connection, path: Path, number: int, actor: str, now: datetime) -> None:
    """Forget a sealing key; raises StateError while it seals, or a row needs it."""
    vaults.own(connection)
    keyring = without(read_keyring(path), number)
    rows = vaults.rows_per_key(connection).get(number, 0)
    if rows:
        hint = "`broadcaster keys reseal` seals them with the current key"
        raise StateError(f"{rows:,} rows need key {number}", hint=hint)
    events.record(connection, actor, "drop key", "", now, {"key": number})
    write_keyring(path, keyring)


def reindex(database: Database, path: Path, actor: str, now: datetime, progress: Progress) -> int:
    """Replace the index key, in one transaction; gives how many rows do not open, and so keep what they had.

    The next keyring is beside the old one before the commit, and takes its place after it: whenever this is killed, one
    of the two fits the database, and `Vault.fits` finds out which. Raises StateError while anything is under way.
    """
    keyring = read_keyring(path)
    following = reindexed(keyring)
    with database.begin() as connection:
        vaults.own(connection)
        _refuse_under_way(connection)
        unopened = vaults.reindex(connection, vault_of(keyring), vault_of(following), progress)
        events.record(connection, actor, "reindex", "", now, {"unopened": unopened})
        write_keyring(pending_path(path), following)
    pending_path(path).replace(path)
    keep_folder(path)
    return unopened


def _refuse_under_way(connection: Connection) -> None:
    everything = any(hold.scope is Scope.EVERYTHING for hold in holds.standing(connection))
    if not everything and vaults.under_way(connection):
        hint = "wait until they are done, or `broadcaster pause --everything` meanwhile"
        raise StateError("there are batches under way, and their recipients must not change now", hint=hint)
