"""Providers' callbacks: verified, stored as they came, answered at once."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from broadcaster.delivery import receipts
from broadcaster.errors import InputError
from broadcaster.storage import ledger
from broadcaster.wiring import App

MAX_BYTES = 1_000_000


def router(parts: App) -> APIRouter:
    """The routes under /callbacks."""
    routes = APIRouter(prefix="/callbacks")
    providers = parts.providers()

    @routes.post("/{channel}/{name}")
    async def receive(channel: str, name: str, request: Request) -> JSONResponse:
        """Receipts of one provider: 401 for a wrong signature, 413 over 1 MB, 422 for a body of another form."""
        provider = providers.get(channel, {}).get(name)
        body = await _bounded_body(request)
        if body is None:
            return JSONResponse({"error": f"larger than {MAX_BYTES} bytes"}, 413)
        # An unknown provider and a wrong signature look alike from outside.
        if provider is None or not receipts.verify(provider, body, request.headers):
            return JSONResponse({"error": "the signature does not fit"}, 401)
        try:
            rows = receipts.parse(body)
        except InputError as error:
            return JSONResponse({"error": error.message}, 422)
        await run_in_threadpool(_store, parts, channel, name, rows)
        return JSONResponse({"received": len(rows)})

    return routes


def _store(parts: App, channel: str, provider: str, rows: list[ledger.Receipt]) -> None:
    with parts.database.begin() as connection:
        ledger.append_receipts(connection, channel, provider, rows)


async def _bounded_body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            return None
    return bytes(body)
