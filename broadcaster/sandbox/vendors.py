"""The sandbox's stand-ins of suppliers with formats of their own: each on its real paths below its provider's address.

Around each of them stands the same door, where ordered faults happen.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broadcaster.channels.provider import Provider
from broadcaster.channels.simulation import Simulator
from broadcaster.channels.simulators import stand_in
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.desk import broken_off, misbehave, silence
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind
from broadcaster.sandbox.postman import Postman
from broadcaster.sandbox.stage import SandboxStage, in_hand


def mount_vendors(
    app: FastAPI,
    archive: Archive,
    faults: FaultBook,
    postman: Postman,
    providers: Mapping[str, Mapping[str, Provider]],
) -> None:
    """Mount the stand-in of every provider whose supplier has a format of its own at `/<channel>/<name>/`."""
    for channel, of_channel in providers.items():
        for name, provider in of_channel.items():
            if provider.supplier != WEBHOOK:
                stage = SandboxStage(channel, provider, archive, faults, postman)
                simulator = stand_in(channel, provider.supplier)(stage)
                app.mount(f"/{channel}/{name}", Door(channel, simulator, faults))


class Door:
    """Where requests to a stand-in come in, and faults happen before it sees them or after it has answered."""

    def __init__(self, channel: str, simulator: Simulator, faults: FaultBook) -> None:
        self._channel = channel
        self._simulator = simulator
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            await self._simulator.app(scope, receive, send)
            return
        request = Request(scope, receive)
        fault = self._fault(request)
        if fault is None:
            await self._simulator.app(scope, receive, send)
            return
        # The body is read here, and once more by the stand-in: requests keep it.
        body = await request.body()
        refused = await misbehave(fault, request)
        if refused is not None and not fault.accepted:
            await refused(scope, receive, send)
            return
        token = in_hand.set(fault)
        try:
            answered = await _answered(self._simulator.app, scope, body)
        finally:
            in_hand.reset(token)
        final = await _after(fault, request) or refused or answered
        await final(scope, receive, send)

    def _fault(self, request: Request) -> Fault | None:
        path = request.url.path.removeprefix(request.scope.get("root_path", "")) or "/"
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = self._simulator.target(request.method, path, dict(request.query_params), headers)
        return self._faults.next_for(self._channel, target) if target else None


async def _after(fault: Fault, request: Request) -> Response | None:
    """What the client gets instead of the answer to a call that was accepted; None: the answer."""
    if fault.kind is FaultKind.HALF_OPEN:
        return await silence(request)
    return broken_off() if fault.kind is FaultKind.DROP_AFTER else None


async def _answered(app: ASGIApp, scope: Scope, body: bytes) -> Response:
    """What the stand-in answers, kept from its client for the moment."""
    status, headers, content = 500, list[tuple[bytes, bytes]](), bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        else:
            content.extend(message.get("body", b""))

    await app(scope, receive, send)
    response = Response(bytes(content), status)
    response.raw_headers = headers
    return response
