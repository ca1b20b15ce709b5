"""Databases for tests: each test has its own, copied from one that was migrated once."""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from broadcaster.storage.database import Database
from broadcaster.storage.migrate import migrate

TEMPLATE = "migrated"
HASTE = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")
"""Nobody cuts the power of the server of this run, and making and dropping a database waits for the disk otherwise.

Tests of what survives a crash run servers of their own.
"""


@contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """Keep the other workers of this run out of the block."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_template(server: str) -> None:
    """Make the migrated database, unless another worker of this run did already."""
    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone()
        if found:
            return
        for setting in HASTE:
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE unfinished")
        database = Database(named(server, "unfinished"))
        migrate(database)
        database.close()
        connection.execute(sql.SQL("ALTER DATABASE unfinished RENAME TO {}").format(sql.Identifier(TEMPLATE)))


@contextmanager
def fresh(server: str, template: str = TEMPLATE) -> Iterator[str]:
    """The address of a new database, gone at the end.

    Copied file by file: through the log, eight megabytes for each test would be written twice.
    """
    name = f"test_{uuid.uuid4().hex[:12]}"
    of_name = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy").format(**of_name))
        try:
            yield named(server, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**of_name))


def named(server: str, name: str) -> str:
    """The address of another database of a server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)
