"""The stand-in of the platform for one account, on its real paths: whichever way its articles go out.

`/sandbox` is no path of the platform: there it is said how the stand-in shall behave, and what its administrator does.
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
from broadcaster.channels.official.platform.audience import Audience
from broadcaster.channels.official.platform.box import Box
from broadcaster.channels.official.platform.mass import MassDesk
from broadcaster.channels.official.platform.publishing import PublishDesk
from broadcaster.channels.official.platform.refusal import RefusedError
from broadcaster.channels.official.platform.tokens import TokenOffice
from broadcaster.channels.simulation import Simulator, Stage, Target

CONTROL = "/sandbox"
_ESCAPED = re.compile(rb"\\u[0-9a-fA-F]{4}")
_TARGETS = {wire.SEND_ALL: Target.CALLS, wire.SUBMIT: Target.CALLS, wire.LIST_PUBLISHED: Target.QUESTIONS}
"""What can be seen by the public, and what is asked about it. All else leads up to it."""

Handle = Callable[[dict[str, Any]], dict[str, Any]]


def create(stage: Stage) -> Simulator:
    """The stand-in of one account."""
    found = Platform(stage)
    return Simulator(found.app, lambda _method, path, _query, _headers: _TARGETS.get(path))


class Platform:
    """One account's side of the platform."""

    def __init__(self, stage: Stage) -> None:
        self._lock = threading.Lock()
        audience = Audience(stage)
        self._tokens, self._box = TokenOffice(stage.provider), Box()
        self._mass = MassDesk(self._box, audience, stage.provider.quota)
        self._publishing = PublishDesk(self._box, audience, stage)
        self._handlers = self._paths()
        routes = [Route(path, self._answer, methods=["POST"]) for path in (*self._handlers, wire.STABLE_TOKEN)]
        uploads = Route(wire.ADD_MATERIAL, self._answer, methods=["POST"])
        control = Route(CONTROL, self._control, methods=["GET", "PATCH"])
        self.app = Starlette(routes=[*routes, uploads, control])

    def _paths(self) -> Mapping[str, Handle]:
        box, mass, publishing = self._box, self._mass, self._publishing
        return {
            wire.DELETE_MATERIAL: box.delete_material,
            wire.ADD_DRAFT: box.add,
            wire.LIST_DRAFTS: box.list,
            wire.DELETE_DRAFT: box.delete,
            wire.SEND_ALL: mass.send_all,
            wire.PREVIEW: mass.preview,
            wire.MASS_GET: mass.get,
            wire.MASS_DELETE: mass.delete,
            wire.SUBMIT: publishing.submit,
            wire.PUBLISH_GET: publishing.get,
            wire.PUBLISH_DELETE: publishing.delete,
            wire.LIST_PUBLISHED: publishing.list,
            wire.QUOTA_GET: lambda _: {"errcode": 0, "quota": {"daily_limit": 10, "used": 0, "remain": 10}},
        }

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
            if path == wire.ADD_MATERIAL:
                return self._box.upload(body)
            if _ESCAPED.search(body):
                raise RefusedError(47001, "data format error")
            return self._handlers[path](json.loads(body))

    async def _control(self, request: Request) -> Response:
        if request.method == "PATCH":
            await run_in_threadpool(self._behave, await request.json())
        return JSONResponse({"previews": [row[1:] for row in self._mass.previews], "drafts": self._box.list({})})

    def _behave(self, orders: dict[str, Any]) -> None:
        """Carry out orders to the stand-in, each by its name."""
        mass, tokens = self._mass, self._tokens
        known: Mapping[str, Callable[[Any], None]] = {
            "protected": lambda value: setattr(mass, "protected", bool(value)),
            "confirmed": lambda msg_id: mass.confirm(int(msg_id), agreed=True),
            "refused": lambda msg_id: mass.confirm(int(msg_id), agreed=False),
            "mass_verdict": lambda value: setattr(mass, "verdict", str(value)),
            "publish_verdict": lambda value: setattr(self._publishing, "verdict", int(value)),
            "whitelisted": lambda value: setattr(tokens, "whitelisted", bool(value)),
            "tokens": lambda value: {"revoked": tokens.revoke, "expired": tokens.expire}[value](),
            "material": lambda _: self._box.material.clear(),
        }
        with self._lock:
            for name, value in orders.items():
                known[name](value)
