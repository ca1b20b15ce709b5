"""CSV files, gzipped or not, as a spreadsheet, a database or a script wrote them."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from broadcaster.audience.readers import encodings
from broadcaster.audience.readers.sheet import Cells, Sheet
from broadcaster.errors import InputError, Place

LONGEST_LINE = 1_000_000
"""Characters: a file without line ends must not fill the memory."""

_BUFFER_BYTES = 1 << 18


class _LongLineError(csv.Error):
    """A line that is longer than any of an audience."""


@contextmanager
def opened(path: Path, encoding: str | None, *, gzipped: bool) -> Iterator[Sheet]:
    """The rows of a CSV file. A byte that is not of its encoding becomes a surrogate, so that only its row is bad."""
    with _explained(path), path.open("rb", buffering=0) as file, _unpacked(file, gzipped=gzipped) as data:
        found = _encoding(data, path, encoding)
    with (
        path.open("rb", buffering=0) as file,
        _unpacked(file, gzipped=gzipped) as data,
        io.TextIOWrapper(data, found, "surrogateescape", newline="") as text,
    ):
        size = os.fstat(file.fileno()).st_size
        rows = csv.reader(_lines(text))
        with _explained(path):
            header = [name.strip().lower() for name in next(rows, [])]
        yield Sheet(
            header=header,
            rows=_numbered(rows, path),
            share=lambda: file.tell() / size if size else 1.0,
            encoding=encodings.in_words(found),
        )


def _unpacked(file: io.FileIO, *, gzipped: bool) -> io.BufferedReader:
    # A gzip stream reads like a raw file.
    return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=file)) if gzipped else file, _BUFFER_BYTES)


def _encoding(data: io.BufferedReader, path: Path, wanted: str | None) -> str:
    beginning = data.read(encodings.LOOKED_AT)
    found = encodings.named(wanted) if wanted else encodings.detected(beginning)
    if b"\0" in beginning[:1000] and found not in encodings.WITH_NUL:
        raise InputError.one("this is not a text file: it begins with NUL bytes", place=Place(str(path)))
    return found


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    read = text.readline
    while line := read(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise _LongLineError(f"a line of more than {LONGEST_LINE:,} characters")
        yield line


def _numbered(rows: Any, path: Path) -> Iterator[tuple[int, Cells]]:
    with _explained(path, rows):
        for row in rows:
            yield rows.line_num, row


@contextmanager
def _explained(path: Path, rows: Any = None) -> Iterator[None]:
    """Say what is wrong with a file that cannot be read to its end, and at which line."""
    try:
        yield
    except (csv.Error, UnicodeError) as error:
        # A line that was not taken whole is not counted yet.
        place = Place(str(path), rows.line_num + isinstance(error, _LongLineError) if rows else 1)
        hint = "is a quotation mark missing, or is it in another encoding (--encoding)?"
        raise InputError.one(f"not a CSV file: {_words(error)}", place=place, hint=hint) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError.one(f"the gzip file is damaged: {error}", place=Place(str(path))) from error


def _words(error: Exception) -> str:
    """The error without what stands in the file."""
    if isinstance(error, UnicodeDecodeError):
        return f"it breaks off, or is not {error.encoding.upper()}"
    if "field limit" in str(error):
        return f"a cell of more than {csv.field_size_limit():,} characters"
    return str(error)
