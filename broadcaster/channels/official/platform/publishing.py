"""Publications: submitted without any key, done behind the scenes, listed once they are out."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from broadcaster.channels.official import wire
from broadcaster.channels.official.platform.audience import Audience
from broadcaster.channels.official.platform.box import Article, Box, page
from broadcaster.channels.official.platform.refusal import RefusedError
from broadcaster.channels.simulation import Stage

DELETED = 5
"""`publish_status` of an article that its account took down."""


@dataclass(slots=True)
class Published:
    """A publication; lists show it from `visible_at` on, by the monotonic clock."""

    publish_id: int
    article_id: str
    article: Article
    status: int
    visible_at: float

    @property
    def mark(self) -> str:
        """What its call is known by."""
        return wire.mark_of(self.article["content_source_url"])


class PublishDesk:
    """The publications of one account."""

    def __init__(self, box: Box, audience: Audience, stage: Stage) -> None:
        self._box = box
        self._audience = audience
        self._stage = stage
        self._published: list[Published] = []
        self.verdict = 0
        """The `publish_status` with which the platform's own check ends."""

    def submit(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Publish a draft."""
        article = self._box.take(payload.get("media_id"))
        number, visible_at = 247_483_001 + len(self._published), time.monotonic() + self._stage.hidden_for
        found = Published(number, secrets.token_urlsafe(32), article, self.verdict, visible_at)
        self._published.append(found)
        if found.status == 0:
            self._audience.show(found.mark, article)
        self._audience.publish_finished(number, found.status, found.article_id)
        return {"errcode": 0, "errmsg": "ok", "publish_id": str(number), "msg_data_id": number}

    def get(self, payload: dict[str, Any]) -> dict[str, Any]:
        """How a publication stands."""
        wanted = str(payload.get("publish_id"))
        found = next((one for one in self._published if str(one.publish_id) == wanted), None)
        if found is None:
            raise RefusedError(53600, "invalid publish_id")
        row: dict[str, Any] = {"publish_id": wanted, "publish_status": found.status, "fail_idx": []}
        return row | ({"article_id": found.article_id} if found.status in (0, DELETED) else {})

    def delete(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Take an article down."""
        wanted = payload.get("article_id")
        found = next((one for one in self._published if one.article_id == wanted and one.status == 0), None)
        if found is None:
            raise RefusedError(53600, "invalid article_id")
        found.status = DELETED
        self._audience.take_down(found.mark)
        return {"errcode": 0, "errmsg": "ok"}

    def list(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A page of what is out, newest first."""
        now = time.monotonic()
        rows = [
            {"article_id": one.article_id, "content": {"news_item": [one.article]}}
            for one in reversed(self._published)
            if one.status == 0 and one.visible_at <= now
        ]
        return page(rows, payload)
