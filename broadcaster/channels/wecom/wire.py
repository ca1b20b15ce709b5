"""The format of a WeCom group bot: what it is posted, and what the code in its answer means.

Sources: developer.work.weixin.qq.com/document/path/91770 (the bot, its limits), /90313 (codes of all interfaces). Every
answer is HTTP 200; whether it was a success stands in `errcode`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

URL = "https://qyapi.weixin.qq.com"
PATH = "/cgi-bin/webhook/send"

OK = 0
NOT_NOW: Mapping[int, float] = {-1: 10.0, 45009: 60.0, 45033: 10.0}
"""Surely not said, and worth trying again so many seconds later: it is busy, 20 messages a minute, too much at once."""
REFUSALS: Mapping[int, str] = {
    40058: "the message is too long, or not of the form that it takes",
    44004: "the message is empty",
    93000: "the key is none of a bot that is still there",
    93004: "the bot was stopped",
    93008: "the bot is not in the group any more",
}
"""Codes that a person must look into; others are told by number."""


class Format(StrEnum):
    """How a bot says it."""

    MARKDOWN = "markdown"
    TEXT = "text"
    """For groups whose members read along in WeChat, which shows them no Markdown."""


def body(text: str, form: Format) -> bytes:
    """What a bot is posted: raw UTF-8."""
    content = text if form is Format.MARKDOWN else plain(text)
    return json.dumps({"msgtype": form, form: {"content": content}}, ensure_ascii=False).encode()


def plain(text: str) -> str:
    """A Markdown text without its marks; a link is its name and its address."""
    linked = re.sub(r"\[([^\]\n]*)\]\(([^)\s]*)\)", r"\1 \2", text)
    return re.sub(r"\*\*|^> ", "", linked, flags=re.MULTILINE)


def code_of(answer: bytes) -> int | None:
    """The `errcode` of an answer; None when there is none to be read."""
    try:
        said: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    code = said.get("errcode") if isinstance(said, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None
