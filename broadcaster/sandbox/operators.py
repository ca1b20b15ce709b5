"""The sandbox's stand-in for operators' webhooks: it keeps what the owner was asked, as the duty desk would read it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from broadcaster import clock
from broadcaster.channels.provider import Provider
from broadcaster.channels.receipts import verify
from broadcaster.sandbox.desk import broken_off, misbehave, silence
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind
from broadcaster.sandbox.site import OPERATORS
from broadcaster.surfaces.document import milliseconds


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that came in: when, by campaign time in milliseconds, to whom, and what it said."""

    at: int
    operator: str
    type: str
    data: dict[str, Any]


class DutyDesk:
    """Where operators' events come in; the same `webhook-id` is the same event."""

    def __init__(self, faults: FaultBook, operators: Mapping[str, Provider]) -> None:
        self._faults = faults
        self._operators = operators
        self._heard: dict[str, Heard] = {}
        self._lock = threading.Lock()

    def heard(self) -> list[Heard]:
        """Everything that came in, once each, in order."""
        with self._lock:
            return list(self._heard.values())

    def router(self) -> APIRouter:
        """One address an operator, and what was heard."""
        routes = APIRouter()

        @routes.get("/api/operators")
        def heard() -> list[dict[str, Any]]:
            """Everything that came in."""
            return [{"at": one.at, "operator": one.operator, "type": one.type, **one.data} for one in self.heard()]

        @routes.post(f"/{OPERATORS}/{{name}}")
        async def receive(name: str, request: Request) -> Response:
            """An event."""
            return await self._receive(name, request)

        return routes

    async def _receive(self, name: str, request: Request) -> Response:
        operator, body = self._operators.get(name), await request.body()
        if operator is None:
            raise HTTPException(404, "no such stand-in")
        if not verify(operator, body, request.headers):
            return JSONResponse({"error": "the signature does not fit"}, 401)
        fault = self._faults.next_for(OPERATORS)
        refused = await misbehave(fault, request) if fault else None
        if refused is None or (fault and fault.accepted):
            self._keep(request.headers["webhook-id"], name, json.loads(body))
        return await self._answered(fault, refused, request)

    async def _answered(self, fault: Fault | None, refused: Response | None, request: Request) -> Response:
        if fault and fault.kind is FaultKind.HALF_OPEN and refused is None:
            return await silence(request)
        if fault and fault.kind is FaultKind.DROP_AFTER:
            return broken_off()
        return refused or JSONResponse({})

    def _keep(self, key: str, name: str, event: dict[str, Any]) -> None:
        with self._lock:
            self._heard.setdefault(key, Heard(milliseconds(clock.now()), name, event["type"], event["data"]))
