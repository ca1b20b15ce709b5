"""Drafts: the templates that an account needs, made from rendered messages: each line's value becomes a keyword."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from broadcaster.channels.followers.keywords import KINDS
from broadcaster.channels.followers.message import values
from broadcaster.planning.phase import Phase
from broadcaster.rendering.message import Message

_GUESSES = ("time", "phone_number")
"""Kinds that a value tells by its form; everything else is a `thing`."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A template to look for in the platform's library, or to have approved: its content, and for which messages."""

    language: str
    phases: tuple[Phase, ...]
    text: str


def drafts(messages: Iterable[Message]) -> list[Draft]:
    """The templates that give these messages, each once."""
    found: dict[tuple[str, str], dict[Phase, None]] = {}
    for message in messages:
        found.setdefault((message.language, content(message.parts["text"])), {})[message.phase] = None
    return [Draft(language, tuple(phases), text) for (language, text), phases in found.items()]


def content(text: str) -> str:
    """A rendered message as the content of a template."""
    return "\n".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    for number, (line, (_, value)) in enumerate(zip(text.splitlines(), values(text), strict=True), 1):
        kind = next((name for name in _GUESSES if KINDS[name].form.fullmatch(value)), "thing")
        yield f"{line.removesuffix(value)}{{{{{kind}{number}.DATA}}}}"
