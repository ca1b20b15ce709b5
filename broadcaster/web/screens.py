"""Which document each screen fetched: noted beside the serving, which never waits for it.

A screen says who it is by `?screen=NAME`. Names that the site does not configure are served and not kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from broadcaster import clock
from broadcaster.errors import BroadcasterError
from broadcaster.storage import screens
from broadcaster.storage.database import Database
from broadcaster.storage.screens import Fetch

log = structlog.get_logger()

AGAIN_AFTER = 60.0
"""Seconds after which a screen that fetched the same document is put down again."""
TOGETHER = 0.5
"""Seconds for which notes are gathered before they are written."""
RETRY = 5.0
"""Seconds until notes are written again after the database did not take them."""

_Key = tuple[str, str]


class ScreenBook:
    """What the screens fetched from this process; `known` is surface → names of its screens."""

    def __init__(self, database: Database, known: Mapping[str, Collection[str]]) -> None:
        self._database = database
        self._known = {channel: frozenset(names) for channel, names in known.items()}
        self._noted: dict[_Key, tuple[int, float]] = {}
        self._waiting: dict[tuple[_Key, int], Fetch] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="screens", daemon=True)

    def start(self) -> None:
        """Begin to write notes down."""
        self._thread.start()

    def close(self) -> None:
        """Write down what is left, if the database takes it."""
        self._stopping.set()
        self._thread.join()
        self._write()

    def note(self, channel: str, name: str, seq: int) -> None:
        """The screen fetched the document of this number just now."""
        if name not in self._known.get(channel, ()):
            return
        key, present = (channel, name), time.monotonic()
        with self._lock:
            noted = self._noted.get(key)
            if noted and seq <= noted[0] and present - noted[1] < AGAIN_AFTER:
                return
            self._noted[key] = seq, present
            self._keep(key, seq)

    def _keep(self, key: _Key, seq: int) -> None:
        now, machine_now = clock.now(), clock.machine_now()
        waiting = self._waiting.get((key, seq))
        self._waiting[key, seq] = (
            replace(waiting, last=now, machine_last=machine_now)
            if waiting
            else Fetch(*key, seq, now, now, machine_now, machine_now)
        )

    def _write_on(self) -> None:
        pause = TOGETHER
        while not self._stopping.wait(pause):
            pause = TOGETHER if self._write() else RETRY

    def _write(self) -> bool:
        """Write down what waits; False when the database did not take it, and it still waits."""
        with self._lock:
            taken = dict(self._waiting)
        if not taken:
            return True
        try:
            with self._database.begin() as connection:
                screens.note(connection, list(taken.values()))
        except (BroadcasterError, SQLAlchemyError) as error:
            log.warning("screens_not_noted", number=len(taken), error=type(error).__name__)
            return False
        with self._lock:
            self._waiting = {key: row for key, row in self._waiting.items() if taken.get(key) != row}
        return True
