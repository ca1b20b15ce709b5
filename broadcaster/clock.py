"""Campaign time: the one place that says what `now` is for due times, expiry, quiet hours and phases.

Machine time (leases, back-off, signatures) is always real and does not come from here. A rehearsal moves campaign time
by writing an offset into a file that every process of the rehearsal reads; between two moves it runs at real speed, so
that lateness stays a true measure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

OFFSET_FILE_VARIABLE = "BROADCASTER_CLOCK_OFFSET_FILE"


def now() -> datetime:
    """The present instant of campaign time, aware, in UTC."""
    return machine_now() + offset()


def machine_now() -> datetime:
    """The real present instant, aware, in UTC."""
    return datetime.now(UTC)


def offset() -> timedelta:
    """How far campaign time is from machine time: zero, but in a rehearsal."""
    path = os.environ.get(OFFSET_FILE_VARIABLE)
    if not path:
        return timedelta(0)
    return timedelta(microseconds=int(Path(path).read_text(encoding="ascii")))


def move_to(instant: datetime, path: Path) -> None:
    """Let campaign time be `instant` from now on, for every process that reads the offset file `path`."""
    distance = instant - machine_now()
    scratch = path.with_suffix(".new")
    scratch.write_text(str(distance // timedelta(microseconds=1)), encoding="ascii")
    scratch.replace(path)


def from_milliseconds(value: int) -> datetime:
    """The instant of UTC milliseconds, the way browsers count."""
    return datetime.fromtimestamp(value / 1000, UTC)


@contextmanager
def following(path: Path) -> Iterator[None]:
    """Let this process read campaign time from the offset file `path` until the block ends."""
    before = os.environ.get(OFFSET_FILE_VARIABLE)
    os.environ[OFFSET_FILE_VARIABLE] = str(path)
    try:
        yield
    finally:
        os.environ.pop(OFFSET_FILE_VARIABLE)
        if before is not None:
            os.environ[OFFSET_FILE_VARIABLE] = before
