"""`python -m workers.health`: exits with 1 when the scheduler has been silent for more than ten seconds."""

from __future__ import annotations

import sys

from broadcaster import wiring
from broadcaster.delivery.rounds import TICK
from broadcaster.storage import heartbeats

SILENT_SECONDS = 10.0


def is_alive() -> bool:
    """Whether a tick ran lately."""
    with wiring.process_app().database.begin() as connection:
        age = heartbeats.age(connection, TICK)
    return age is not None and age < SILENT_SECONDS


if __name__ == "__main__":
    sys.exit(0 if is_alive() else 1)
