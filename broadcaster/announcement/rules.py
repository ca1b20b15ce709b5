"""What must hold between the fields of an announcement. Each rule yields every problem it sees, with its field path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from pydantic import BaseModel

from broadcaster.announcement.model import Announcement, Impact, Window
from broadcaster.announcement.text import missing_languages

LONGEST = timedelta(days=400)
"""A longer outage is a slip of the pen in a year."""

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule: where, what is wrong, and what to do."""

    path: FieldPath
    message: str
    hint: str | None = None


def findings(announcement: Announcement) -> tuple[Finding, ...]:
    """Every broken rule of the announcement."""
    rules = (_windows, _resumes, _references, _duplicates, _overlaps, _deadlines, _languages)
    return tuple(finding for rule in rules for finding in rule(announcement))


def _windows(announcement: Announcement) -> Iterator[Finding]:
    yield from _window(("window",), announcement.window)
    for number, impact in enumerate(announcement.impacts):
        if impact.window:
            yield from _window(("impacts", number, "window"), impact.window)


def _window(path: FieldPath, window: Window) -> Iterator[Finding]:
    if window.end and window.end <= window.start:
        message = f"the end {_show(window.end)} is not after the start {_show(window.start)}"
        yield Finding((*path, "end"), message, "give a later end, or leave it out when it is not known")
    elif window.end and window.end - window.start > LONGEST:
        message = f"the window lasts {(window.end - window.start).days} days, more than {LONGEST.days}"
        yield Finding((*path, "end"), message, "is the year right? Leave the end out when it is not known")


def _resumes(announcement: Announcement) -> Iterator[Finding]:
    if announcement.resume:
        yield from _resume(("resume",), announcement.resume, announcement.window)
    for number, impact in enumerate(announcement.impacts):
        if impact.resume:
            yield from _resume(("impacts", number, "resume"), impact.resume, announcement.window_of(impact))


def _resume(path: FieldPath, resume: datetime, window: Window) -> Iterator[Finding]:
    if resume < (window.end or window.start):
        edge = f"ends {_show(window.end)}" if window.end else f"starts {_show(window.start)}"
        yield Finding(path, f"service resumes {_show(resume)}, before its window {edge}")


def _references(announcement: Announcement) -> Iterator[Finding]:
    known = {
        "services": {service.id for service in announcement.services},
        "access_points": {point.id for point in announcement.access_points},
    }
    for number, impact in enumerate(announcement.impacts):
        for field, ids in known.items():
            named: tuple[str, ...] = getattr(impact, field)
            if not named:
                yield Finding(("impacts", number, field), "an impact without any", f"name at least one of {field}")
            for place, name in enumerate(named):
                if name not in ids:
                    hint = f"known: {', '.join(sorted(ids))}"
                    yield Finding(("impacts", number, field, place), f"{name!r} is not defined", hint)


def _duplicates(announcement: Announcement) -> Iterator[Finding]:
    for field in ("services", "access_points", "impacts"):
        counted = Counter(row.id for row in getattr(announcement, field))
        for name, times in counted.items():
            if times > 1:
                yield Finding((field,), f"the id {name!r} is used {times} times", "ids are unique within their list")


def _overlaps(announcement: Announcement) -> Iterator[Finding]:
    rows = list(enumerate(announcement.impacts))
    for (_, first), (number, second) in combinations(rows, 2):
        shared = _shared_cells(first, second)
        if shared and announcement.window_of(first).overlaps(announcement.window_of(second)):
            service, point = shared[0]
            message = f"overlaps impact {first.id!r}: both speak of {service} at {point} in the same time"
            yield Finding(("impacts", number), message, "one row a service, access point and time")


def _shared_cells(first: Impact, second: Impact) -> list[tuple[str, str]]:
    services = sorted(set(first.services) & set(second.services))
    points = sorted(set(first.access_points) & set(second.access_points))
    return [(service, point) for service in services for point in points]


def _deadlines(announcement: Announcement) -> Iterator[Finding]:
    for number, advice in enumerate(announcement.advice):
        if advice.kind == "do_before" and advice.deadline and advice.deadline > announcement.window.start:
            message = f"the deadline {_show(advice.deadline)} is after the start {_show(announcement.window.start)}"
            yield Finding(("advice", number, "deadline"), message, "a thing to do before must end before")
    for number, impact in enumerate(announcement.impacts):
        start = announcement.window_of(impact).start
        if impact.last_acceptance and impact.last_acceptance > start:
            message = f"the last acceptance {_show(impact.last_acceptance)} is after the start {_show(start)}"
            yield Finding(("impacts", number, "last_acceptance"), message)


def _languages(announcement: Announcement) -> Iterator[Finding]:
    for path, text in _texts((), announcement):
        for language in missing_languages(text, announcement.languages):
            yield Finding(path, f"the text lacks {language}", f"every text needs {', '.join(announcement.languages)}")


def _texts(path: FieldPath, value: object) -> Iterator[tuple[FieldPath, Mapping[str, str]]]:
    if isinstance(value, dict):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _texts((*path, name), getattr(value, name))
    elif isinstance(value, tuple):
        yield from _inside(path, value)


def _inside(path: FieldPath, values: Iterable[object]) -> Iterator[tuple[FieldPath, Mapping[str, str]]]:
    for number, inner in enumerate(values):
        yield from _texts((*path, number), inner)


def _show(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
