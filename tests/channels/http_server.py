"""A real HTTP server on this machine for the tests of channels: it records what comes and answers as told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came; `connection` is the same for requests on one TCP connection."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """How to answer: a status with body and headers, or (`drop`) not at all, or only when the server is `released`."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    hang: bool = False


class LocalServer:
    """The server: its address, what it received, and how it answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[Received] = []
        self.answer: Answer | Callable[[Received], Answer] = Answer()
        self.released = threading.Event()

    def answer_to(self, request: Received) -> Answer:
        """Record a request and look up its answer."""
        self.received.append(request)
        return self.answer if isinstance(self.answer, Answer) else self.answer(request)


@contextmanager
def local_server() -> Iterator[LocalServer]:
    """A server on a free port of 127.0.0.1 until the block ends."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lambda: server))
    server = LocalServer(f"http://127.0.0.1:{httpd.server_address[1]}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def _handler(server: Callable[[], LocalServer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5  # an idle kept-alive connection must not hold up the end of a test

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = server().answer_to(Received(self.path, headers, body, self.client_address[1], self.command))
            if answer.hang:
                server().released.wait(10)
            if answer.drop or answer.hang:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"content-length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST  # noqa: N815 - the library's own name; a followed redirect would come as GET

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
