"""What goes to the terminal: one console, tables and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

_FILE_WIDTH = 160
"""Columns when the output is not a terminal: wide enough that a diff compares rows, not wraps."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)


def print_json(data: Any) -> None:
    """Data for programs: one JSON document on standard output."""
    console.file.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


def table(title: str | None, columns: Iterable[str], numbers: Iterable[str] = ()) -> Table:
    """An empty table; `numbers` are the columns that align right. The last column takes the long words."""
    right, names = set(numbers), list(columns)
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in names:
        last = name == names[-1]
        made.add_column(name, justify="right" if name in right else "left", no_wrap=not last, overflow="fold")
    return made


def minute(instant: datetime | str | None) -> str:
    """An instant to the minute, as `2022-02-26 08:00`."""
    if instant is None:
        return ""
    local = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{local:%Y-%m-%d %H:%M}"
