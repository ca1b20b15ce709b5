"""The private Redis. It is disposable and keeps nothing on disk: the database is the truth."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

from broadcaster.embedded.account import Account
from broadcaster.embedded.folders import Folders
from broadcaster.embedded.processes import find, gone, wait_until
from broadcaster.embedded.programs import run

NAMES = {"redis-server", "valkey-server"}
"""What the process may be called: on some systems redis-server is a link to Valkey."""

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "daemonize": "no",
    "maxmemory-policy": "noeviction",
}

STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis on a Unix socket in a folder of mode 0700."""

    folders: Folders
    program: Path

    @property
    def name(self) -> str:
        """What the operator calls it."""
        return "Redis"

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folders.log("redis")

    @property
    def account(self) -> Account:
        """As whom it runs."""
        return self.folders.account

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folders.sockets / "redis.sock"

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{quote(str(self.socket), safe='/')}"

    def pid(self) -> int | None:
        """The process id of the running server, None when it does not run."""
        process = self._process()
        return process.pid if process else None

    def answers(self) -> bool:
        """Whether it takes commands."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def prepare(self) -> None:
        """Make its working directory, and remove an earlier run's process id."""
        run(["mkdir", "-p", "-m", "700", self.folders.redis], self.account)
        run(["rm", "-f", self._pidfile], self.account)

    def command(self) -> list[str | Path]:
        """What to run."""
        settings = {
            **SETTINGS,
            "unixsocket": str(self.socket),
            "dir": str(self.folders.redis),
            "pidfile": str(self._pidfile),
        }
        return [self.program, *(part for name, value in settings.items() for part in (f"--{name}", value))]

    def may_try_again(self, output: str) -> bool:
        """It fails for no passing reason."""
        return False

    def stop(self) -> None:
        """Stop it if it runs; by force when it does not obey, for it has nothing to lose."""
        process = self._process()
        if process is None:
            return
        process.terminate()
        if not wait_until(lambda: gone(process), STOP_SECONDS):
            process.kill()
            wait_until(lambda: gone(process), STOP_SECONDS)

    @property
    def _pidfile(self) -> Path:
        return self.folders.redis / "redis.pid"

    def _process(self) -> psutil.Process | None:
        try:
            pid = int(self._pidfile.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return find(pid, NAMES, self.socket)
