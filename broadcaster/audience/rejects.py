"""The file of bad rows beside an imported one: line, reason and the row itself, for whoever mends them."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from broadcaster.errors import InputError, Place

_NUMBER = re.compile(r"\d+(?= columns)|(?<=header has )\d+")
"""What differs from row to row in a reason; reasons are counted without it."""


class Rejects:
    """Made when the first bad row comes, readable by its owner only."""

    def __init__(self, imported: Path) -> None:
        self._path = imported.with_name(f"{Path(imported.name.removesuffix('.gz')).stem}.rejects.csv")
        self._file: IO[str] | None = None
        self._writer: Any = None
        self.reasons = Counter[str]()

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.reasons.total()

    @property
    def path(self) -> Path | None:
        """Where they are; None when there are none."""
        return self._path if self._file else None

    def add(self, line: int, reason: str, row: Sequence[str]) -> None:
        """Keep a bad row with its line and the reason; raises InputError when the file cannot be written."""
        try:
            if self._file is None:
                self._begin()
            self._writer.writerow([line, reason, *map(no_formula, row)])
        except OSError as error:
            raise self._unwritten(error) from error
        self.reasons[_NUMBER.sub("N", reason)] += 1

    def close(self) -> None:
        """Finish the file; one of an earlier import goes when there was nothing to write."""
        try:
            if self._file:
                self._file.close()
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritten(error) from error

    def abandon(self) -> None:
        """Close the file where the import has failed already."""
        if self._file:
            self._file.close()

    def _begin(self) -> None:
        self._path.unlink(missing_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(["line", "reason", "row"])

    def _unwritten(self, error: OSError) -> InputError:
        hint = "bad rows are written beside the file; nothing was imported"
        return InputError.one(f"cannot be written: {error.strerror}", place=Place(str(self._path)), hint=hint)


def no_formula(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula gets a quote in front."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
