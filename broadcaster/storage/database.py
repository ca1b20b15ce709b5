"""The connection to Postgres: one pool a process, short transactions, and errors that name the address."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from broadcaster.errors import InputError, UnreachableError

CONNECT_TIMEOUT = 5
"""Seconds to wait for Postgres to answer."""


PATIENCE = 20.0
"""Seconds for which work goes on trying while Postgres restarts; shorter than any lease."""
_BETWEEN_TRIES = 0.2

_OURS = "-c timezone=UTC -c jit=off"
"""Compiling a statement takes longer than most of ours do: measured with Postgres 15, 25 ms for one of 3."""
_NEW_PLANS = f"{_OURS} -c plan_cache_mode=force_custom_plan"
"""Tables grow by millions of rows within minutes: a plan that was kept from before would scan them. (PostgreSQL
documentation, 20.7.4.)"""
_KEPT_PLANS = f"{_OURS} -c enable_seqscan=off"
"""A session makes the same few look-ups by key again and again: it keeps their plans, which never scan a table."""

T = TypeVar("T")


class Session:
    """One connection for a piece of work of several transactions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def attempt(self, work: Callable[[Connection], T]) -> T:
        """Do the work in a transaction, again on a new connection when one is lost.

        A commit whose answer was lost may have been carried out: the work must find that out by itself.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = self._connected()
                with connection.begin():
                    return work(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError):
                self._connection_lost()
                if time.monotonic() > deadline:
                    raise
                time.sleep(_BETWEEN_TRIES)

    def attempt_once(self, work: Callable[[Connection], T]) -> T | None:
        """Do work that is a transaction of its own; None when the connection was lost, whatever came of it."""
        try:
            return work(self._connected())
        except (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError):
            self._connection_lost()
            return None

    def _connection_lost(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection


class Database:
    """A pool of connections to the one database that holds the truth."""

    def __init__(self, url: str, *, pool_size: int = 4) -> None:
        self.url = url
        self.engine: Engine = _engine(url, pool_size, _NEW_PLANS, pre_ping=True)
        # A session finds out by itself when its connection is lost.
        self._of_sessions: Engine = _engine(url, pool_size, _KEPT_PLANS, pre_ping=False)

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

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection for several transactions in a row."""
        found = Session(self._of_sessions)
        try:
            yield found
        finally:
            found.close()

    @property
    def address(self) -> str:
        """Where the database is, without its password."""
        url = make_url(_with_driver(self.url))
        return str(url.query.get("host") or f"{url.host or 'localhost'}:{url.port or 5432}")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self._of_sessions.dispose()


def _engine(url: str, pool_size: int, options: str, *, pre_ping: bool) -> Engine:
    return create_engine(
        _with_driver(url),
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=pre_ping,
        hide_parameters=True,  # an error text must not carry a phone number into a log
        connect_args={"connect_timeout": CONNECT_TIMEOUT, "options": options},
    )


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
