"""What a WeCom group bot says: one Markdown text.

Source: developer.work.weixin.qq.com/document/path/91770: at most 4,096 bytes of UTF-8 as `markdown`, 2,048 as `text`.
The smaller limit holds for every message, so that a bot may say it in either way.
"""

from __future__ import annotations

from broadcaster.rendering.message import Measure, MessageSpec, Parts

MAX_BYTES = 2048


def measure(parts: Parts) -> tuple[Measure, ...]:
    """The text in bytes: a Chinese character has three."""
    return (Measure("text", len(parts["text"].encode()), "bytes", MAX_BYTES),)


SPEC = MessageSpec(slug="wecom", extension="md", measure=measure)
