"""Who uses the services of a data folder: the first starts them, the last one out stops them.

Every user holds `services.lock` shared; whoever starts or stops something holds `services.start.lock` alone meanwhile.
Both are flocks, which the kernel drops with their process, so that a SIGKILL leaves no false user behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from broadcaster.embedded.processes import wait_until
from broadcaster.errors import StateError

PATIENCE = 120.0
"""Seconds to wait while another process starts or stops; two slow starts fit into it."""


class Users:
    """This user among the users of the services of one data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = _open(data / "services.lock")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Be the only one that starts or stops something; StateError when another does not come to an end."""
        lock = _open(self._data / "services.start.lock")
        try:
            if not wait_until(lambda: _try(lock, fcntl.LOCK_EX), PATIENCE):
                raise StateError(
                    f"Another process has been starting or stopping the services of {self._data} for a long time",
                    hint="look for a stopped or hanging broadcaster process and end it",
                )
            yield
        finally:
            os.close(lock)

    def join(self) -> None:
        """Be one of the users. Only within `changing`, so that nobody is just finding out whether they are the last."""
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def alone(self) -> bool:
        """Whether there is no other user. Only within `changing`; when there is one, this one is a user no more."""
        return _try(self._lock, fcntl.LOCK_EX)

    def leave(self) -> None:
        """Be a user no more."""
        with suppress(OSError):  # explicitly: a forked child has the same lock open, and closing ours would not drop it
            fcntl.flock(self._lock, fcntl.LOCK_UN)
        os.close(self._lock)


@contextmanager
def occupied(folder: Path) -> Iterator[int]:
    """Hold a folder alone, also against programs at work in it that outlived the process of ours that ran them.

    Such programs inherit the descriptor, and with it the lock, which lasts until the last of them has ended. StateError
    when they do not come to an end.
    """
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if not wait_until(lambda: _try(lock, fcntl.LOCK_EX), PATIENCE):
            raise StateError(
                f"Programs that a killed start left behind have been at work in {folder} for a long time",
                hint="look for an initdb or a postgres that does not come to an end, and end it",
            )
        yield lock
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
