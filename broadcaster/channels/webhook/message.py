"""What a partner's system is given to show or to read: one text, beside the data of the event."""

from __future__ import annotations

from broadcaster.rendering.message import Measure, MessageSpec, Parts

MAX_CHARACTERS = 1_000
"""Leaves most of an event's 20 kB to its data."""


def one_paragraph(text: str, language: str) -> str:
    """Fold a template's lines into one: Chinese has no space between sentences, other languages have one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return ("" if language.startswith("zh") else " ").join(lines)


def measure(parts: Parts) -> tuple[Measure, ...]:
    """The text in characters."""
    return (Measure("text", len(parts["text"]), "characters", MAX_CHARACTERS),)


SPEC = MessageSpec(slug="webhook", extension="txt", measure=measure, finish=one_paragraph)
