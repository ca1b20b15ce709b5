"""Providers' callbacks: verified, stored as they came, answered at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from broadcaster.channels.base import Channel
from broadcaster.channels.callback import Callback, ForgedError
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.errors import InputError, UnreachableError
from broadcaster.storage import addressed
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

    @routes.api_route("/{channel}/{name}", methods=["GET", "POST"])
    async def receive(channel: str, name: str, request: Request) -> Response:
        """What one provider says: 401 for a wrong signature, 413 over 1 MB, 422 for a body of another form.

        503 when it cannot be stored: the provider is to bring it again.
        """
        provider = providers.get(channel, {}).get(name)
        body = await _bounded_body(request)
        if body is None:
            return JSONResponse({"error": f"larger than {MAX_BYTES} bytes"}, 413)
        try:
            if provider is None:
                raise ForgedError
            callback = Callback(request.method, dict(request.query_params), _headers(request), body)
            heard = CHANNELS[channel].suppliers[provider.supplier].hear(callback, provider)
            await run_in_threadpool(_store, parts, CHANNELS[channel], name, heard.receipts)
            for other, row in _of_the_same_account(providers, channel, provider):
                await run_in_threadpool(_store, parts, other, row.name, _heard_by(other, row, callback))
        except ForgedError:
            # An unknown provider and a wrong signature look alike from outside.
            return JSONResponse({"error": "the signature does not fit"}, 401)
        except InputError as error:
            return JSONResponse({"error": error.message}, 422)
        except UnreachableError:
            return JSONResponse({"error": "they cannot be stored now"}, 503, {"retry-after": RETRY_SECONDS})
        return Response(heard.answer, media_type=heard.media_type)

    return routes


def _of_the_same_account(
    providers: Mapping[str, Mapping[str, Provider]], channel: str, called: Provider
) -> Iterator[tuple[Channel, Provider]]:
    """The providers of other channels that are the same account at its platform, which knows one address of it."""
    account = CHANNELS[channel].suppliers[called.supplier].account
    if account is None:
        return
    for slug in providers.keys() - {channel}:
        for row in providers[slug].values():
            known_as = CHANNELS[slug].suppliers[row.supplier].account
            if known_as is not None and known_as(row) == account(called):
                yield CHANNELS[slug], row


def _heard_by(channel: Channel, provider: Provider, callback: Callback) -> Sequence[store.Receipt]:
    """What a callback at another address of the account says here; nothing to one with other secrets."""
    try:
        return channel.suppliers[provider.supplier].hear(callback, provider).receipts
    except ForgedError:
        return ()


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _store(parts: App, channel: Channel, provider: str, rows: Sequence[store.Receipt]) -> None:
    with parts.database.begin() as connection:
        store.append(connection, channel.slug, provider, (row for row in rows if row.recipient_id))
        named = (row for row in rows if not row.recipient_id)
        addressed.append(connection, parts.vault, channel.slug, channel.pool, provider, named)


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
