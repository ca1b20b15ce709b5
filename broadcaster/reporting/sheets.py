"""Sheets: files of rows that other programs read, as CSV (also compressed) or Parquet, by the ending of their name.

A sheet is written beside its place and moved there when it is complete: whoever finds it has all of it, and nothing is
left of one that could not be finished. Only its owner may read it.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast, get_type_hints

from broadcaster.errors import InputError, MissingPartError, StateError

ENDINGS = (".csv", ".csv.gz", ".parquet")
ROWS_AT_ONCE = 10_000
"""Rows that are in memory together."""

Clean = Callable[[str], str]
"""Makes a text fit for a cell of a spreadsheet."""
Write = Callable[[IO[bytes], Iterable[tuple[Any, ...]]], int]
"""Writes rows to a file, and gives how many."""


def write_sheet(path: Path, kind: type[Any], rows: Iterable[tuple[Any, ...]], clean: Clean) -> int:
    """Write rows of the named tuple `kind`; gives how many. Raises StateError when the file cannot be written.

    A device or a pipe is written to as it is, as CSV when its name does not say otherwise.
    """
    write = _writer(path, kind, clean)
    try:
        with _opened(path) as file:
            return write(file, rows)
    except OSError as error:
        raise StateError(
            f"{path} cannot be written: {error.strerror or error}", hint="nothing is left of it; name another place"
        ) from error


def check_ending(path: Path) -> None:
    """Raise InputError for a name whose ending says no kind of sheet."""
    if not path.name.endswith(ENDINGS) and not _is_special(path):
        raise InputError.one(f"--out {path}: the name must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")


def _writer(path: Path, kind: type[Any], clean: Clean) -> Write:
    if path.name.endswith(".parquet"):
        return _Parquet(kind).write
    sheet = _Csv(kind, clean)
    return sheet.write_compressed if path.name.endswith(".gz") else sheet.write


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file to write to: a new one of mode 0600 that takes the place of `path` in the end."""
    if _is_special(path):
        with path.open("wb") as file:
            yield file
        return
    scratch = path.with_name(f".{path.name}.part")
    scratch.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a full disk may show only here
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    """Whether it is there and no ordinary file; /dev/stdout may lead to one, which somebody has opened already."""
    return path.exists() and not path.is_dir() and (path.is_relative_to("/dev") or not path.is_file())


class _Csv:
    """Text with a head, in UTF-8."""

    def __init__(self, kind: type[Any], clean: Clean) -> None:
        self._names: Sequence[str] = kind._fields
        self._clean = clean

    def write(self, file: IO[bytes], rows: Iterable[tuple[Any, ...]]) -> int:
        number = 0
        file.write(_lines([self._names]))
        for some in _some(rows):
            file.write(_lines([self._cell(value) for value in row] for row in some))
            number += len(some)
        return number

    def write_compressed(self, file: IO[bytes], rows: Iterable[tuple[Any, ...]]) -> int:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as compressed:
            return self.write(cast("IO[bytes]", compressed), rows)

    def _cell(self, value: object) -> object:
        if isinstance(value, str):
            return self._clean(value)
        return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


class _Parquet:
    """Typed columns; times in UTC, to the microsecond."""

    def __init__(self, kind: type[Any]) -> None:
        try:
            self._arrow: Any = import_module("pyarrow")
            self._parquet: Any = import_module("pyarrow.parquet")
        except ImportError as error:
            raise MissingPartError(
                "Parquet files need pyarrow, which is not installed", hint='pip install "broadcaster[parquet]"'
            ) from error
        arrow = self._arrow
        instant = arrow.timestamp("us", tz="UTC")
        types = {str: arrow.string(), int: arrow.int64(), datetime: instant, datetime | None: instant}
        hints = get_type_hints(kind)
        self._schema = arrow.schema([(name, types[hints[name]]) for name in kind._fields])

    def write(self, file: IO[bytes], rows: Iterable[tuple[Any, ...]]) -> int:
        number = 0
        with self._parquet.ParquetWriter(file, self._schema, compression="zstd") as sheet:
            for some in _some(rows):
                columns = [
                    self._arrow.array(column, type=field.type)
                    for column, field in zip(zip(*some, strict=True), self._schema, strict=True)
                ]
                sheet.write_batch(self._arrow.record_batch(columns, schema=self._schema))
                number += len(some)
        return number


def _some(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    some: list[tuple[Any, ...]] = []
    for row in rows:
        some.append(row)
        if len(some) == ROWS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
