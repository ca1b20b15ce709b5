"""Importing people from a file: good rows become the newest version of the audience, bad rows a file of rejects.

The columns are that of the pool's addresses (such as `phone`; required), `name`, `language` and `tags` (separated by
`;`). The file is streamed, and the whole import is one transaction: when it fails, nothing has changed. How rows
become people: docs/audience.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from broadcaster.audience import readers
from broadcaster.audience.people import People, Person
from broadcaster.audience.pools import PHONES, Pool
from broadcaster.audience.rejects import Rejects
from broadcaster.errors import InputError, Place, StateError
from broadcaster.storage import audiences, events
from broadcaster.storage.audiences import Merged, TooManyLeaveError
from broadcaster.vault import Vault

MOST_LEAVING = 0.5
"""A file that would remove a greater share of the audience is refused, unless that is meant."""
_TOLD_EVERY = 5_000
"""Rows between two words of progress."""


class Progress(Protocol):
    """Somebody who watches an import."""

    def reading(self, share: float, rows: int) -> None:
        """So much of the file was read (0 to 1), and so many rows."""

    def merging(self) -> None:
        """Everything was read; the database now works out what differs."""


@dataclass(frozen=True, slots=True)
class Unwatched:
    """Nobody watches."""

    def reading(self, share: float, rows: int) -> None:
        """Nothing happens."""

    def merging(self) -> None:
        """Nothing happens."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file is imported: as the whole of a pool, or with `add` beside those who are in it.

    `replace`: also when most of the present audience is not in the file. `encoding` of a CSV file, found out when None.
    """

    add: bool = False
    replace: bool = False
    encoding: str | None = None
    actor: str = "import"
    pool: Pool = PHONES


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did; `rejects` is the file of bad rows, None when there were none."""

    version: int
    """The newest one now."""
    recipients: int
    """In that version."""
    read: int
    """Good rows."""
    added: int
    changed: int
    removed: int
    unchanged: int
    """Those in the file who were in the audience, all the same."""
    merged: int
    """Rows whose address came again further down."""
    rejected: int
    reasons: Counter[str] = field(default_factory=Counter)
    rejects: Path | None = None
    unnameable: tuple[str, ...] = ()
    """Some of the tags that no segment can name, because of a space or bracket."""
    encoding: str = ""


def import_people(
    connection: Connection,
    vault: Vault,
    path: Path,
    at: datetime,
    manner: Manner = Manner(),
    progress: Progress = Unwatched(),
) -> ImportResult:
    """Import a CSV, Parquet or XLSX file, in the caller's transaction.

    Raises InputError when the file as a whole cannot be used, StateError when most people would leave.
    """
    rejects = Rejects(path)
    try:
        with readers.opened(path, manner.encoding) as sheet:
            people = People(sheet, str(path), rejects.add, manner.pool)
            watched = _Watched(people, progress)
            audiences.stage(connection, manner.pool.name, vault, watched.rows())
        if not watched.good:
            raise _nobody(path, rejects)
        progress.merging()
        merged = _merge(connection, path.name, at, manner)
        rejects.close()
    except BaseException:
        rejects.abandon()
        raise
    result = ImportResult(
        version=merged.version,
        recipients=merged.recipients,
        read=watched.good,
        added=merged.added,
        changed=merged.changed,
        removed=merged.removed,
        unchanged=watched.good - merged.doubles - merged.added - merged.changed,
        merged=merged.doubles,
        rejected=rejects.rows,
        reasons=rejects.reasons,
        rejects=rejects.path,
        unnameable=tuple(sorted(people.unnameable)),
        encoding=sheet.encoding,
    )
    _record(connection, result, path.name, at, manner)
    return result


@dataclass(slots=True)
class _Watched:
    """The people who are read, counted, with a word of progress now and then."""

    people: People
    progress: Progress
    good: int = 0

    def rows(self) -> Iterator[Person]:
        tell_at = 0
        for person in self.people.rows():
            if self.people.read >= tell_at:
                tell_at = self.people.read + _TOLD_EVERY
                self.progress.reading(self.people.sheet.share(), self.people.read)
            self.good += 1
            yield person


def _merge(connection: Connection, source: str, at: datetime, manner: Manner) -> Merged:
    most = 1.0 if manner.replace else MOST_LEAVING
    try:
        return audiences.merge(connection, manner.pool.name, source, at, keep_others=manner.add, most_leaving=most)
    except TooManyLeaveError as error:
        hint = "--add keeps whoever is not in the file; --replace says that it is the whole audience. Nothing changed"
        raise StateError(f"{source}: {error.message}", hint=hint) from error


def _nobody(path: Path, rejects: Rejects) -> InputError:
    if rejects.rows:
        why = f"none of its {rejects.rows:,} rows can be used: {rejects.reasons.most_common(1)[0][0]}"
        return InputError.one(why, place=Place(str(path)), hint=f"see {rejects.path}. Nothing changed")
    return InputError.one("there is nobody in it", place=Place(str(path)), hint="nothing changed")


def _record(connection: Connection, result: ImportResult, source: str, at: datetime, manner: Manner) -> None:
    counts = {name: getattr(result, name) for name in ("added", "changed", "removed", "merged", "rejected")}
    pool = {"pool": manner.pool.name} if manner.pool.name else {}
    details = {"source": source, **pool, "version": result.version, "recipients": result.recipients, **counts}
    events.record(connection, manner.actor, "import", "", at, details)
