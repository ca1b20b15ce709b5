"""What an SMS consists of: one text, folded to one line, in at most 500 characters."""

from __future__ import annotations

from broadcaster.rendering.measures import sms_size
from broadcaster.rendering.message import Measure, MessageSpec, Parts

MAX_CHARACTERS = 500
"""Mainland vendors take no longer notification, signature included."""


def one_line(text: str, language: str) -> str:
    """Fold a template's lines into one: Chinese has no space between sentences, other languages have one.

    A no-break space would turn a whole GSM text into UCS-2 and double its price; it becomes a plain one.
    """
    lines = [line.strip() for line in text.replace("\u00a0", " ").splitlines() if line.strip()]
    return ("" if language.startswith("zh") else " ").join(lines)


def measure(parts: Parts) -> tuple[Measure, ...]:
    """Characters against the limit, and the segments that are paid for."""
    size = sms_size(parts["text"])
    return (
        Measure("text", size.characters, "characters", MAX_CHARACTERS, note=str(size.encoding)),
        Measure("price", size.segments, "segments"),
    )


SPEC = MessageSpec(slug="sms", extension="txt", measure=measure, finish=one_line, brief=True)
