"""Facts: the material truths that a message tells, and what differs between two sets of them.

A fact is a path and a value, both language-free text, so that two revisions compare row by row. Wording is not a fact:
a better sentence wakes nobody. Nor is a path: that an impact row was given an audience of its own is seen by whom its
other facts concern.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from broadcaster.announcement.model import EVERYONE, Announcement, Impact

Facts = Mapping[str, str]
"""Path → value, such as `window.end` → `2022-03-21T00:00:00+08:00`."""

UNKNOWN = "unknown"
AUDIENCE = "audience"
"""The last word of the path under which an impact row says whom alone it concerns."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact that differs; None stands for one that is not there."""

    path: str
    old: str | None
    new: str | None


def facts(announcement: Announcement) -> Facts:
    """The material truths of `announcement` as it is planned."""
    found = {
        "window.start": _instant(announcement.window.start),
        "window.end": _instant(announcement.window.end),
        "resume": _instant(announcement.resumes_at),
    }
    for impact in announcement.impacts:
        found |= _impact_facts(announcement, impact)
    for number, advice in enumerate(announcement.advice):
        if advice.deadline:
            found[f"advice.{number}.{advice.kind}.deadline"] = _instant(advice.deadline)
    for contact in announcement.contacts:
        found[f"contact.{contact.kind}.{contact.value}"] = contact.value
    return found


def difference(old: Facts, new: Facts) -> tuple[FactChange, ...]:
    """What changed from `old` to `new`, by path."""
    paths = sorted(old.keys() | new.keys())
    return tuple(FactChange(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path))


def _impact_facts(announcement: Announcement, impact: Impact) -> dict[str, str]:
    window = announcement.window_of(impact)
    rows = {
        "services": " ".join(sorted(impact.services)),
        "access_points": " ".join(sorted(impact.access_points)),
        "state": str(impact.state),
        "start": _instant(window.start),
        "end": _instant(window.end),
        "last_acceptance": _instant(impact.last_acceptance or window.start),
        "resume": _instant(announcement.resume_of(impact)),
    }
    if impact.audience != EVERYONE:
        rows[AUDIENCE] = impact.audience
    return {f"impact.{impact.id}.{name}": value for name, value in rows.items()}


def _instant(value: datetime | None) -> str:
    return value.isoformat() if value else UNKNOWN
