"""The load of a measurement: a running sink, and what it counted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from broadcaster.errors import StateError
from broadcaster.stack import HOST, Program, Stack, free_port


@dataclass(frozen=True, slots=True)
class OfRevision:
    """How many calls told a revision, and when the last one came, in seconds of the machine's monotonic clock."""

    calls: int
    last: float


@dataclass(frozen=True, slots=True)
class Load:
    """A sink that runs at `url`."""

    url: str

    def forget(self) -> None:
        """Count from nought."""
        self._get("forget")

    def recipients(self) -> int:
        """How many recipients were in the calls."""
        return int(self._get("tally")["recipients"])

    def receipts(self) -> int:
        """How many receipts were sent back."""
        return int(self._get("tally")["receipts"])

    def arrivals(self) -> list[float]:
        """When each call came, in seconds of a clock that starts anywhere."""
        return list(self._get("arrivals")["arrivals"])

    def revisions(self) -> dict[int, OfRevision]:
        """Revision → its calls."""
        return {int(number): OfRevision(int(calls), last) for number, (calls, last) in self._get("revisions").items()}

    def require(self, recipients: int) -> None:
        """Raise StateError unless so many recipients came: a rate is worth nothing if somebody was left out."""
        if (found := self.recipients()) != recipients:
            raise StateError(f"the sink saw {found} recipients instead of {recipients}")

    def _get(self, what: str) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.url}/{what}", timeout=30).json()
        return found


@contextmanager
def load(logs: Path, callback: str = "") -> Iterator[Load]:
    """A sink for the block; it sends signed receipts to `callback` when that is given."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    command = (sys.executable, "-m", "bench.sink", "--port", str(port), "--callback", callback)
    stack = Stack(logs, os.environ)
    try:
        stack.start([Program("sink", command, f"{url}/healthz")])
        yield Load(url)
    finally:
        stack.stop()
