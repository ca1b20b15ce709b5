"""Mass sends: deduped by `clientmsgid`, within their quota, and perhaps waiting for an administrator."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster import clock
from broadcaster.channels.official import wire
from broadcaster.channels.official.platform.audience import Audience
from broadcaster.channels.official.platform.box import Article, Box
from broadcaster.channels.official.platform.refusal import RefusedError
from broadcaster.channels.provider import Quota

A_DAY, A_MONTH = 1, 4
"""To all followers, by calendar days and months of campaign time; the latter of a service account."""
PREVIEWS_A_DAY = 100
REMEMBERED_SECONDS = 24 * 3600.0
CONFIRMED_WITHIN = timedelta(minutes=30)
_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(slots=True)
class Sent:
    """A mass send: SENDING while it waits for an administrator."""

    msg_id: int
    mark: str
    article: Article
    at: float
    accepted_at: datetime
    status: str = "SENDING"


class MassDesk:
    """The mass sends of one account."""

    def __init__(self, box: Box, audience: Audience, quota: Quota) -> None:
        self._box = box
        self._audience = audience
        self._is_subscription = quota.per_day is not None and quota.per_month is None
        self._sent: dict[int, Sent] = {}
        self._days: list[date] = []
        self.protected = False
        """Whether an administrator must confirm each."""
        self.verdict = "send success"
        """How the platform's own check of what is sent ends."""
        self.previews: list[tuple[date, str, str]] = []
        """(day, reader, title)."""

    def send_all(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a draft to the followers."""
        mark = str(payload.get("clientmsgid", ""))
        if len(mark) > wire.MARK_CHARACTERS:
            raise RefusedError(45067, "clientmsgid size out of limit")
        if known := self._known(mark):
            raise RefusedError(45065, "clientmsgid exist", msg_id=known.msg_id, msg_data_id=known.msg_id)
        media_id = payload["mpnews"]["media_id"]
        self._box.look(media_id)
        self._count(clock.now().astimezone(_ZONE).date())
        sent = Sent(1000001 + len(self._sent), mark, self._box.take(media_id), time.monotonic(), clock.now())
        self._sent[sent.msg_id] = sent
        if not self.protected:
            self._finish(sent, self.verdict)
        return {
            "errcode": 0,
            "errmsg": "send job submission success",
            "msg_id": sent.msg_id,
            "msg_data_id": sent.msg_id,
        }

    def confirm(self, msg_id: int, *, agreed: bool) -> None:
        """What the administrator decides; after half an hour it is too late."""
        sent = self._find(msg_id)
        in_time = clock.now() - sent.accepted_at <= CONFIRMED_WITHIN
        self._finish(sent, self.verdict if agreed and in_time else "send fail")

    def get(self, payload: dict[str, Any]) -> dict[str, Any]:
        """How a mass send stands."""
        sent = self._find(payload.get("msg_id"))
        return {"msg_id": sent.msg_id, "msg_status": sent.status}

    def delete(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Take the article down; its card stays in the chats."""
        sent = self._find(payload.get("msg_id"))
        if sent.status != "SEND_SUCCESS":
            raise RefusedError(40059, "invalid message id")
        sent.status = "DELETE"
        self._audience.take_down(sent.mark)
        return {"errcode": 0, "errmsg": "ok"}

    def preview(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Show a draft to one reader; it stays a draft."""
        article, today = self._box.look(payload["mpnews"]["media_id"]), clock.now().astimezone(_ZONE).date()
        if sum(day == today for day, *_ in self.previews) >= PREVIEWS_A_DAY:
            raise RefusedError(45009, "reach max api daily quota limit")
        self.previews.append((today, str(payload["towxname"]), article["title"]))
        return {"errcode": 0, "errmsg": "preview success", "msg_id": 0}

    def _finish(self, sent: Sent, status: str) -> None:
        good = status == "send success"
        sent.status = "SEND_SUCCESS" if good else "SEND_FAIL"
        if good:
            self._audience.show(sent.mark, sent.article)
        self._audience.mass_finished(sent.msg_id, status)

    def _known(self, mark: str) -> Sent | None:
        since = time.monotonic() - REMEMBERED_SECONDS
        return next((one for one in self._sent.values() if mark and one.mark == mark and one.at > since), None)

    def _find(self, msg_id: object) -> Sent:
        found = self._sent.get(int(str(msg_id))) if str(msg_id).isdecimal() else None
        if found is None:
            raise RefusedError(40059, "invalid message id")
        return found

    def _count(self, today: date) -> None:
        this_month = [day for day in self._days if (day.year, day.month) == (today.year, today.month)]
        month_is_over = len(this_month) >= A_MONTH and not self._is_subscription
        if month_is_over or this_month.count(today) >= A_DAY:
            raise RefusedError(45028, "has no masssend quota")
        self._days.append(today)
