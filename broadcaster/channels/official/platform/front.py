"""The front of a stand-in of the platform: requests on its real paths, under a token, answered as the platform does.

`/sandbox` is no path of the platform: there it is said how the stand-in shall behave, and what it did is looked at.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broadcaster.channels.official import wire
from broadcaster.channels.official.platform.refusal import RefusedError
from broadcaster.channels.official.platform.tokens import TokenOffice

CONTROL = "/sandbox"
_ESCAPED = re.compile(rb"\\u[0-9a-fA-F]{4}")

Handle = Callable[[bytes], dict[str, Any]]
"""What a path answers to a body."""
Order = Callable[[Any], None]
"""Makes the stand-in behave in a certain way."""


def read(handle: Callable[[dict[str, Any]], dict[str, Any]]) -> Handle:
    """A path that takes JSON in raw UTF-8."""

    def handled(body: bytes) -> dict[str, Any]:
        if _ESCAPED.search(body):
            raise RefusedError(47001, "data format error")
        return handle(json.loads(body))

    return handled


class Front:
    """Where requests to one account come in, one at a time."""

    def __init__(
        self,
        tokens: TokenOffice,
        handlers: Mapping[str, Handle],
        orders: Mapping[str, Order],
        books: Callable[[], dict[str, Any]],
    ) -> None:
        self._lock = threading.Lock()
        self._tokens, self._handlers, self._books = tokens, handlers, books
        self._orders = {**_of_tokens(tokens), **orders}
        routes = [Route(path, self._answer, methods=["GET", "POST"]) for path in (*handlers, wire.STABLE_TOKEN)]
        self.app = Starlette(routes=[*routes, Route(CONTROL, self._control, methods=["GET", "PATCH"])])

    async def _answer(self, request: Request) -> Response:
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        body = await request.body()
        try:
            said = await run_in_threadpool(self._handle, path, request.query_params.get("access_token", ""), body)
        except RefusedError as refusal:
            said = refusal.answer
        except (KeyError, TypeError, ValueError, AttributeError):
            said = {"errcode": 47001, "errmsg": "data format error"}
        return JSONResponse(said)

    def _handle(self, path: str, token: str, body: bytes) -> dict[str, Any]:
        with self._lock:
            if path == wire.STABLE_TOKEN:
                return self._tokens.give(json.loads(body))
            self._tokens.check(token)
            return self._handlers[path](body)

    async def _control(self, request: Request) -> Response:
        if request.method == "PATCH":
            await run_in_threadpool(self._behave, await request.json())
        return JSONResponse(self._books())

    def _behave(self, orders: dict[str, Any]) -> None:
        """Carry out orders to the stand-in, each by its name."""
        with self._lock:
            for name, value in orders.items():
                self._orders[name](value)


def _of_tokens(tokens: TokenOffice) -> Mapping[str, Order]:
    return {
        "whitelisted": lambda value: setattr(tokens, "whitelisted", bool(value)),
        "tokens": lambda value: {"revoked": tokens.revoke, "expired": tokens.expire}[value](),
    }
