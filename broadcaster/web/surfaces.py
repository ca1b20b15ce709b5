"""Surfaces over HTTP: documents that may be cached, and the scripts that show them."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from broadcaster import clock
from broadcaster.channels.base import Channel, ChannelKind
from broadcaster.surfaces.document import milliseconds
from broadcaster.surfaces.publishing import current_document
from broadcaster.web.screens import ScreenBook
from broadcaster.wiring import App

STATIC = Path(__file__).parent / "static"
KEPT_SECONDS = 0.5
"""A document is made at most this often, however many ask."""
CACHING = "public, max-age=30, stale-while-revalidate=86400, stale-if-error=604800"
_SCRIPTS = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class Served:
    """A document as bytes, with its number and the strong ETag of exactly these bytes."""

    body: bytes
    etag: str
    seq: int


class DocumentShelf:
    """The newest document of each surface, made again when it is older than `KEPT_SECONDS`."""

    def __init__(self, parts: App) -> None:
        self._parts = parts
        self._kept: dict[str, tuple[float, Served]] = {}
        self._lock = threading.Lock()

    def document(self, channel: Channel) -> Served:
        """The document of a surface, with the campaign time at which it was made."""
        with self._lock:
            kept = self._kept.get(channel.slug)
            if kept and time.monotonic() - kept[0] < KEPT_SECONDS:
                return kept[1]
            now = clock.now()
            with self._parts.database.begin() as connection:
                found = current_document(connection, channel, self._parts.templates, now)
            # The clock is part of the bytes: a cache that keeps an old body must not pass it off as fresh by a 304.
            body = json.dumps({**found, "clock": milliseconds(now)}, ensure_ascii=False).encode()
            served = Served(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', found["seq"])
            self._kept[channel.slug] = (time.monotonic(), served)
            return served


def surfaces_of(parts: App) -> dict[str, Channel]:
    """The surfaces that the site uses."""
    return {slug: row for slug, row in parts.channels.items() if row.kind is ChannelKind.SURFACE}


def screen_book(parts: App) -> ScreenBook:
    """The book of the screens that the site names."""
    names = {slug: [row.name for row in parts.site.providers(slug)] for slug in surfaces_of(parts)}
    return ScreenBook(parts.database, names)


def router(parts: App, book: ScreenBook) -> APIRouter:
    """The routes under /surfaces; what screens fetch is noted in the book."""
    routes = APIRouter(prefix="/surfaces")
    shelf = DocumentShelf(parts)
    surfaces = surfaces_of(parts)

    @routes.get("/{slug}.json")
    def get_document(slug: str, request: Request, screen: str = "") -> Response:
        """The surface document: `clock` is the server's campaign time in milliseconds. `screen` says who asks."""
        if slug not in surfaces:
            raise HTTPException(404, f"no surface is called {slug}")
        served = shelf.document(surfaces[slug])
        if screen:
            book.note(slug, screen, served.seq)
        headers = {
            "ETag": served.etag,
            "Cache-Control": CACHING,
            "Access-Control-Allow-Origin": "*",
            # A client adds the age of a cached answer to its clock.
            "Access-Control-Expose-Headers": "Age",
        }
        if request.headers.get("if-none-match") == served.etag:
            return Response(status_code=304, headers=headers)
        return Response(served.body, media_type="application/json", headers=headers)

    mount_static(routes)
    return routes


def mount_static(routes: APIRouter) -> None:
    """The scripts and pages that show a document."""

    @routes.get("/banner.js")
    def banner() -> FileResponse:
        """The embeddable banner."""
        headers = {"Cache-Control": _SCRIPTS, "Access-Control-Allow-Origin": "*"}
        return FileResponse(STATIC / "banner.js", media_type="text/javascript", headers=headers)

    @routes.get("/kiosk")
    def kiosk() -> FileResponse:
        """The full-screen page of a kiosk."""
        return FileResponse(STATIC / "kiosk.html", media_type="text/html", headers={"Cache-Control": _SCRIPTS})

    @routes.get("/static/{name}")
    def static(name: str) -> FileResponse:
        """A file of the pages above."""
        path = STATIC / name
        if path.parent != STATIC or not path.is_file():
            raise HTTPException(404, f"no file is called {name}")
        return FileResponse(path, headers={"Cache-Control": _SCRIPTS})
