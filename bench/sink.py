"""The sink: a provider that takes every call and does next to nothing with it. `python -m bench.sink --port N`.

It is part of the load, so it is lean: one process, one thread for calls, HTTP/1.1 with kept connections, no parsing of
what it is sent. A recipient is an occurrence of `"phone"` in a body. It answers 200 and `{}`, and says what it counted:

    GET /healthz    200 as soon as it listens
    GET /tally      {"calls", "recipients", "receipts"}
    GET /arrivals   {"arrivals": [seconds of a monotonic clock, one a call]}
    GET /revisions  {revision: [calls, when the last one came by the same clock]}
    GET /forget     counts from nought again

With `--callback URL` it also posts a signed receipt for every recipient, in bulk, from a second thread.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import time
from array import array
from dataclasses import dataclass, field

from bench.receipt_sender import ReceiptSender

HOST = "127.0.0.1"
SECRET_VARIABLE = "BENCH_SECRET"  # noqa: S105 - the name of a variable
"""Holds the secret that calls and receipts are signed with."""

_MARK = b'"phone"'
_REVISION = re.compile(rb'"revision":\s?(\d+)')
_AHEAD = 400
"""Bytes of a body within which its revision stands."""
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(slots=True)
class Tally:
    """What came in."""

    calls: int = 0
    recipients: int = 0
    arrivals: array[float] = field(default_factory=lambda: array("d"))
    revisions: dict[int, list[float]] = field(default_factory=dict)
    sender: ReceiptSender | None = None

    def add(self, body: bytes) -> None:
        """Count a call."""
        self.calls += 1
        self.recipients += body.count(_MARK)
        now = time.monotonic()
        self.arrivals.append(now)
        if found := _REVISION.search(body, 0, _AHEAD):
            of_revision = self.revisions.setdefault(int(found[1]), [0, now])
            of_revision[0] += 1
            of_revision[1] = now
        if self.sender:
            self.sender.add(body)

    def answer(self, path: bytes) -> bytes:
        """What a question about the counts is answered with."""
        if path == b"/tally":
            sent = self.sender.sent if self.sender else 0
            return json.dumps({"calls": self.calls, "recipients": self.recipients, "receipts": sent}).encode()
        if path == b"/arrivals":
            return json.dumps({"arrivals": list(self.arrivals)}).encode()
        if path == b"/revisions":
            return json.dumps(self.revisions).encode()
        if path == b"/forget":
            self.revisions.clear()
            self.calls = self.recipients = 0
            del self.arrivals[:]
        return b"{}"


class Receiver(asyncio.Protocol):
    """One kept connection. Requests come whole or in pieces, one after the other."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._pieces: list[bytes] = []
        self._held = 0
        self._needed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect pieces until a request is whole."""
        self._pieces.append(data)
        self._held += len(data)
        if self._held >= self._needed:
            rest = self._take(b"".join(self._pieces))
            self._pieces, self._held = [rest] if rest else [], len(rest)

    def _take(self, data: bytes) -> bytes:
        """Answer every whole request in `data`; gives what is left, with `_needed` set to what is wanted at least."""
        while data:
            end = data.find(_END_OF_HEAD)
            if end < 0:
                self._needed = len(data) + 1
                return data
            start = end + len(_END_OF_HEAD)
            self._needed = start + _body_length(data[:end])
            if len(data) < self._needed:
                return data
            self._handle(data[:end], data[start : self._needed])
            data = data[self._needed :]
        self._needed = 0
        return data

    def _handle(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST"):
            self._tally.add(body)
            said = b"{}"
        else:
            said = self._tally.answer(head.split(b" ", 2)[1])
        length = str(len(said)).encode()
        answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + length + _END_OF_HEAD + said
        assert isinstance(self._transport, asyncio.WriteTransport)  # noqa: S101 - what a server's protocol is given
        self._transport.write(answer)


def _body_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(_LENGTH)
    return int(lowered[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def serve(port: int, tally: Tally) -> None:
    """Take calls until the process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Receiver(tally), HOST, port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Run a sink."""
    parser = argparse.ArgumentParser(prog="bench.sink")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--callback", default="", help="where signed receipts go")
    wanted = parser.parse_args()
    tally = Tally()
    if wanted.callback:
        tally.sender = ReceiptSender(wanted.callback, os.environ[SECRET_VARIABLE])
        tally.sender.start()
    asyncio.run(serve(wanted.port, tally))


if __name__ == "__main__":
    main()
