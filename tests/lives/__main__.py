"""`python -m tests.lives [FOLDER]`: LIVES and LIVES_SEED set number and seed; exits with 1 when a rule was broken."""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path

import pytest
from hypothesis.errors import FlakyFailure

from broadcaster.embedded import discard, services
from tests.lives.many import play_many
from tests.lives.world import world
from tests.support import databases

DEFAULT_LIVES = 5000
TOLD_EVERY = 500


def main() -> int:
    """Play, print, and say whether every rule held."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "var/lives")
    number = int(os.environ.get("LIVES") or DEFAULT_LIVES)
    seed = int(os.environ.get("LIVES_SEED") or secrets.randbelow(1_000_000))
    _say(f"LIVES={number} LIVES_SEED={seed}, in {data}")
    counter = _Counter()
    try:
        _play(data, number, seed, counter)
    except (AssertionError, FlakyFailure) as error:
        # Keys are drawn by chance, and with them the order of what is repeated: not every life breaks each time.
        _say("\n".join(f"BROKEN  {found}" for found in getattr(error, "exceptions", [error])))
        _say("\n".join(getattr(error, "__notes__", ())))
        _say(f"after {counter.played} lives; seed {seed}")
        return 1
    _say(f"{counter.played} lives, {counter.rate:.1f} a second, no rule was broken; seed {seed}")
    return 0


def _play(data: Path, number: int, seed: int, counter: _Counter) -> None:
    try:
        with services(data / "services") as addresses, pytest.MonkeyPatch.context() as environment:
            databases.make_template(addresses.database_url)
            with databases.fresh(addresses.database_url) as url, world(data / "world", url, environment) as ground:
                play_many(ground, number, seed, after_each=counter.count)
    finally:
        discard(data / "services")


class _Counter:
    def __init__(self) -> None:
        self.played = 0
        self._began = time.monotonic()

    @property
    def rate(self) -> float:
        return self.played / (time.monotonic() - self._began)

    def count(self) -> None:
        self.played += 1
        if self.played % TOLD_EVERY == 0:
            _say(f"{self.played} lives, {self.rate:.1f} a second")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
