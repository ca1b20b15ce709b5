"""The messenger: tells operators' webhooks what is written down for them, until each is accepted or no longer true.

It works on a thread of its own, beside the scheduler: a webhook that hangs must not hold up a tick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import CONNECT_TIMEOUT, Transport
from broadcaster.delivery import retry
from broadcaster.errors import BroadcasterError
from broadcaster.storage import operator_events
from broadcaster.storage.database import Database

log = structlog.get_logger()

LEASE = timedelta(seconds=2 * CONNECT_TIMEOUT + 30 + 5)
"""How long an attempt may take, with the longest time-out of an operator; then another may be made."""

THREAD = "messenger"

Resolve = Callable[[str], Provider]
"""Operator → their webhook with its secret; raises InputError when it cannot be used."""
Write = Callable[[Connection, datetime], bool]
"""Writes down what is to be told now and ends what is no longer true; whether anything may be told."""


class Messenger:
    """Tells operators what waits for them; one a process."""

    def __init__(self, database: Database, transport: Transport, resolve: Resolve, write: Write) -> None:
        self._database = database
        self._transport = transport
        self._resolve = resolve
        self._write = write
        self._lock = threading.Lock()
        self._wanted = False
        self._working = False

    def wake(self) -> None:
        """See to it that whatever is to be told now is being told; returns at once."""
        with self._lock:
            self._wanted = True
            if not self._working:
                # What a process that ends leaves behind is claimed again when its lease is over.
                threading.Thread(target=self._work, name=THREAD, daemon=True).start()
                self._working = True

    def tell_all(self) -> None:
        """Tell whatever is to be told now."""
        while self._tell_next():
            pass

    def _work(self) -> None:
        while self._is_wanted():
            try:
                self.tell_all()
            except Exception as error:  # whatever it is, the next round tries again
                log.error("operators_not_told", why=getattr(error, "message", type(error).__name__))

    def _is_wanted(self) -> bool:
        """Whether somebody woke it since it last began; if not, the thread ends."""
        with self._lock:
            self._wanted, self._working = False, self._wanted
            return self._working

    def _tell_next(self) -> bool:
        # In the transaction of the claim: what stopped being true since is not told any more.
        with self._database.begin() as connection:
            may_tell = self._write(connection, clock.now())
            row = operator_events.claim(connection, LEASE) if may_tell else None
        if row is None:
            return False
        try:
            self._call(row)
        except BroadcasterError as error:
            self._postpone(row, error)
        else:
            with self._database.begin() as connection:
                operator_events.accept(connection, row.id, clock.now())
        return True

    def _call(self, row: Row[Any]) -> None:
        """Make the same request as ever; raises what the transport raises, or InputError."""
        operator = self._resolve(row.operator)
        self._transport.post_event(operator, row.key, row.kind, row.at.astimezone(UTC), row.data)

    def _postpone(self, row: Row[Any], error: BroadcasterError) -> None:
        # Also what a channel's provider would have rejected for good: somebody mends the address, and is asked.
        seconds = retry.wait(row.attempts, getattr(error, "retry_after", None))
        log.warning("operator_not_told", operator=row.operator, slug=row.slug, why=error.message, seconds=seconds)
        with self._database.begin() as connection:
            operator_events.postpone(connection, row, error.message, timedelta(seconds=seconds))
