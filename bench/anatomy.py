"""Where a delivery process spends its time: batches carried one after the other in one process, with a stopwatch.

`python -m bench.anatomy` in the environment of a product that has a broadcast due; milliseconds for 1,000 recipients by
part as JSON. With nothing else to do on the machine, wall time beyond processor time is time in Postgres, Redis, the
disk or the provider.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from sqlalchemy import Row, select

from broadcaster import wiring
from broadcaster.channels.transport import Transport
from broadcaster.delivery import routing
from broadcaster.delivery.gate import Gate
from broadcaster.storage.database import Session
from broadcaster.storage.tables import batches, broadcasts
from broadcaster.wiring import App
from workers import control

PARTS: tuple[tuple[Any, str, str], ...] = (
    (Session, "attempt", "transactions"),
    (Session, "attempt_once", "transactions"),
    (routing, "opened", "decrypting"),
    (Gate, "enter", "pace and circuit"),
    (Transport, "post_event", "provider calls"),
)
"""(Where it is, its name there, what it is called here); each without what others of them take within it."""
REST = "all else"


class Stopwatch:
    """Adds up wall and processor time by part; a part that begins stops the one around it."""

    def __init__(self) -> None:
        self.wall: defaultdict[str, float] = defaultdict(float)
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self._open = [REST]
        self._since = time.perf_counter(), time.process_time()

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, with its time counted as `part`."""

        @wraps(work)
        def run(*arguments: Any, **options: Any) -> Any:
            self.lap()
            self._open.append(part)
            try:
                return work(*arguments, **options)
            finally:
                self.lap()
                self._open.pop()

        return run

    def lap(self) -> None:
        """Count the time since the last lap."""
        now = time.perf_counter(), time.process_time()
        self.wall[self._open[-1]] += now[0] - self._since[0]
        self.cpu[self._open[-1]] += now[1] - self._since[1]
        self._since = now

    def clear(self) -> None:
        """Begin anew."""
        self.lap()
        self.wall.clear()
        self.cpu.clear()


FEWEST = 20
"""Batches to measure by; a canary has fewer, and warms up."""
LONGEST = 60.0
BETWEEN = 0.5
"""Seconds: a slot that the pace asked to wait for has come meanwhile."""


def main() -> None:
    """Carry every batch that a tick cuts after the canary."""
    parts, courier, watch = wiring.process_app(), wiring.process_courier(), Stopwatch()
    deadline = time.monotonic() + LONGEST
    while len(todo := _cut(parts)) < FEWEST and not _all_cut(parts) and time.monotonic() < deadline:
        for row in todo:
            courier.deliver(row.id)
        time.sleep(BETWEEN)
    for owner, name, part in PARTS:
        setattr(owner, name, watch.timed(part, getattr(owner, name)))
    watch.clear()
    for row in todo:
        courier.deliver(row.id)
    watch.lap()
    thousands = sum(row.recipients for row in todo) / 1000
    found = {
        part: {"wall_ms": watch.wall[part] * 1000 / thousands, "cpu_ms": watch.cpu[part] * 1000 / thousands}
        for part in watch.wall
    }
    sys.stdout.write(json.dumps(found))


def _cut(parts: App) -> list[Row[Any]]:
    """The batches that are to be done after a tick."""
    control.tick()
    with parts.database.begin() as connection:
        return list(connection.execute(select(batches.c.id, batches.c.recipients).where(~batches.c.done)))


def _all_cut(parts: App) -> bool:
    with parts.database.begin() as connection:
        return not connection.execute(
            select(broadcasts.c.id).where(~broadcasts.c.cut, broadcasts.c.state == "open")
        ).all()


if __name__ == "__main__":
    main()
