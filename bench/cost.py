"""What a measurement costs, part by part: processor time of the product's processes, the servers and the sink."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from bench.memory import part_of

_SERVERS = {"postgres": "postgres", "redis-server": "redis", "valkey-server": "redis"}
_SINK = "bench.sink"


def cpu_seconds(data: Path) -> dict[str, float]:
    """Part → seconds of processor time since each of its processes began, those of its ended children included.

    `data` is the product's data folder; the servers and the sink are those of the folder that it is in.
    """
    found = defaultdict[str, float](float)
    for part, process in _processes(data.resolve()):
        with suppress(psutil.Error):
            times = process.cpu_times()
            found[part] += times.user + times.system + times.children_user + times.children_system
    return dict(found)


def _processes(data: Path) -> Iterator[tuple[str, psutil.Process]]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            if process.name() in _SERVERS and str(data.parent) in command:
                part = _SERVERS[process.name()]
                yield part, process
                yield from ((part, child) for child in process.children(recursive=True))
            elif _SINK in command:
                yield "sink", process
            elif process.environ().get("BROADCASTER_DATA") == str(data):
                yield part_of(command), process
