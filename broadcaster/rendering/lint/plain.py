"""What people see of a message's parts: text without tags, a paragraph a line."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(r"</?(?:p|h[1-6]|section|div|li|ul|ol|tr|table|blockquote|br|hr)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def visible(markup: str) -> str:
    """The text of an HTML part; where a block begins or ends, a line does."""
    one_line = " ".join(markup.split())
    text = html.unescape(_TAG.sub("", _BREAK.sub("\n", one_line)))
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())
