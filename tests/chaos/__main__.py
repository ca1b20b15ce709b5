"""`python -m tests.chaos [FOLDER]`: CHAOS_KILLS and CHAOS_SEED set length and seed; exits with 1 when a bound broke."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from pathlib import Path

from broadcaster.errors import BroadcasterError
from tests.chaos.driver import run

DEFAULT_KILLS = 100


def main() -> int:
    """Run, print, and say whether everything held."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "var/chaos")
    kills = _number("CHAOS_KILLS", DEFAULT_KILLS)
    seed = _number("CHAOS_SEED", secrets.randbelow(1_000_000))
    _say(f"CHAOS_KILLS={kills} CHAOS_SEED={seed}, in {data}")
    try:
        report = run(data, kills, seed, _say)
    except BroadcasterError as error:
        _say(f"error: {error.message}\n{error.hint or ''}")
        return 1
    figures = ("campaigns", "kills", "sent", "lost", "duplicated", "unknown", "seconds")
    _say(", ".join(f"{name} {report.data[name]}" for name in figures))
    for text in report.broken:
        _say(f"BROKEN  {text}")
    _say(f"seed {seed}; report: {data / 'report.json'}")
    return 1 if report.broken else 0


def _number(name: str, otherwise: int) -> int:
    value = os.environ.get(name, "")
    return int(value) if value.isdecimal() else otherwise


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
