"""Audiences for tests that need no command line: a vault of new keys, and people brought in by it."""

from __future__ import annotations

from collections.abc import Iterable

from broadcaster import clock
from broadcaster.storage import audiences
from broadcaster.storage.audiences import Merged, Row
from broadcaster.storage.database import Database
from broadcaster.vault import Vault, new_keyring, vault_of


def new_vault() -> Vault:
    """A vault whose keys nobody else has."""
    return vault_of(new_keyring())


def gather(database: Database, vault: Vault, people: Iterable[Row], *, keep_others: bool = False) -> Merged:
    """Make these people the newest version of the audience."""
    with database.begin() as connection:
        audiences.stage(connection, audiences.PEOPLE, vault, people)
        return audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=keep_others)
