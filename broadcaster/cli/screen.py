"""What goes to the terminal: one console, tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console(highlight=False, soft_wrap=False)


def print_json(data: Any) -> None:
    """Data for programs: one JSON document on standard output."""
    console.file.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


def table(title: str | None, columns: Iterable[str], numbers: Iterable[str] = ()) -> Table:
    """An empty table; `numbers` are the columns that align right."""
    right = set(numbers)
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def minute(instant: datetime | str | None) -> str:
    """An instant to the minute, as `2022-02-26 08:00`."""
    if instant is None:
        return ""
    local = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{local:%Y-%m-%d %H:%M}"
