"""A sheet: a file of rows that is being read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

BETWEEN_TAGS = ";"
"""Between the members of a cell that is a list."""

Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Column names, rows with the line (from 1) that each ends at, and how much was read so far (0 to 1)."""

    header: Cells
    rows: Iterator[tuple[int, Cells]]
    share: Callable[[], float]
    encoding: str = ""
    """Of a text file."""


def cell_text(value: Any) -> str:
    """A cell of a typed file as the text that a CSV file would have; a whole number never as `1.38e10` or `138.0`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, (list, tuple)):
        return BETWEEN_TAGS.join(map(cell_text, value))
    return str(value)
