"""Private services of the driver's own, which it may kill."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broadcaster.embedded import Binaries, Services, folders, server, services
from broadcaster.embedded.processes import wait_until
from broadcaster.embedded.service import Pair
from broadcaster.errors import StateError

END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Grounds:
    """A Postgres and a Redis in a folder that nobody else uses."""

    addresses: Services
    pair: Pair

    def kill_redis(self) -> None:
        """SIGKILL. It keeps nothing on disk: what is started again is empty."""
        pid = self.pair.redis.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.pair.redis.pid() is None, END_SECONDS)

    def start_redis(self) -> None:
        """Start it again, empty."""
        server.start(self.pair.redis)

    def restart_postgres(self) -> None:
        """End every session, stop, start again."""
        self.pair.postgres.stop()
        server.start(self.pair.postgres)


@contextmanager
def grounds(data: Path) -> Iterator[Grounds]:
    """Services under `data` until the block ends."""
    with services(data) as addresses:
        place = folders.find(data.resolve())
        if place is None:
            raise StateError(f"{data} has no services")
        yield Grounds(addresses, Pair.of(place, Binaries.AUTO))
