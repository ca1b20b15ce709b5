"""Memory of the product's own processes while something runs.

Measured as PSS (proportional set size): pages that processes share are divided among them, so that forked workers are
not counted twice. Source: proc_pid_smaps_rollup(5).
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil

EVERY = 0.5
"""Seconds between two looks: reading a process' pages takes milliseconds of a core that is being measured."""
LISTED_EVERY = 4
"""Looks after which new processes are looked for."""
_MEGABYTE = 1024
"""In the kB of /proc."""
_PARTS = {"uvicorn": "web", "delivery": "delivery", "control": "control", "beat": "beat", "import": "import"}
"""A word of the command line → what the process is."""


class Watch(threading.Thread):
    """Looks at every process whose BROADCASTER_DATA is the folder, until the block ends."""

    def __init__(self, data: str) -> None:
        super().__init__(name="memory", daemon=True)
        self._data = data
        self._over = threading.Event()
        self.peaks_mb: dict[str, float] = defaultdict(float)
        """What a process is → the most that one such process had."""
        self.peak_sum_mb = 0.0
        """The most that all of them had together."""

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self.join()

    @property
    def peak_mb(self) -> float:
        """The most that a single process had."""
        return max(self.peaks_mb.values(), default=0.0)

    def run(self) -> None:
        """Look again and again."""
        known: list[tuple[str, int]] = []
        looks = 0
        while not self._over.wait(EVERY):
            if looks % LISTED_EVERY == 0:
                known = list(_processes(self._data))
            looks += 1
            self._look(known)

    def _look(self, known: list[tuple[str, int]]) -> None:
        total = 0.0
        for part, pid in known:
            with suppress(OSError):
                size = pss_mb(pid)
                self.peaks_mb[part] = max(self.peaks_mb[part], size)
                total += size
        self.peak_sum_mb = max(self.peak_sum_mb, total)


def _processes(data: str) -> Iterator[tuple[str, int]]:
    """(part, process id) of every process of the data folder."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("BROADCASTER_DATA") == data:
                yield part_of(" ".join(process.cmdline())), process.pid


def pss_mb(pid: int) -> float:
    """The PSS of a process in MB; raises OSError when it is gone."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / _MEGABYTE
    return 0.0


def part_of(command: str) -> str:
    """What a process of the product is, by its command line."""
    return next((part for word, part in _PARTS.items() if word in command), "other")
