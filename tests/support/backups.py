"""Backups of a test's database, made and restored as the documentation says."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from broadcaster.embedded.account import own
from broadcaster.embedded.binaries import Binaries, postgres
from tests.support.databases import named

Restore = Callable[[], str]
"""Restores the backup into a new database, and gives its address."""


@contextmanager
def backed_up(server: str, database_url: str, folder: Path) -> Iterator[Restore]:
    """A backup of a database as it is now; whatever is restored from it is gone at the end."""
    programs = postgres(Binaries.AUTO, own(), None).folder
    made: list[str] = []

    def new_name() -> str:
        made.append(f"restored_{uuid.uuid4().hex[:12]}")
        return made[-1]

    try:
        if (programs / "pg_dump").exists():
            yield _dumped(programs, server, database_url, folder, new_name)
        else:  # the wheels hold the server alone
            yield _copied(server, database_url, new_name)
    finally:
        for name in made:
            _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


def _dumped(programs: Path, server: str, database_url: str, folder: Path, new_name: Callable[[], str]) -> Restore:
    file = folder / "backup.dump"
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={file}", database_url], check=True)

    def restore() -> str:
        name = new_name()
        _administer(server, "CREATE DATABASE {}", name)
        url = named(server, name)
        subprocess.run([programs / "pg_restore", "--exit-on-error", f"--dbname={url}", file], check=True)
        return url

    return restore


def _copied(server: str, database_url: str, new_name: Callable[[], str]) -> Restore:
    backup = new_name()
    _copy(server, database_url.rpartition("/")[2].partition("?")[0], backup)

    def restore() -> str:
        name = new_name()
        _copy(server, backup, name)
        return named(server, name)

    return restore


def _copy(server: str, source: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        # Whoever is connected to it keeps it from being copied; pools connect again.
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source])
    _administer(server, "CREATE DATABASE {} TEMPLATE {}", name, source)


def _administer(server: str, statement: str, *names: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
