"""A WeCom group bot: its checks with their codes, and what the group reads.

The bot of a key that it does not know answers 93000 inside HTTP 200, as the real one does; the 21st message within a
minute of machine time is refused with 45009.
"""

from __future__ import annotations

import hmac
import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request

from broadcaster.channels.simulation import Exhibit, Reception, Simulator, Stage, Target
from broadcaster.channels.wecom import wire

PER_MINUTE = 20
MOST_BYTES = {wire.Format.MARKDOWN: 4096, wire.Format.TEXT: 2048}


def create(stage: Stage) -> Simulator:
    """The stand-in of one bot."""
    app, lately = FastAPI(), deque[float]()

    @app.post(wire.PATH)
    async def send(request: Request) -> dict[str, Any]:
        """A message for the group."""
        known = hmac.compare_digest(stage.provider.secret.encode(), request.query_params.get("key", "").encode())
        content, wrong = _content(await request.body())
        code = wire.OK
        if not known:
            code = 93000
        elif _is_too_fast(lately):
            code = 45009
        elif wrong:
            code = wrong
        else:
            _say(stage, request.headers.get("x-broadcast", ""), content)
        return {"errcode": code, "errmsg": "ok" if code == wire.OK else "as the code says"}

    return Simulator(app, _target)


def _target(method: str, path: str, _query: Mapping[str, str], _headers: Mapping[str, str]) -> Target | None:
    return Target.CALLS if method == "POST" and path == wire.PATH else None


def _say(stage: Stage, broadcast: str, content: str) -> None:
    """The bot is known by its name: nothing else of a message says whom it is for."""
    provider = stage.provider
    stage.show(broadcast, "", Reception((Exhibit(provider.name, provider.label, "", {"text": content}),)))


def _is_too_fast(lately: deque[float]) -> bool:
    """Whether there were as many messages within the last minute as there may be; counted when not."""
    now = time.monotonic()
    while lately and lately[0] < now - 60:
        lately.popleft()
    if len(lately) >= PER_MINUTE:
        return True
    lately.append(now)
    return False


def _content(body: bytes) -> tuple[str, int]:
    """The text of a message, and the code of what is wrong with it (0: nothing)."""
    try:
        said = json.loads(body)
        form = wire.Format(said["msgtype"])
        content = str(said[form]["content"])
    except (ValueError, TypeError, KeyError):
        return "", 40058
    if not content:
        return "", 44004
    return content, 40058 if len(content.encode()) > MOST_BYTES[form] else wire.OK
