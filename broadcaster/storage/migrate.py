"""Bringing a database to the tables of this version."""

from __future__ import annotations

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from broadcaster.errors import StateError
from broadcaster.storage.database import Database
from broadcaster.storage.tables import vault_checks
from broadcaster.vault import Vault

NEWEST = "0008"
"""The last migration; a test holds it to the files."""

# Two processes that start at once must not both create the tables; any fixed number does.
_LOCK = 7_207_120_226


def migrate(database: Database, vault: Vault | None = None) -> None:
    """Apply every migration that the database lacks; does nothing on one that is up to date.

    With a vault: raises StateError when the database was written with other keys.
    """
    with database.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not is_current(connection):
            from broadcaster.storage.upgrading import upgrade  # noqa: PLC0415 - slow to load, and seldom needed

            upgrade(connection, vault)
        if vault:
            check_vault(connection, vault)


def check_vault(connection: Connection, vault: Vault) -> None:
    """Raise StateError when the database was written with other keys; remember the first ones."""
    ours = insert(vault_checks).values(name="index", digest=vault.check).on_conflict_do_nothing()
    connection.execute(ours)
    stored = connection.execute(select(vault_checks.c.digest).where(vault_checks.c.name == "index")).scalar_one()
    if not vault.fits(stored):
        raise StateError(
            "the keyring is not the one that this database was written with",
            hint="BROADCASTER_KEYS names the keyring; every process needs the same one",
        )


def is_current(connection: Connection) -> bool:
    """Whether the database has every migration of this version, and none of a later one."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return False
    return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars()) == [NEWEST]
