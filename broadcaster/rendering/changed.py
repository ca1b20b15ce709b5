"""What has changed, as words: the facts that differ from what a reader was told, without what follows from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from broadcaster.announcement.facts import UNKNOWN, FactChange
from broadcaster.announcement.model import Announcement, Impact
from broadcaster.announcement.times import parse_instant
from broadcaster.rendering.wording import Wording

_EDGES = {"window.start": "start", "window.end": "end", "resume": "resume"}
_TIMES = ("start", "end", "resume", "last_acceptance")
_ENDS = frozenset({"end", "last_acceptance", "deadline"})
"""Times that are written as ends: 24:00 of a day, not 0:00 of the next."""


class Told:
    """The changes of which a message tells one reader, in one language."""

    def __init__(self, announcement: Announcement, language: str, words: Wording) -> None:
        self._announcement = announcement
        self._language = language
        self._words = words

    def of(self, changes: Sequence[FactChange]) -> list[Mapping[str, Any]]:
        """Each as `what`, `old` and `new` (either may be None), and of an impact row whom it is about."""
        edges = _edges(changes)
        pairs = {(row.old, row.new) for row in edges}
        rest = [row for row in changes if (row.old, row.new) not in pairs]
        return [
            *self._ahead(changes),
            *(self._time(_EDGES[row.path], row) for row in edges),
            *self._impacts(rest),
            *self._deadlines(rest),
            *self._contacts(rest),
        ]

    @staticmethod
    def _ahead(changes: Sequence[FactChange]) -> Iterator[Mapping[str, Any]]:
        """It was called off, and goes ahead after all."""
        for row in changes:
            if row.path == "status" and row.old == "cancelled":
                yield {"what": "ahead", "old": None, "new": None}

    def _time(self, what: str, change: FactChange, of: str = "", **about: Any) -> Mapping[str, Any]:
        kind = of or what
        words = {"old": self._instant(kind, change.old), "new": self._instant(kind, change.new)}
        return {"what": what, "of": of, **words, **about}

    def _impacts(self, changes: Sequence[FactChange]) -> Iterator[Mapping[str, Any]]:
        """The rows that differ: each changed time of one, or that something else about it differs."""
        rows = {impact.id: impact for impact in self._announcement.impacts}
        for name, of_row in _by_row(changes).items():
            impact = rows.get(name)
            if impact is None:
                continue  # it is no longer affected: the list of what stops says that by not naming it
            about = self._about(impact)
            times = [row for row in of_row if _last(row) in _TIMES and row.old and row.new]
            for row in times:
                yield self._time("impact", row, of=_last(row), **about)
            if len(times) < len(of_row):
                yield {"what": "impact", "of": "scope", "old": None, "new": None, **about}

    def _about(self, impact: Impact) -> Mapping[str, Any]:
        services = {row.id: row for row in self._announcement.services}
        points = {row.id: row for row in self._announcement.access_points}
        return {
            "services": [(services[id_].short_name or services[id_].name)[self._language] for id_ in impact.services],
            "access_points": [points[id_].name[self._language] for id_ in impact.access_points],
        }

    def _deadlines(self, changes: Sequence[FactChange]) -> Iterator[Mapping[str, Any]]:
        for row in changes:
            if row.path.startswith("advice.") and row.new:
                yield self._time("deadline", row)

    @staticmethod
    def _contacts(changes: Sequence[FactChange]) -> Iterator[Mapping[str, Any]]:
        for row in changes:
            if row.path.startswith("contact.") and row.new:
                yield {"what": "contact", "old": None, "new": row.new}

    def _instant(self, what: str, value: str | None) -> str | None:
        if value is None or value == UNKNOWN:
            return None
        local = parse_instant(value, self._announcement.zone_info)
        written = self._words.end if what in _ENDS else self._words.instant
        return written(local, year=False)


def _edges(changes: Sequence[FactChange]) -> list[FactChange]:
    """The changed times of the whole; a resume time that moved along with the end would say the same thing twice."""
    by_path = {row.path: row for row in changes if row.path in _EDGES}
    start, end, resume = (by_path.get(path) for path in _EDGES)
    if start and start.old is None:
        # They were told that the end passed, and of no other time: what they hold of it is the end.
        return [end] if end else []
    if end and resume and (end.old, end.new) == (resume.old, resume.new):
        del by_path["resume"]
    return [by_path[path] for path in _EDGES if path in by_path]


def _by_row(changes: Sequence[FactChange]) -> Mapping[str, list[FactChange]]:
    found: dict[str, list[FactChange]] = {}
    for row in changes:
        if row.path.startswith("impact."):
            found.setdefault(row.path.removeprefix("impact.").rpartition(".")[0], []).append(row)
    return found


def _last(change: FactChange) -> str:
    return change.path.rpartition(".")[2]
