"""Fields: the texts of an announcement as they stand in its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from broadcaster.announcement.model import Announcement
from broadcaster.announcement.rules import FieldPath


@dataclass(frozen=True, slots=True)
class TextField:
    """A localized text and its path. `tells` is whether it is a sentence to read back, not a name."""

    path: FieldPath
    text: Mapping[str, str]
    tells: bool = False


def text_fields(announcement: Announcement) -> Iterator[TextField]:
    """Every localized text that a template can show."""
    for name in ("title", "subject", "reason"):
        yield TextField((name,), getattr(announcement, name), tells=True)
    for number, advice in enumerate(announcement.advice):
        yield TextField(("advice", number, "text"), advice.text, tells=True)
        if advice.short_text:
            yield TextField(("advice", number, "short_text"), advice.short_text, tells=True)
    for group in ("contacts", "links"):
        for number, row in enumerate(getattr(announcement, group)):
            yield TextField((group, number, "name"), row.name, tells=True)
    yield from _names(announcement)


def _names(announcement: Announcement) -> Iterator[TextField]:
    yield TextField(("owner", "name"), announcement.owner.name)
    yield TextField(("owner", "signature"), announcement.owner.signature)
    for number, service in enumerate(announcement.services):
        path: FieldPath = ("services", number)
        yield TextField((*path, "name"), service.name)
        if service.short_name:
            yield TextField((*path, "short_name"), service.short_name)
        for place, item in enumerate(service.items):
            yield TextField((*path, "items", place), item)
    for number, point in enumerate(announcement.access_points):
        yield TextField(("access_points", number, "name"), point.name)
