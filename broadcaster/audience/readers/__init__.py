"""Reading files of people, whatever their format: rows of text cells, one after the other, in constant memory.

The format is told by how a file begins, not by its name. Each reader gives a `Sheet`; what its cells mean is not its
concern.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from broadcaster.audience.readers import csv_file, parquet_file, xlsx_file
from broadcaster.audience.readers.sheet import Cells
from broadcaster.audience.readers.sheet import Sheet as Sheet
from broadcaster.errors import InputError, Place

_GZIP = b"\x1f\x8b"
_BY_MARK = {
    b"PAR1": parquet_file.opened,
    b"PK\x03\x04": xlsx_file.opened,
}
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an Excel file of the old format: save it as XLSX or CSV",
    b"%PDF": "a PDF: save what it was made from as CSV or XLSX",
}
_LONGEST_MARK = 4


@contextmanager
def opened(path: Path, encoding: str | None = None) -> Iterator[Sheet]:
    """The rows of a CSV (also gzipped), Parquet or XLSX file; `encoding` is a CSV file's, found out when None.

    Raises InputError when the file as a whole cannot be read, also later while its rows are, and MissingPartError when
    its format needs a package that is not installed.
    """
    with ExitStack() as stack:
        with _readable(path):
            sheet = stack.enter_context(_reader(path, encoding))
        yield replace(sheet, rows=_guarded(sheet.rows, path))


def _reader(path: Path, encoding: str | None) -> AbstractContextManager[Sheet]:
    place = Place(str(path))
    if path.is_dir():
        raise InputError.one("this is a folder, not a file", place=place)
    if path.exists() and not path.is_file():
        raise InputError.one("this is not a regular file", place=place)
    with path.open("rb") as file:
        mark = file.read(_LONGEST_MARK)
    if mark in _OTHERS:
        raise InputError.one(f"this is {_OTHERS[mark]}", place=place)
    if mark in _BY_MARK:
        return _BY_MARK[mark](path)
    return csv_file.opened(path, encoding, gzipped=mark.startswith(_GZIP))


def _guarded(rows: Iterator[tuple[int, Cells]], path: Path) -> Iterator[tuple[int, Cells]]:
    with _readable(path):
        yield from rows


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InputError.one("there is no such file", place=Place(str(path))) from error
    except OSError as error:
        raise InputError.one(f"cannot be read: {error.strerror or error}", place=Place(str(path))) from error
