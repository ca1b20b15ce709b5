"""The material and the drafts of an account."""

from __future__ import annotations

import secrets
from typing import Any

from broadcaster.channels.official import wire
from broadcaster.channels.official.filter import filtered
from broadcaster.channels.official.platform.refusal import RefusedError
from broadcaster.channels.wechat.message import LIMITS, MAX_BODY_BYTES

MAX_THUMB_BYTES = 64 * 1024
_JPEG = b"\xff\xd8\xff"

Article = dict[str, Any]


class Box:
    """What was uploaded, and what was written and not sent yet."""

    def __init__(self) -> None:
        self.material: set[str] = set()
        self._drafts: dict[str, Article] = {}

    def upload(self, body: bytes) -> dict[str, Any]:
        """Keep the one file of a form."""
        content = body[body.find(b"\r\n\r\n") + 4 :]
        if not content.startswith(_JPEG):
            raise RefusedError(40113, "unsupported file type")
        if len(content) > MAX_THUMB_BYTES:
            raise RefusedError(40006, "invalid media size")
        media_id = secrets.token_urlsafe(32)
        self.material.add(media_id)
        return {"media_id": media_id, "url": "http://mmbiz.qpic.cn/mmbiz_jpg/stand-in/0"}

    def delete_material(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Forget a file."""
        self.material.discard(str(payload.get("media_id")))
        return {"errcode": 0, "errmsg": "ok"}

    def add(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Keep a draft, as far as the filter lets it through."""
        (article,) = payload["articles"]
        _check(article)
        if article["thumb_media_id"] not in self.material:
            raise RefusedError(40007, "invalid media_id")
        media_id = secrets.token_urlsafe(32)
        self._drafts[media_id] = {**article, "content": filtered(article["content"])}
        return {"media_id": media_id}

    def look(self, media_id: object) -> Article:
        """A draft, which stays."""
        found = self._drafts.get(str(media_id))
        if found is None:
            raise RefusedError(40007, "invalid media_id")
        return found

    def take(self, media_id: object) -> Article:
        """A draft, which leaves the box for good."""
        found = self.look(media_id)
        del self._drafts[str(media_id)]
        return found

    def delete(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Throw a draft away."""
        self.take(payload.get("media_id"))
        return {"errcode": 0, "errmsg": "ok"}

    def list(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A page of the drafts, newest first."""
        rows = [{"media_id": id_, "content": {"news_item": [one]}} for id_, one in reversed(self._drafts.items())]
        return page(rows, payload)


def page(rows: list[dict[str, Any]], payload: dict[str, Any]) -> dict[str, Any]:
    """A page of a list, as every list here has it."""
    start, count = int(payload.get("offset", 0)), int(payload.get("count", wire.PAGE))
    if not 1 <= count <= wire.PAGE:
        raise RefusedError(47003, "invalid count")
    found = rows[start : start + count]
    return {"total_count": len(rows), "item_count": len(found), "item": found}


def _check(article: Article) -> None:
    """Refuse what is too long."""
    content = article["content"]
    if len(article["title"]) > LIMITS["title"]:
        raise RefusedError(45003, "title size out of limit")
    if len(article["author"]) > LIMITS["author"]:
        raise RefusedError(45110, "author size out of limit")
    if len(article["digest"]) > LIMITS["digest"]:
        raise RefusedError(45004, "description size out of limit")
    if len(content) > LIMITS["body"] or len(content.encode()) > MAX_BODY_BYTES:
        raise RefusedError(45002, "content size out of limit")
    if len(article["content_source_url"].encode()) > wire.MAX_LINK_BYTES:
        raise RefusedError(47003, "content_source_url size out of limit")
