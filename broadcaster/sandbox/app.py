"""The sandbox: a local stand-in for every outside endpoint, which shows what the public would have received.

It checks signatures and dedupes under `webhook-id` as a provider does, takes fault orders, sends receipts back, and
keeps what it received until it ends. It listens on this machine only and needs no database.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from broadcaster import clock, logs, wiring
from broadcaster import settings as settings_module
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.simulators import Receive, simulators
from broadcaster.delivery.receipts import verify
from broadcaster.sandbox import showing
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind
from broadcaster.sandbox.receipts import Aftermath, Clerk
from broadcaster.site import resolve
from broadcaster.surfaces.document import milliseconds
from broadcaster.web.surfaces import mount_static


def create() -> FastAPI:
    """The application for `uvicorn --factory broadcaster.sandbox.app:create`."""
    settings = settings_module.load()
    logs.configure(settings.log_level)
    site = wiring.open_site(settings)
    folder = settings.site_file.parent
    providers = {slug: {row.name: resolve(row, folder) for row in site.providers(slug)} for slug in CHANNELS}
    archive, faults = Archive(), FaultBook()
    clerk = Clerk(archive, site.public_url)
    clerk.start()
    app = FastAPI(title="broadcaster sandbox", docs_url=None, redoc_url=None)
    app.include_router(_Desk(archive, faults, clerk, providers).router())
    app.include_router(showing.router(archive, clerk))
    surfaces = APIRouter(prefix="/surfaces")
    mount_static(surfaces)
    app.include_router(surfaces)
    return app


class _Desk:
    """Where calls come in."""

    def __init__(
        self, archive: Archive, faults: FaultBook, clerk: Clerk, providers: dict[str, dict[str, Provider]]
    ) -> None:
        self._archive = archive
        self._faults = faults
        self._clerk = clerk
        self._providers = providers
        self._simulators: dict[str, Receive] = simulators()

    def router(self) -> APIRouter:
        """Fault orders, and one address a provider."""
        routes = APIRouter()

        @routes.get("/healthz")
        def health() -> dict[str, str]:
            """That it answers."""
            return {"status": "ok"}

        @routes.post("/faults")
        def order(fault: Fault) -> dict[str, str]:
            """Order a fault."""
            self._faults.order(fault)
            return {"status": "ordered"}

        @routes.get("/ledger")
        def ledger() -> StreamingResponse:
            """A JSON line a broadcast: its id, and how often each recipient id was shown something."""
            return StreamingResponse(_ledger_lines(self._archive), media_type="application/x-ndjson")

        @routes.post("/{channel}/{name}")
        async def receive(channel: str, name: str, request: Request) -> Response:
            """A provider's endpoint."""
            provider = self._providers.get(channel, {}).get(name)
            if provider is None:
                raise HTTPException(404, "no such stand-in")
            return await self._receive(channel, provider, request)

        return routes

    async def _receive(self, channel: str, provider: Provider, request: Request) -> Response:
        body = await request.body()
        if not verify(provider, body, request.headers):
            return JSONResponse({"error": "the signature does not fit"}, 401)
        fault = self._faults.next_for(channel)
        if fault and fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind is FaultKind.STATUS:
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return JSONResponse({"error": "as ordered"}, fault.status, headers=headers)
        if fault and fault.kind is FaultKind.DROP_BEFORE:
            return _broken_off()
        answer = self._accept(channel, provider, request.headers["webhook-id"], body)
        return _broken_off() if fault and fault.kind is FaultKind.DROP_AFTER else JSONResponse(answer)

    def _accept(self, channel: str, provider: Provider, key: str, body: bytes) -> dict[str, Any]:
        answered = self._archive.answer_for(key)
        if answered is not None:
            return answered
        data = json.loads(body)["data"]
        reception = self._simulators[channel](data)
        answer = self._archive.keep(key, channel, milliseconds(clock.now()), data, reception)
        self._clerk.add(Aftermath(channel, provider, data["broadcast"], reception))
        return answer


def _broken_off() -> Response:
    """An answer that announces more than it sends: the server then closes the connection in the middle of it."""

    async def first_byte() -> AsyncIterator[bytes]:
        yield b"{"

    return StreamingResponse(first_byte(), headers={"Content-Length": "100"}, media_type="application/json")


def _ledger_lines(archive: Archive) -> Iterator[str]:
    for broadcast, counts in archive.shown():
        yield json.dumps({"broadcast": broadcast, "shown": counts}) + "\n"
