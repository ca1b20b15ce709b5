"""What a template message consists of: a line for each keyword, `label：value`, as the follower reads it."""

from __future__ import annotations

import re

from broadcaster.rendering.message import Measure, MessageSpec, Parts

MAX_VALUE = 32
"""No kind of keyword takes a longer text; most take 20 characters."""
_LINE = re.compile(r"([^：:]+)(?:：|: )(.*)")


def finished(text: str, _language: str) -> str:
    """The lines without the blank ones between them."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def values(text: str) -> tuple[tuple[str, str], ...]:
    """(label, value) of each line; the label is empty where a line has none."""
    found = ((_LINE.fullmatch(line), line) for line in text.splitlines())
    return tuple((match[1], match[2]) if match else ("", line) for match, line in found)


def measure(parts: Parts) -> tuple[Measure, ...]:
    """The longest value in characters, and the lines."""
    lines = values(parts["text"])
    longest = max((len(value) for _, value in lines), default=0)
    return (Measure("longest value", longest, "characters", MAX_VALUE), Measure("text", len(lines), "rows"))


SPEC = MessageSpec(slug="followers", extension="txt", measure=measure, finish=finished, brief=True)
