"""The high-water mark: how far this installation has come, kept in a file outside the database.

A database that was restored from a backup does not know what went out after the backup was made. The file does know
that it has seen the database further on: `{"installed": TIME, "beats": NUMBER, "at": TIME, "seen": TIME}`. `installed`
says which database that was, `beats` counts the scheduler's looks; the last one was `at` of campaign time, `seen` by
the database's own clock.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import structlog

log = structlog.get_logger()

FILE = "high-water.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """How often the scheduler had looked at the database that was made at `installed`, and when it last did."""

    installed: datetime
    beats: int
    at: datetime
    seen: datetime


def read(folder: Path) -> Mark | None:
    """The mark of a data folder; None when there is none, or none that can be read."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        installed, at, seen = (datetime.fromisoformat(found[name]) for name in ("installed", "at", "seen"))
        return Mark(installed, int(found["beats"]), at, seen)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("high_water_mark_unreadable", file=str(folder / FILE), why=type(error).__name__)
        return None


def write(folder: Path, mark: Mark) -> None:
    """Keep the mark, in one step. A folder that cannot be written to is told of once; it stops nothing.

    It is not forced to the disk: after a power cut an older mark does as well.
    """
    scratch = folder / f".{FILE}.{os.getpid()}"
    times = {name: getattr(mark, name).isoformat() for name in ("installed", "at", "seen")}
    said = {**times, "beats": mark.beats}
    try:
        scratch.write_text(json.dumps(said) + "\n", encoding="utf-8")
        scratch.replace(folder / FILE)
    except OSError as error:
        _complain(str(folder), str(error.strerror))


@cache
def _complain(folder: str, why: str) -> None:
    log.error("high_water_mark_not_kept", folder=folder, why=why)
