"""Looking at processes that are nobody's child of ours: is it the one we mean, is it gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

import psutil

_PAUSE = 0.01  # seconds between two looks


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look until `condition` holds, for at most so many seconds; whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def find(pid: int | None, names: Collection[str], path: Path) -> psutil.Process | None:
    """The living process `pid` if it is one of the programs `names` serving `path`, not another that got its number.

    The command line decides: unlike the executable and the working directory, root may read it in any container.
    """
    if pid is None or pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
        if gone(process) or process.name() not in names:
            return None
        return process if f"{path} " in " ".join([*process.cmdline(), ""]) else None
    except psutil.Error:
        return None


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended; one that nobody has waited for yet (a zombie) has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def alive(pid: int) -> bool:
    """Whether there is any living process with this number."""
    try:
        return not gone(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
