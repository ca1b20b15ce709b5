"""COPY: streaming rows into Postgres inside the connection's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection


def copy_text(connection: Connection, statement: str, lines: str) -> None:
    """Copy lines that are in COPY's text format already: the quickest way for rows that are mostly alike."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(lines)


def copy_chunks(connection: Connection, statement: str, chunks: Iterable[bytes]) -> None:
    """Stream what is in COPY's own format already, in chunks of any size."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in chunks:
            copy.write(chunk)


def copy_rows(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Stream rows by a `COPY … FROM STDIN` statement."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
