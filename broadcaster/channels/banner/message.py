"""What a web banner consists of: a short text and the words of its link."""

from __future__ import annotations

from broadcaster.rendering.measures import columns
from broadcaster.rendering.message import Measure, MessageSpec, Parts

LIMITS = {"text": 180, "link_text": 24}
"""Columns (a Chinese character takes two): two lines on a laptop, five on a phone."""


def measure(parts: Parts) -> tuple[Measure, ...]:
    """Width of each part in columns."""
    return tuple(Measure(part, columns(parts[part]), "columns", limit) for part, limit in LIMITS.items())


def one_line(text: str, language: str) -> str:
    """A banner's text runs on: a template's line breaks are not its own, and become no space in Chinese."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return ("" if language.startswith("zh") else " ").join(lines)


SPEC = MessageSpec(
    slug="banner", extension="txt", parts=("text", "link_text"), measure=measure, finish=one_line, brief=True
)
