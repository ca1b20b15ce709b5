"""Facts of the machine that a figure was taken on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil
import psycopg


def facts(database_url: str) -> dict[str, object]:
    """What somebody else needs to compare: processor, memory, versions, and how busy it was."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SHOW server_version").fetchone()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgres": str(found[0]) if found else "",
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
