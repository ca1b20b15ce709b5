"""What a WeChat post consists of, and the limits of its draft (developers.weixin.qq.com, draft/add)."""

from __future__ import annotations

from broadcaster.rendering.message import Measure, MessageSpec, Parts

LIMITS = {"title": 32, "author": 16, "digest": 128, "body": 19_999}
"""Characters a part may have."""
MAX_BODY_BYTES = 999_999


def measure(parts: Parts) -> tuple[Measure, ...]:
    """Each part in characters, and the body in bytes as well."""
    sizes = [Measure(part, len(parts[part]), "characters", limit) for part, limit in LIMITS.items()]
    return (*sizes, Measure("body", len(parts["body"].encode()), "bytes", MAX_BODY_BYTES))


SPEC = MessageSpec(
    slug="wechat",
    extension="html",
    parts=("title", "author", "digest", "body"),
    html_parts=frozenset({"body"}),
    measure=measure,
)
