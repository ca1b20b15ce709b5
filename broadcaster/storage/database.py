"""The connection to Postgres: one pool a process, short transactions, and errors that name the address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from broadcaster.errors import InputError, UnreachableError

CONNECT_TIMEOUT = 5
"""Seconds to wait for Postgres to answer."""


class Database:
    """A pool of connections to the one database that holds the truth."""

    def __init__(self, url: str, *, pool_size: int = 4) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            _with_driver(url),
            pool_size=pool_size,
            max_overflow=4,
            pool_pre_ping=True,
            hide_parameters=True,  # an error text must not carry a phone number into a log
            connect_args={"connect_timeout": CONNECT_TIMEOUT, "options": "-c timezone=UTC"},
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: committed at the end, rolled back by an exception. Never held open during an HTTP call."""
        try:
            connection = self.engine.connect()
        except (OperationalError, DBAPIError) as error:
            raise UnreachableError(
                f"Postgres at {self.address} does not answer: {_first_line(error)}",
                hint="is it running, and is DATABASE_URL right? `broadcaster doctor` checks both",
            ) from error
        with connection, connection.begin():
            yield connection

    @property
    def address(self) -> str:
        """Where the database is, without its password."""
        url = make_url(_with_driver(self.url))
        return str(url.query.get("host") or f"{url.host or 'localhost'}:{url.port or 5432}")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _with_driver(url: str) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        hint = "expected postgresql://user:password@host:5432/name"
        raise InputError.one("DATABASE_URL is not a database address", hint=hint) from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        hint = "expected postgresql://user:password@host:5432/name"
        raise InputError.one(f"DATABASE_URL names {parsed.get_backend_name()}, but only Postgres will do", hint=hint)
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
