"""Waiting for what other processes do, without being a load on them."""

from __future__ import annotations

import time
from collections.abc import Callable

from broadcaster.errors import StateError

STANDSTILL = 60.0
"""Seconds without any progress after which nothing more is expected."""


def await_(condition: Callable[[], bool], what: str, seconds: float, every: float = 0.2) -> None:
    """Look every so often until `condition` holds; raises StateError that names `what` never came."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StateError(f"{what} did not come within {seconds:.0f} seconds")
        time.sleep(every)


def await_progress(
    condition: Callable[[], bool], progress: Callable[[], object], what: str, every: float = 0.2
) -> None:
    """Like `await_`, for as long as `progress` goes on changing."""
    seen, since = progress(), time.monotonic()
    while not condition():
        now = progress()
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > STANDSTILL:
            raise StateError(f"{what} did not come: nothing moved for {STANDSTILL:.0f} seconds")
        time.sleep(every)
