"""A caution: a precaution that an announcement does not take, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from broadcaster.announcement.rules import FieldPath, Finding
from broadcaster.announcement.source import Source, dotted
from broadcaster.errors import InputError, Place, Problem
from broadcaster.planning.precautions import Level


@dataclass(frozen=True, slots=True)
class Caution:
    """What is wrong with the dates, by which rule, and whether that is a warning or an error."""

    level: Level
    finding: Finding

    def problem(self, source: Source | None = None) -> Problem:
        """It as an operator reads it: with file, line and field of its rule, as far as they are known."""
        return Problem(self.finding.message, _place(self.finding.path, source), self.finding.hint)


def warnings(cautions: Iterable[Caution], source: Source | None = None) -> tuple[str, ...]:
    """Those that are warnings, as text."""
    return tuple(str(row.problem(source)) for row in cautions if row.level is Level.WARNING)


def errors(cautions: Iterable[Caution], source: Source | None = None) -> tuple[Problem, ...]:
    """Those that are errors."""
    return tuple(row.problem(source) for row in cautions if row.level is Level.ERROR)


def refuse(cautions: Iterable[Caution], source: Source | None = None) -> None:
    """Raise InputError with all that are errors, when some are."""
    found = errors(cautions, source)
    if found:
        raise InputError(found)


def _place(path: FieldPath, source: Source | None) -> Place:
    """Where a rule stands. One that holds by default stands on no line of the file."""
    if source is None:
        return Place(field=dotted(path))
    written = path
    while written and written not in source.lines:
        written = written[:-1]
    line = source.lines[written] if len(written) > 1 else None
    return Place(source.file, line, dotted(path))
