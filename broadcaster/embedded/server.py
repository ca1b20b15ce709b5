"""What starting a server comes to, whichever it is."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import Protocol

from broadcaster.embedded.account import Account
from broadcaster.embedded.processes import alive, wait_until
from broadcaster.embedded.programs import launch, tail
from broadcaster.errors import UnreachableError

START_SECONDS = 30.0
"""How long a server may take until it answers."""


class Server(Protocol):
    """A server that can be started."""

    @property
    def name(self) -> str:
        """What the operator calls it."""

    @property
    def log(self) -> Path:
        """Where its output goes."""

    @property
    def account(self) -> Account:
        """As whom it runs."""

    def pid(self) -> int | None:
        """The process id of the running server, None when it does not run."""

    def answers(self) -> bool:
        """Whether it takes requests."""

    def prepare(self) -> None:
        """Put everything in place for a start, and out of the way what an earlier run left behind."""

    def command(self) -> list[str | Path]:
        """What to run."""

    def may_try_again(self, output: str) -> bool:
        """Whether a start that ended with this output is worth repeating."""


def start(server: Server) -> None:
    """Adopt the server if it runs, else start it, and wait until it answers; UnreachableError quotes its log."""
    deadline = time.monotonic() + START_SECONDS
    while not server.answers():
        mark = _size(server.log)
        adopted = server.pid()
        pid = adopted or _launch(server)
        wait_until(partial(_settled, server, pid), deadline - time.monotonic())
        if server.answers():
            return
        output = _read(server.log, mark)
        late = time.monotonic() > deadline
        if late or not (adopted or server.may_try_again(output)):
            how = f"did not answer within {START_SECONDS:.0f} seconds" if late else "ended while starting"
            raise UnreachableError(f"The private {server.name} {how}; the end of {server.log}:\n{tail(output)}")


def _settled(server: Server, pid: int) -> bool:
    return server.answers() or not alive(pid)


def _launch(server: Server) -> int:
    server.prepare()
    return launch(server.command(), server.log, server.account)


def _size(log: Path) -> int:
    return log.lstat().st_size if log.exists() else 0


def _read(log: Path, mark: int) -> str:
    """What was written to a log since it had `mark` bytes."""
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(mark)
        return file.read().decode(errors="replace")
