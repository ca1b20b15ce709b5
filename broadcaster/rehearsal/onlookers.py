"""Onlookers: a rehearsal goes on when the screens have seen the last change, and what they show was confirmed."""

from __future__ import annotations

import time

from sqlalchemy import Connection

from broadcaster.storage import events, readbacks, screens
from broadcaster.storage.readbacks import Result

PATIENCE = 10.0
"""Seconds for which a change waits for those who look at screens: whoever has not looked by then counts as stale."""


class Onlookers:
    """Who looks at the screens of a rehearsal. A screen that never looked is not waited for."""

    def __init__(self) -> None:
        self._seq = 0
        self._since = 0.0

    def lack_something(self, connection: Connection) -> bool:
        """Whether the newest change has still to be seen by somebody who will see it in a moment."""
        decided = events.changes(connection)
        seq = decided[-1].seq if decided else 0
        if seq != self._seq:
            self._seq, self._since = seq, time.monotonic()
        return time.monotonic() - self._since < PATIENCE and not _all_is_seen(connection, seq)


def _all_is_seen(connection: Connection, seq: int) -> bool:
    known = screens.standing(connection)
    read = readbacks.standing(connection)
    seen = all(row.seq >= seq for row in known if row.fetched_at)
    confirmed = all(row.seq >= seq and row.result == Result.CONFIRMED for row in read)
    return not known or (seen and confirmed and bool(read))
