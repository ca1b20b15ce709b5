"""Providers' callbacks: verified, stored as they came, answered at once."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from broadcaster.delivery import receipts
from broadcaster.errors import InputError, UnreachableError
from broadcaster.storage import receipts as store
from broadcaster.wiring import App

MAX_BYTES = 1_000_000
"""Some 8,000 receipts."""
RETRY_SECONDS = "5"
"""When a provider may bring again what could not be stored."""


def router(parts: App) -> APIRouter:
    """The routes under /callbacks."""
    routes = APIRouter(prefix="/callbacks")
    providers = parts.providers()

    @routes.post("/{channel}/{name}")
    async def receive(channel: str, name: str, request: Request) -> JSONResponse:
        """Receipts of one provider: 401 for a wrong signature, 413 over 1 MB, 422 for a body of another form.

        503 when they cannot be stored: the provider is to bring them again.
        """
        provider = providers.get(channel, {}).get(name)
        body = await _bounded_body(request)
        if body is None:
            return JSONResponse({"error": f"larger than {MAX_BYTES} bytes"}, 413)
        # An unknown provider and a wrong signature look alike from outside.
        if provider is None or not receipts.verify(provider, body, request.headers):
            return JSONResponse({"error": "the signature does not fit"}, 401)
        try:
            rows = receipts.parse(body)
            await run_in_threadpool(_store, parts, channel, name, rows)
        except InputError as error:
            return JSONResponse({"error": error.message}, 422)
        except UnreachableError:
            return JSONResponse({"error": "they cannot be stored now"}, 503, {"retry-after": RETRY_SECONDS})
        return JSONResponse({"received": len(rows)})

    return routes


def _store(parts: App, channel: str, provider: str, rows: Sequence[store.Receipt]) -> None:
    with parts.database.begin() as connection:
        store.append(connection, channel, provider, rows)


async def _bounded_body(request: Request) -> bytes | None:
    """The body, None when it is too large: then the rest of it is not waited for."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            return None
    return bytes(body)
