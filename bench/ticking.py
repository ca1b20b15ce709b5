"""`python -m bench.ticking`: ticks in a process of their own, as the control worker runs them; milliseconds as JSON."""

from __future__ import annotations

import json
import sys
import time

from workers import control

WARM_UP = 5
TICKS = 50


def main() -> None:
    """Tick, and say how long each one took."""
    for _ in range(WARM_UP):
        control.tick()
    times = []
    for _ in range(TICKS):
        started = time.perf_counter()
        control.tick()
        times.append((time.perf_counter() - started) * 1000)
    sys.stdout.write(json.dumps(times))


if __name__ == "__main__":
    main()
