"""The processes that a command started, whoever their parent is by now."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

from broadcaster.embedded.processes import gone


def working_on(data: Path) -> dict[int, str]:
    """Every living process of a data folder: those it is told to by environment, and its private servers."""
    services = str((data / "services").resolve())
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            told = {"BROADCASTER_DATA": str(data)}.items() <= process.environ().items()
            command = " ".join(process.cmdline())
            if (told or services in command) and not gone(process):
                found[process.pid] = command
    return found


def descendants(process: psutil.Process, words: str) -> list[psutil.Process]:
    """The living processes below one whose command line holds `words`, parents first."""
    found = []
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if words in " ".join(child.cmdline()) and not gone(child):
                found.append(child)
    return found
