"""Every instant that an announcement holds, with the field that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from broadcaster.announcement.model import Announcement, Window
from broadcaster.announcement.rules import FieldPath


@dataclass(frozen=True, slots=True)
class Held:
    """An instant and the path of its field. `ends` is whether something ends then, and not only begins."""

    path: FieldPath
    instant: datetime
    ends: bool


def instants(announcement: Announcement) -> Iterator[Held]:
    """The announcement's own instants; a time that is left out and follows from another is that other."""
    yield from _window(("window",), announcement.window)
    if announcement.resume:
        yield Held(("resume",), announcement.resume, ends=False)
    for number, impact in enumerate(announcement.impacts):
        path: FieldPath = ("impacts", number)
        if impact.window:
            yield from _window((*path, "window"), impact.window)
        if impact.last_acceptance:
            yield Held((*path, "last_acceptance"), impact.last_acceptance, ends=True)
        if impact.resume:
            yield Held((*path, "resume"), impact.resume, ends=False)
    for number, advice in enumerate(announcement.advice):
        if advice.deadline:
            yield Held(("advice", number, "deadline"), advice.deadline, ends=True)


def _window(path: FieldPath, window: Window) -> Iterator[Held]:
    # Applications are taken until the start, so something ends there too.
    yield Held((*path, "start"), window.start, ends=True)
    if window.end:
        yield Held((*path, "end"), window.end, ends=True)
