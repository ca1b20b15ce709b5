"""Importing people from a CSV file: good rows into the audience, bad rows into a rejects file with line and reason.

Columns: `phone` is required; `name`, `language` and `tags` (separated by `;`) may be absent. The file is streamed, and
the whole import is one transaction.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from broadcaster.audience.phone import e164
from broadcaster.errors import InputError, Place
from broadcaster.storage import recipients

DEFAULT_LANGUAGE = "zh-Hans"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_NUMBER = re.compile(r"\d+(?= columns)|(?<=header has )\d+|(?<=as line )\d+")
"""What differs from row to row in a reason; reasons are counted without it."""
_COLUMNS = ("phone", "name", "language", "tags")

Person = tuple[str, str, str, list[str]]
"""Phone, name, language, tags."""
Progress = Callable[[int], None]
"""Told how many bytes of the file were read so far."""


@dataclass(slots=True)
class ImportResult:
    """What an import did; `rejects` is the file of bad rows, None when there were none."""

    read: int = 0
    """Good rows."""
    added: int = 0
    changed: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejects: Path | None = None


def import_people(connection: Connection, path: Path, at: datetime, progress: Progress | None = None) -> ImportResult:
    """Import a CSV file; raises InputError when the file as a whole cannot be used."""
    result = ImportResult()
    rejects = _Rejects(path.with_name(f"{path.stem}.rejects.csv"), result)
    try:
        with path.open("rb") as file:
            people = _Reader(file, str(path), rejects, progress).people()
            merged = recipients.merge_people(connection, _counted(people, result), at)
    except csv.Error as error:
        raise InputError.one(f"not a CSV file: {error}", place=Place(str(path))) from error
    except OSError as error:
        raise InputError.one(f"cannot be read: {error.strerror}", place=Place(str(path))) from error
    finally:
        rejects.close()
    result.added, result.changed = merged["added"], merged["changed"]
    return result


def _counted(people: Iterator[Person], result: ImportResult) -> Iterator[Person]:
    for person in people:
        result.read += 1
        yield person


class _Reader:
    """Reads people from a CSV file, row by row, and rejects what is wrong with a row."""

    def __init__(self, file: IO[bytes], name: str, rejects: _Rejects, progress: Progress | None) -> None:
        self._file = file
        self._name = name
        self._rejects = rejects
        self._progress = progress
        self._seen: dict[str, int] = {}

    def people(self) -> Iterator[Person]:
        """The good rows."""
        rows = csv.reader(self._lines())
        header = [name.strip().lower() for name in next(rows, [])]
        self._check_header(header)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            try:
                yield self._person(header, row, rows.line_num)
            except ValueError as error:
                self._rejects.add(rows.line_num, str(error), row)

    def _lines(self) -> Iterator[str]:
        for number, line in enumerate(self._file):
            if self._progress and number % 1000 == 0:
                self._progress(self._file.tell())
            # A byte that is not UTF-8 becomes a surrogate, so that only its own row is rejected.
            yield line.removeprefix(b"\xef\xbb\xbf" if number == 0 else b"").decode("utf-8", "surrogateescape")

    def _check_header(self, header: list[str]) -> None:
        if "phone" not in header:
            hint = f"expected a first line with the columns {', '.join(_COLUMNS)}"
            raise InputError.one("the column `phone` is missing", place=Place(self._name, 1), hint=hint)

    def _person(self, header: list[str], row: list[str], line: int) -> Person:
        if len(row) < len(header):
            raise ValueError(f"{len(row)} columns, but the header has {len(header)}")
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        if any("\udc80" <= character <= "\udcff" for cell in row for character in cell):
            raise ValueError("not UTF-8 text")
        language = cells.get("language") or DEFAULT_LANGUAGE
        if not _LANGUAGE.fullmatch(language):
            raise ValueError("the language is not a BCP 47 tag such as zh-Hans or en")
        phone = e164(cells["phone"])
        first = self._seen.setdefault(phone, line)
        if first != line:
            raise ValueError(f"the same phone as line {first}")
        tags = sorted({tag.strip() for tag in cells.get("tags", "").split(";") if tag.strip()})
        return phone, cells.get("name", ""), language, tags


class _Rejects:
    """The file of bad rows: made when the first one comes, readable by its owner only."""

    def __init__(self, path: Path, result: ImportResult) -> None:
        self._path = path
        self._result = result
        self._file: IO[str] | None = None
        self._writer: Any = None

    def add(self, line: int, reason: str, row: list[str]) -> None:
        """Keep a bad row with its line and the reason."""
        if self._file is None:
            self._path.unlink(missing_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["line", "reason", "row"])
            self._result.rejects = self._path
        self._writer.writerow([line, reason, *(_no_formula(cell) for cell in row)])
        self._result.rejected += 1
        self._result.reasons[_NUMBER.sub("N", reason)] += 1

    def close(self) -> None:
        """Finish the file."""
        if self._file:
            self._file.close()


def _no_formula(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula gets a quote in front."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
