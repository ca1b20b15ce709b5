"""The sandbox's provider side: one address a provider, where calls come in and questions are answered.

A stand-in behaves as its provider's class says. An `idempotent` one dedupes under `webhook-id`. A `queryable` one shows
a repeated call to the public once more, but says what became of a call when it is asked. One of class `none` does
neither.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from broadcaster import clock
from broadcaster.channels.base import Idempotency, idempotency_of
from broadcaster.channels.provider import Provider
from broadcaster.channels.receipts import verify
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.simulation import Target
from broadcaster.channels.simulators import Receive, simulators
from broadcaster.channels.webhook.events import TEST
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind
from broadcaster.sandbox.receipts import Aftermath, Clerk
from broadcaster.surfaces.document import milliseconds

LONGEST_SILENCE = 60.0
"""Seconds after which a call without an answer is broken off, should the client still wait."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What a provider does with a key."""

    dedupes: bool
    answers: bool


MANNERS = {
    Idempotency.IDEMPOTENT: Manners(dedupes=True, answers=False),
    Idempotency.QUERYABLE: Manners(dedupes=False, answers=True),
    Idempotency.NONE: Manners(dedupes=False, answers=False),
}


class Desk:
    """Where calls and questions come in."""

    def __init__(
        self, archive: Archive, faults: FaultBook, clerk: Clerk, providers: Mapping[str, Mapping[str, Provider]]
    ) -> None:
        self._archive = archive
        self._faults = faults
        self._clerk = clerk
        self._providers = providers
        self._simulators: dict[str, Receive] = simulators()

    def router(self) -> APIRouter:
        """One address a provider."""
        routes = APIRouter()

        @routes.post("/{channel}/{name}")
        async def receive(channel: str, name: str, request: Request) -> Response:
            """A call."""
            return await self._receive(channel, self._provider(channel, name), request)

        @routes.get("/{channel}/{name}")
        async def answer(channel: str, name: str, request: Request) -> Response:
            """A question about a call."""
            return await self._answer(channel, self._provider(channel, name), request)

        return routes

    def _provider(self, channel: str, name: str) -> Provider:
        provider = self._providers.get(channel, {}).get(name)
        if provider is None:
            raise HTTPException(404, "no such stand-in")
        return provider

    async def _receive(self, channel: str, provider: Provider, request: Request) -> Response:
        body = await request.body()
        if not verify(provider, body, request.headers) or _is_stale(provider, request):
            return JSONResponse({"error": "the signature does not fit"}, 401)
        fault = self._faults.next_for(channel)
        if fault is None:
            return JSONResponse(await self._accept(channel, provider, request, body))
        refused = await misbehave(fault, request)
        if refused is not None and not fault.accepted:
            return refused
        answer = await self._accept(channel, provider, request, body, fault)
        if fault.kind is FaultKind.HALF_OPEN:
            return await silence(request)
        return broken_off() if fault.kind is FaultKind.DROP_AFTER else refused or JSONResponse(answer)

    async def _answer(self, channel: str, provider: Provider, request: Request) -> Response:
        if not verify(provider, b"", request.headers):
            return JSONResponse({"error": "the signature does not fit"}, 401)
        if not _manners(channel, provider).answers:
            return JSONResponse({"error": "nobody answers questions here"}, 405)
        fault = self._faults.next_for(channel, Target.QUESTIONS)
        refused = await misbehave(fault, request) if fault else None
        key = request.headers["webhook-id"]
        found = self._archive.answer_about(key)
        known = JSONResponse({"webhook-id": key}, 404) if found is None else JSONResponse(found)
        return refused or known

    async def _accept(
        self, channel: str, provider: Provider, request: Request, body: bytes, fault: Fault | None = None
    ) -> dict[str, Any]:
        key = request.headers["webhook-id"]
        answered = self._archive.answer_for(key)
        if answered is not None and _manners(channel, provider).dedupes:
            return answered
        event = json.loads(body)
        data = event["data"]
        if event["type"] == TEST:
            return {}
        reception = self._simulators[channel](data)
        if fault and fault.kind is FaultKind.UNREACHABLE:
            away = {exhibit.recipient for exhibit in reception.exhibits if fault.strikes(exhibit.shown_to)}
            reception = replace(reception, failing=reception.failing | away)
        hidden_for = fault.seconds if fault and fault.kind is FaultKind.HIDDEN else 0.0
        answer = self._archive.keep(key, channel, milliseconds(clock.now()), data, reception, hidden_for=hidden_for)
        if not CHANNELS[channel].registered:  # partners acknowledge, and send no receipts
            await self._follow_up(Aftermath(channel, provider, data["broadcast"], reception), fault)
        return answer

    async def _follow_up(self, after: Aftermath, fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        seconds = fault.seconds if fault else 0.0
        if kind is FaultKind.RECEIPTS_FIRST:
            await run_in_threadpool(self._clerk.see_to, after)
        elif kind is FaultKind.RECEIPTS_TWICE:
            self._clerk.add(after, (0.0, seconds))
        elif kind is FaultKind.RECEIPTS_LATE:
            self._clerk.add(replace(after, shuffled=True), (seconds,))
        else:
            self._clerk.add(after)


def _manners(channel: str, provider: Provider) -> Manners:
    return MANNERS[idempotency_of(CHANNELS[channel], provider)]


def _is_stale(provider: Provider, request: Request) -> bool:
    """Whether the call was written down too long ago; five minutes is `verify`'s own limit.

    A "never seen" is believed `visible_after` a call was made: nothing older than half of that is accepted any more.
    """
    if provider.visible_after is None:
        return False
    made_at = clock.from_milliseconds(int(request.headers["webhook-timestamp"]) * 1000)
    # The header counts whole seconds, and is up to one too old.
    return clock.machine_now() - made_at > provider.visible_after / 2 + timedelta(seconds=1)


async def misbehave(fault: Fault, request: Request) -> Response | None:
    """What is answered instead of going on; None when it goes on."""
    if fault.kind is FaultKind.SLOW:
        await asyncio.sleep(fault.seconds)
    if fault.kind is FaultKind.STATUS:
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return JSONResponse({"error": "as ordered"}, fault.status, headers=headers)
    if fault.kind is FaultKind.DROP_BEFORE:
        return broken_off()
    if fault.kind is FaultKind.HALF_OPEN and not fault.accepted:
        return await silence(request)
    return None


async def silence(request: Request) -> Response:
    """Keep the client waiting until it gives up."""
    waited = 0.0
    while waited < LONGEST_SILENCE and not await request.is_disconnected():
        await asyncio.sleep(0.1)
        waited += 0.1
    return broken_off()


def broken_off() -> Response:
    """An answer that announces more than it sends: the server then closes the connection in the middle of it."""

    async def first_byte() -> AsyncIterator[bytes]:
        yield b"{"

    return StreamingResponse(first_byte(), headers={"Content-Length": "100"}, media_type="application/json")
