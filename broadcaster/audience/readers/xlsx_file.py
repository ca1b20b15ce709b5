"""XLSX files, by openpyxl (`broadcaster[xlsx]`), a row at a time: the first sheet of the workbook."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broadcaster.audience.readers.sheet import Cells, Sheet, cell_text
from broadcaster.errors import InputError, MissingPartError, Place


@contextmanager
def opened(path: Path) -> Iterator[Sheet]:
    """The rows of an XLSX file; a number is taken as it is stored, whatever its format shows."""
    openpyxl = _part()
    with path.open("rb") as file:
        with _explained(path):
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheet = book.worksheets[0]
            total = sheet.max_row or 0
            sheet.reset_dimensions()  # programs that stream a file write what they did not know yet
        done = [0]
        rows = _rows(sheet, path, done)
        _, header = next(rows, (0, []))
        yield Sheet(
            header=[name.strip().lower() for name in header],
            rows=_filled(rows, len(header)),
            share=lambda: min(done[0] / total, 1.0) if total else 0.0,
        )


def _rows(sheet: Any, path: Path, done: list[int]) -> Iterator[tuple[int, Cells]]:
    with _explained(path):
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            done[0] = number
            yield number, [cell_text(value) for value in row]


def _filled(rows: Iterator[tuple[int, Cells]], width: int) -> Iterator[tuple[int, Cells]]:
    """Rows without their last cells have them empty."""
    for number, row in rows:
        yield number, [*row, *[""] * (width - len(row))]


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    # A damaged archive of XML files makes the library raise nearly anything: BadZipFile, KeyError, ParseError, …
    except Exception as error:
        raise InputError.one(f"not an XLSX file: {type(error).__name__}", place=Place(str(path))) from error


def _part() -> Any:
    # It warns of styles and validations that it does not know, which say nothing about the cells.
    warnings.filterwarnings("ignore", module="openpyxl")
    try:
        return importlib.import_module("openpyxl")
    except ImportError as error:
        hint = "pip install 'broadcaster[xlsx]'"
        raise MissingPartError("reading XLSX needs the package openpyxl", hint=hint) from error
