"""A case: an announcement with its truths and texts, ready to be compared with what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from broadcaster.announcement.model import Announcement, ContactKind
from broadcaster.announcement.rules import FieldPath
from broadcaster.errors import Place
from broadcaster.rendering.lint.fields import TextField, text_fields
from broadcaster.rendering.lint.grammars import grammar_of
from broadcaster.rendering.lint.numbers import Number, digit_runs, numbers
from broadcaster.rendering.lint.places import Places
from broadcaster.rendering.lint.plain import visible
from broadcaster.rendering.lint.telling import Telling, tellings
from broadcaster.rendering.lint.told import Matters
from broadcaster.rendering.lint.truths import Truths, truths
from broadcaster.rendering.message import Message, MessageSpec
from broadcaster.rendering.view import Occasion


@dataclass(frozen=True, slots=True)
class Reading:
    """A text in a language, with the times and numbers that it tells."""

    language: str
    text: str
    times: tuple[Telling, ...]
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What is held against the texts."""

    announcement: Announcement
    truths: Truths
    fields: tuple[TextField, ...]
    matters: Mapping[str, Matters]
    """By language."""
    rows_changed: bool
    """Whether impact rows have changed: a message then names the services of those rows alone."""
    known_numbers: frozenset[str]
    """The digits of every number that a text may give."""
    places: Places
    specs: Mapping[str, MessageSpec]

    @classmethod
    def of(
        cls, announcement: Announcement, occasion: Occasion, places: Places, specs: Mapping[str, MessageSpec]
    ) -> Case:
        """Gather what is true of an announcement on an occasion."""
        fields = tuple(text_fields(announcement))
        matters = {language: Matters.of(fields, language) for language in announcement.languages}
        known = frozenset(_known_numbers(announcement, fields))
        rows_changed = any(change.path.startswith("impact.") for change in occasion.changes)
        told = truths(announcement, occasion)
        return cls(announcement, told, fields, matters, rows_changed, known, places, specs)

    def read(self, text: str, language: str) -> Reading:
        """Read a text back."""
        grammar = grammar_of(language)
        names = [contact.name[language] for contact in self.announcement.contacts]
        return Reading(language, text, tuple(tellings(text, grammar)), tuple(numbers(text, grammar, names)))

    def phones(self) -> list[tuple[FieldPath, str]]:
        """The telephone numbers among the contacts: where each stands, and its digits."""
        return [
            (("contacts", number, "value"), "".join(filter(str.isdigit, contact.value)))
            for number, contact in enumerate(self.announcement.contacts)
            if contact.kind is ContactKind.PHONE
        ]

    def field(self, path: FieldPath) -> Place:
        """Where a field stands."""
        return self.places.field(path)


def _known_numbers(announcement: Announcement, fields: tuple[TextField, ...]) -> Iterator[str]:
    """Those of the contacts, and what names hold: a name is what it is."""
    for contact in announcement.contacts:
        yield "".join(filter(str.isdigit, contact.value))
        yield from digit_runs(contact.value)
    for field in fields:
        if not field.tells:
            for text in field.text.values():
                yield from digit_runs(text)


def seen(message: Message, spec: MessageSpec) -> dict[str, str]:
    """What people see of each part that says something."""
    parts = {name: visible(text) if name in spec.html_parts else text for name, text in message.parts.items()}
    return {name: text for name, text in parts.items() if text.strip()}
