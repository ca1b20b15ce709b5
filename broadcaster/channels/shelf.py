"""The shelf: small notes that the workers of one provider share for a while, such as an access token.

What stands on it may be gone at any time (Redis is disposable): whoever needs it then gets it anew.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Shelf(Protocol):
    """Notes by name. Times are in seconds of machine time."""

    def get(self, name: str) -> str | None:
        """A note; None when there is none, or its time is over."""
        ...

    def put(self, name: str, note: str, seconds: float) -> None:
        """Leave a note for so long, in place of an earlier one."""
        ...

    def claim(self, name: str, seconds: float) -> bool:
        """Whether this one caller may do something now that one at a time does: nobody else may, for so long."""
        ...

    def release(self, name: str) -> None:
        """Give a claim back before its time."""
        ...


class OwnShelf:
    """The shelf of one process, where nothing is shared: a command that looks at an account, a test of a channel."""

    def __init__(self) -> None:
        self._notes: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> str | None:
        """See `Shelf`."""
        with self._lock:
            note, until = self._notes.get(name, ("", 0.0))
            return note if until > time.monotonic() else None

    def put(self, name: str, note: str, seconds: float) -> None:
        """See `Shelf`."""
        with self._lock:
            self._notes[name] = (note, time.monotonic() + seconds)

    def claim(self, name: str, seconds: float) -> bool:
        """See `Shelf`."""
        with self._lock:
            _, until = self._notes.get(f"claim {name}", ("", 0.0))
            if until > time.monotonic():
                return False
            self._notes[f"claim {name}"] = ("", time.monotonic() + seconds)
            return True

    def release(self, name: str) -> None:
        """See `Shelf`."""
        with self._lock:
            self._notes.pop(f"claim {name}", None)
