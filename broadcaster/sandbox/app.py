"""The sandbox: a local stand-in for every outside endpoint, which shows what the public would have received.

It checks signatures, dedupes or answers questions as the provider it stands in for, takes fault orders, sends receipts
back, and keeps what it received until it ends. It listens on this machine only and needs no database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse

from broadcaster import logs, wiring
from broadcaster import settings as settings_module
from broadcaster.channels.base import ChannelKind
from broadcaster.channels.registry import CHANNELS, REGISTERED
from broadcaster.sandbox import showing
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.desk import Desk
from broadcaster.sandbox.faults import Fault, FaultBook
from broadcaster.sandbox.onlookers import Onlookers
from broadcaster.sandbox.operators import DutyDesk
from broadcaster.sandbox.partners import stand_ins
from broadcaster.sandbox.postman import Postman
from broadcaster.sandbox.receipts import Clerk
from broadcaster.sandbox.vendors import mount_vendors
from broadcaster.site import resolve, resolve_operator
from broadcaster.web.surfaces import mount_static


def create(*, looking: bool = True) -> FastAPI:
    """The application for `uvicorn --factory broadcaster.sandbox.app:create`.

    Its screens look at their documents by themselves if `looking`, else only when they are told of a new one.
    """
    settings = settings_module.load()
    logs.configure(settings.log_level)
    site = wiring.open_site(settings)
    folder = settings.site_file.parent
    providers = {
        slug: {row.name: resolve(row, folder, channel, site.public_url) for row in site.providers(slug)}
        for slug, channel in CHANNELS.items()
    }
    providers[REGISTERED.slug] = dict(stand_ins(folder))
    operators = {row.name: resolve_operator(row, folder) for row in site.operators}
    archive, faults, postman = Archive(), FaultBook(), Postman()
    clerk = Clerk(archive, site.public_url)
    clerk.start()
    postman.start()
    if looking:
        screens = [slug for slug, channel in CHANNELS.items() if channel.kind is ChannelKind.SURFACE]
        Onlookers(archive, site.public_url, {slug: list(providers[slug]) for slug in screens}).start()
    app = FastAPI(title="broadcaster sandbox", docs_url=None, redoc_url=None)
    app.include_router(_orders(archive, faults))
    desk = DutyDesk(faults, operators)
    app.include_router(showing.router(archive, lambda: clerk.waiting + postman.waiting, desk))
    app.include_router(desk.router())
    surfaces = APIRouter(prefix="/surfaces")
    mount_static(surfaces)
    app.include_router(surfaces)
    mount_vendors(app, archive, faults, postman, providers)
    # Last: a provider's address has two parts, like some of those above.
    app.include_router(Desk(archive, faults, clerk, providers).router())
    return app


def _orders(archive: Archive, faults: FaultBook) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    def health() -> dict[str, str]:
        """That it answers."""
        return {"status": "ok"}

    @routes.post("/faults")
    def order(fault: Fault) -> dict[str, str]:
        """Order a fault."""
        faults.order(fault)
        return {"status": "ordered"}

    @routes.get("/faults")
    def done() -> dict[str, int]:
        """How many faults of each kind there were."""
        return faults.done()

    @routes.delete("/faults")
    def cancel() -> dict[str, str]:
        """Cancel every order."""
        faults.cancel()
        return {"status": "cancelled"}

    @routes.get("/ledger")
    def ledger() -> StreamingResponse:
        """A JSON line a broadcast: its id, and how often each recipient id was shown something."""
        return StreamingResponse(_ledger_lines(archive), media_type="application/x-ndjson")

    return routes


def _ledger_lines(archive: Archive) -> Iterator[str]:
    for broadcast, counts in archive.shown():
        yield json.dumps({"broadcast": broadcast, "shown": counts}) + "\n"
