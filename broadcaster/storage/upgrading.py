"""Alembic's part: upgrading tables, and what `tables.py` and the migrations disagree on. Slow to load."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from broadcaster.storage.partitions import PREFIX
from broadcaster.storage.tables import metadata
from broadcaster.vault import Vault


def upgrade(connection: Connection, vault: Vault | None) -> None:
    """Apply every migration that is missing, in the caller's transaction; `vault` seals what is to be sealed."""
    configured = config(connection)
    configured.attributes["vault"] = vault
    command.upgrade(configured, "head")


def differences(connection: Connection) -> list[object]:
    """What the migrated database and `tables.py` disagree on; empty when they agree."""
    options = {"compare_type": True, "compare_server_default": True, "include_name": is_ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether something in the database is a table of `tables.py`, and not a partition of the ledger."""
    return kind != "table" or not str(name).startswith(PREFIX)


def new_migration(connection: Connection, message: str) -> None:
    """Write the migration from the database to `tables.py` as a new file (for developers: `make migration`)."""
    command.revision(config(connection), message, autogenerate=True)


def config(connection: Connection) -> Config:
    """Alembic's configuration for a connection."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    found.attributes["connection"] = connection
    return found
