"""The stand-in of the platform for one account that sends template messages to its followers.

It has the templates that the site's options name, as if somebody had chosen them from the platform's library. Whoever's
openid ends in 999 does not follow the account, and in 888 takes no messages of it.
"""

from __future__ import annotations

import re
import time
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from broadcaster import clock
from broadcaster.channels.followers.keywords import objection
from broadcaster.channels.followers.official.approved import shown
from broadcaster.channels.followers.official.options import ApprovedTemplate, options_of
from broadcaster.channels.official import wire
from broadcaster.channels.official.platform import events
from broadcaster.channels.official.platform.front import Front, read
from broadcaster.channels.official.platform.refusal import RefusedError
from broadcaster.channels.official.platform.tokens import TokenOffice
from broadcaster.channels.simulation import (
    REFUSED_ENDING,
    UNREACHABLE_ENDING,
    Exhibit,
    Reception,
    Simulator,
    Stage,
    Target,
)

A_DAY = 100_000
"""Calls, by calendar days of campaign time."""
REMEMBERED_SECONDS = 600.0
"""For how long a `client_msg_id` is known, with its openid."""
FIRST_MSG_ID = 3_214_000_001
_OPENID = re.compile(r"[A-Za-z0-9_-]{20,64}")
_ZONE = ZoneInfo("Asia/Shanghai")


class _Sent(NamedTuple):
    msg_id: int
    at: float


class TemplateDesk:
    """The template messages of one account."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._options = options_of(stage.provider)
        self._known: dict[tuple[str, str], _Sent] = {}
        self._day: tuple[date, int] = (date.min, 0)
        self._sent = 0
        self.repeats = 0
        """How often a request came again under a `client_msg_id` that was known."""
        self.status = ""
        """How the platform ends every message from now on, if not as its reader would have it."""
        self.busy = 0
        """How many of the next requests are answered that the platform is busy."""
        self.a_day = A_DAY

    def send(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Send one message to one follower, once under a `client_msg_id`."""
        if self.busy:
            self.busy -= 1
            raise RefusedError(-1, "system error")
        openid, mark = payload["touser"], str(payload.get("client_msg_id", ""))
        if not _OPENID.fullmatch(openid):
            raise RefusedError(40003, "invalid openid")
        if known := self._remembered(openid, mark):
            self.repeats += 1
            return _answer(known.msg_id)
        if openid.endswith(REFUSED_ENDING):
            raise RefusedError(43004, "require subscribe")
        text, language = self._text(payload)
        self._count(clock.now().astimezone(_ZONE).date())
        self._sent += 1
        found = _Sent(FIRST_MSG_ID + self._sent, time.monotonic())
        self._known[openid, mark] = found
        exhibit = Exhibit(openid, openid, language, {"text": text})
        self._stage.show(mark[: wire.BROADCAST_CHARACTERS], "", Reception((exhibit,)))
        self._finish(openid, found.msg_id)
        return _answer(found.msg_id)

    def list(self, _body: bytes) -> dict[str, Any]:
        """The account's templates."""
        rows = {row.template_id: row for row in self._options.templates}.values()
        return {
            "template_list": [
                {"template_id": row.template_id, "title": "服务状态通知", "content": f"{row.text}\n", "example": ""}
                for row in rows
            ]
        }

    def quota(self, _payload: dict[str, Any]) -> dict[str, Any]:
        """What is left of today."""
        used = self._day[1] if self._day[0] == clock.now().astimezone(_ZONE).date() else 0
        return {"errcode": 0, "quota": {"daily_limit": self.a_day, "used": used, "remain": self.a_day - used}}

    def _text(self, payload: dict[str, Any]) -> tuple[str, str]:
        """What the follower reads, and the language of the template; refused when it does not fit."""
        row = self._template(payload.get("template_id"))
        keywords = {name: str(field["value"]) for name, field in payload["data"].items()}
        for name, value in keywords.items():
            if objection(name, value, self._options.limits):
                raise RefusedError(47003, f"argument invalid! data.{name}.value invalid")
        try:
            return shown(row, keywords), row.language
        except KeyError as missing:
            raise RefusedError(47003, f"argument invalid! data.{missing.args[0]}.value is empty") from None

    def _template(self, template_id: object) -> ApprovedTemplate:
        found = next((row for row in self._options.templates if row.template_id == template_id), None)
        if found is None:
            raise RefusedError(40037, "invalid template_id")
        return found

    def _remembered(self, openid: str, mark: str) -> _Sent | None:
        found = self._known.get((openid, mark)) if mark else None
        return found if found and time.monotonic() - found.at < REMEMBERED_SECONDS else None

    def _count(self, today: date) -> None:
        day, used = self._day
        used = used if day == today else 0
        if used >= self.a_day:
            raise RefusedError(45009, "reach max api daily quota limit")
        self._day = today, used + 1

    def _finish(self, openid: str, msg_id: int) -> None:
        """Send the event that says how it ended."""
        away = openid.endswith(UNREACHABLE_ENDING) or self._stage.is_away(openid)
        status = self.status or ("failed:user block" if away else "success")
        xml, provider = events.template_finished(openid, msg_id, status), self._stage.provider
        self._stage.call_back(lambda: events.callback(provider, xml))


def create(stage: Stage) -> Simulator:
    """The stand-in of one account."""
    desk = TemplateDesk(stage)
    paths = {
        wire.SEND_TEMPLATE: read(desk.send),
        wire.LIST_TEMPLATES: desk.list,
        wire.QUOTA_GET: read(desk.quota),
    }
    orders = {
        "status": lambda value: setattr(desk, "status", str(value)),
        "busy": lambda value: setattr(desk, "busy", int(value)),
        "a_day": lambda value: setattr(desk, "a_day", int(value)),
    }
    front = Front(TokenOffice(stage.provider), paths, orders, lambda: {"repeats": desk.repeats})
    return Simulator(front.app, _target)


def _target(_method: str, path: str, _query: object, _headers: object) -> Target | None:
    return Target.CALLS if path == wire.SEND_TEMPLATE else None


def _answer(msg_id: int) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "msgid": msg_id}
