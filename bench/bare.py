"""The bare HTTP loop: what is left of an adapter when its requests are there already, and nobody reads the answers.

An adapter writes and signs its requests to a transport that only keeps them; they are then sent one after the other on
one kept connection. A supplier whose requests follow from each other's answers has a loop of its own, written by hand.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from broadcaster.channels.base import Call, Channel, adapter_of
from broadcaster.channels.official import wire
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Answer, Check, Request, Transport
from broadcaster.errors import StateError

_LOST = Answer(200, b"{}", None)


class Keeping(Transport):
    """A transport that keeps requests instead of sending them, but those for an access token."""

    def __init__(self) -> None:
        super().__init__(allow_private=True)
        self.kept: list[Request] = []

    def exchange(self, provider: Provider, request: Request) -> Answer:
        """Keep it; the answer is none that an adapter knows."""
        if wire.STABLE_TOKEN in request.url:
            return super().exchange(provider, request)
        self.kept.append(request)
        return _LOST

    def post_event(
        self,
        provider: Provider,
        key: str,
        kind: str,
        at: Any,
        data: Mapping[str, Any] | orjson.Fragment,
        check: Check | None = None,
    ) -> bytes:
        """Keep what our own format would be."""
        headers, body = self.signed_event(provider, key, kind, at, data)
        self.kept.append(Request("POST", provider.url, headers, body))
        return b"{}"


def requests_of(channel: Channel, provider: Provider, calls: Iterable[Call]) -> Sequence[Request]:
    """The request of each call, never sent."""
    transport, adapter = Keeping(), adapter_of(channel, provider)
    for call in calls:
        try:
            adapter.send(call, provider, transport)
        except Exception:  # noqa: S112 - an answer that says nothing is ambiguous; the request is what is wanted
            continue
    return transport.kept


def send_all(requests: Sequence[Request]) -> float:
    """Send them one after the other; gives the seconds. Raises StateError when one is refused."""
    connection = _connection(requests[0].url)
    started = time.monotonic()
    for request in requests:
        _read(connection, request.method, _target(request), request.body, request.headers)
    return time.monotonic() - started


def publish_all(url: str, token: str, drafts: Sequence[bytes]) -> float:
    """The loop of an official account: a draft, and its publication by the number that it was given."""
    base, connection = urlsplit(url).path.rstrip("/"), _connection(url)

    def post(path: str, body: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(_read(connection, "POST", f"{base}{path}?access_token={token}", body, {}))
        if answer.get("errcode"):
            raise StateError(f"the stand-in answered {answer['errcode']}")
        return answer

    started = time.monotonic()
    for draft in drafts:
        media = post("/cgi-bin/draft/add", draft)["media_id"]
        post("/cgi-bin/freepublish/submit", json.dumps({"media_id": media}).encode())
    return time.monotonic() - started


def _connection(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=30)


def _target(request: Request) -> str:
    parts = urlsplit(request.url)
    query = "&".join(text for text in (parts.query, urlencode(dict(request.query))) if text)
    return f"{parts.path or '/'}?{query}" if query else parts.path or "/"


def _read(connection: HTTPConnection, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    connection.request(method, target, body or None, dict(headers))
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise StateError(f"the stand-in answered {answer.status}")
    return content
