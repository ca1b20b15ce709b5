"""The health check of a container: does the scheduler still tick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from broadcaster import clock
from broadcaster.delivery import rounds
from broadcaster.storage.database import Database


def is_healthy(data: Path, database_url: str) -> bool:
    """What `python -m workers.health` says."""
    environment = {"BROADCASTER_DATA": str(data), "DATABASE_URL": database_url}
    command = [sys.executable, "-m", "workers.health"]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def test_a_scheduler_that_ticks_is_healthy(tmp_path: Path, database: Database) -> None:
    """Each tick leaves its heartbeat in the database."""
    rounds.feed(database, clock.now(), 0)
    assert is_healthy(tmp_path, database.url)


def test_a_scheduler_that_never_ticked_is_not(tmp_path: Path, database: Database) -> None:
    """No heartbeat, no health."""
    assert not is_healthy(tmp_path, database.url)


def test_a_scheduler_that_fell_silent_is_not(tmp_path: Path, database: Database) -> None:
    """A heartbeat of a minute ago is none."""
    rounds.feed(database, clock.now(), 0)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE heartbeats SET beat_at = beat_at - interval '1 minute'")
    assert not is_healthy(tmp_path, database.url)
