"""A website for the tests: the product's static files, and whatever documents a test puts on it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[2] / "broadcaster"
SURFACES = PACKAGE / "web" / "static"
SANDBOX = PACKAGE / "sandbox" / "static"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the site answers on one path."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Site:
    """A running site: `put` documents and pages on it, and see in `asked` what was asked of it."""

    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, document: Mapping[str, Any], *, age: int = 0) -> None:
        """Serve `document` as JSON on `path`; `age` is the Age header (seconds) that a cache would add."""
        headers = {"Age": str(age)} if age else {}
        self.answers[path] = Answer(json.dumps(document).encode(), "application/json", headers=headers)

    def put_page(self, path: str, html: str, *, policy: str = "") -> None:
        """Serve a host page, under a Content-Security-Policy if one is given."""
        headers = {"Content-Security-Policy": policy} if policy else {}
        self.answers[path] = Answer(html.encode(), "text/html; charset=utf-8", headers=headers)

    def fail(self, path: str) -> None:
        """Answer 503 on `path` from now on."""
        self.answers[path] = Answer(b"", "text/plain", status=503)

    def times_asked(self, path: str) -> int:
        """How often `path` was asked for, whatever its query."""
        return sum(one.partition("?")[0] == path for one in self.asked)

    def answer(self, target: str) -> Answer:
        """The test's own answer on a path with or without its query, else a static file, else 404."""
        self.asked.append(target)
        path = target.partition("?")[0]
        found = self.answers.get(target) or self.answers.get(path)
        return found or _static(path)


def _static(path: str) -> Answer:
    pages = {"/": SANDBOX / "index.html", "/site": SANDBOX / "site.html", "/surfaces/kiosk": SURFACES / "kiosk.html"}
    pages["/partners"] = SANDBOX / "partners.html"
    folders = {"/surfaces/static/": SURFACES, "/surfaces/": SURFACES, "/static/": SANDBOX}
    inside = (to / path.removeprefix(at) for at, to in folders.items() if path.startswith(at))
    file = pages.get(path) or next(inside, None)
    if file is None or not file.is_file():
        return Answer(b"", "text/plain", status=404)
    return Answer(file.read_bytes(), TYPES[file.suffix] + "; charset=utf-8")


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a free port of 127.0.0.1."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(ConnectionError):  # a page that was left does not wait for its answers
                self.reply(site.answer(self.path))

        def reply(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
