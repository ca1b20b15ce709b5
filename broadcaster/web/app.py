"""The public web application: surfaces and providers' callbacks. Nothing else changes state over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from broadcaster import logs, wiring
from broadcaster import settings as settings_module
from broadcaster.errors import BroadcasterError
from broadcaster.web import callbacks, metrics, surfaces

STATIC = Path(__file__).parent / "static"


def create() -> FastAPI:
    """The application for `uvicorn --factory broadcaster.web.app:create`."""
    settings = settings_module.load()
    logs.configure(settings.log_level)
    parts = wiring.open_app(settings)
    book = surfaces.screen_book(parts)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        book.start()
        yield
        book.close()
        parts.database.close()

    app = FastAPI(title="broadcaster", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.include_router(surfaces.router(parts, book))
    app.include_router(callbacks.router(parts))
    app.include_router(metrics.router(parts))

    @app.get("/healthz")
    def health() -> JSONResponse:
        """Whether the database answers."""
        try:
            with parts.database.begin():
                return JSONResponse({"status": "ok"})
        except BroadcasterError as error:
            return JSONResponse({"status": "unreachable", "detail": error.message}, status_code=503)

    @app.get("/", response_class=HTMLResponse)
    def index() -> str:
        """What is to be seen here."""
        return (STATIC / "index.html").read_text(encoding="utf-8")

    return app
