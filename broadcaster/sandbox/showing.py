"""The sandbox's pages: what the public sees at an instant of campaign time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from broadcaster import clock
from broadcaster.audience.pools import PHONES, Pool, pool_of, pools
from broadcaster.channels.registry import CHANNELS, REGISTERED
from broadcaster.channels.simulation import Exhibit
from broadcaster.channels.webhook.events import type_of
from broadcaster.planning.phase import Phase
from broadcaster.sandbox.archive import Archive, Moment
from broadcaster.sandbox.operators import DutyDesk, Heard
from broadcaster.sandbox.partners import PARTNERS
from broadcaster.surfaces.document import milliseconds

FOLLOWERS = next(pool for pool in pools().values() if pool.kind.of_one_account)
"""Those whom an account tells one by one."""
STATIC = Path(__file__).parent / "static"
ZONE = "Asia/Shanghai"
"""Until a document has been fetched that names the announcement's own."""


def router(archive: Archive, waiting: Callable[[], int], desk: DutyDesk) -> APIRouter:
    """The pages and what they ask; `waiting` counts the receipts that are still on their way."""
    routes = APIRouter()

    @routes.get("/api/totals")
    def totals() -> dict[str, int]:
        """Received, duplicates, repeats; and how many calls' receipts are still on their way."""
        return {**archive.totals(), "waiting": waiting()}

    @routes.get("/api/timeline")
    def timeline() -> dict[str, Any]:
        """Every broadcast received, and what operators were told, with campaign time now."""
        now = milliseconds(clock.now())
        zone = _zone(archive, now)
        moments = [_moment(moment, zone) for moment in archive.moments()]
        heard = [_heard(one, zone) for one in desk.heard()]
        return {"clock": now, "zone": zone, "moments": moments, "operators": heard, "totals": archive.totals()}

    @routes.get("/api/shown")
    def shown(at: int, language: str = "zh-Hans") -> dict[str, Any]:
        """What a person of that language, a follower, the accounts and the surfaces show at an instant."""
        past = [moment for moment in archive.moments() if moment.at <= at]
        return {
            "at": at,
            "phone": _read_by(past, PHONES, language),
            "follower": _read_by(past, FOLLOWERS, language),
            "wechat": {"accounts": _accounts(_of(past, "wechat"))},
            "banner": archive.document_at("banner", at),
            "kiosk": archive.document_at("kiosk", at),
        }

    @routes.get("/api/partners")
    def partners(at: int | None = None) -> dict[str, Any]:
        """What each partner's endpoint received by an instant, newest last; all of it without one."""
        moments = _of(archive.moments(), REGISTERED.slug)
        past = [moment for moment in moments if at is None or moment.at <= at]
        return {"partners": _partners(past, _zone(archive, milliseconds(clock.now())))}

    @routes.get("/api/document/{surface}")
    def document(surface: str, at: int) -> dict[str, Any]:
        """The surface document that endpoints had at an instant."""
        found = archive.document_at(surface, at)
        if found is None:
            raise HTTPException(404, "nothing was published by then")
        return found

    _mount_pages(routes)
    return routes


def _mount_pages(routes: APIRouter) -> None:
    @routes.get("/")
    def index() -> FileResponse:
        """The four devices."""
        return FileResponse(STATIC / "index.html", media_type="text/html")

    @routes.get("/partners")
    def partners() -> FileResponse:
        """Each partner's endpoint, and what it received."""
        return FileResponse(STATIC / "partners.html", media_type="text/html")

    @routes.get("/site")
    def site() -> FileResponse:
        """A site with the banner."""
        return FileResponse(STATIC / "site.html", media_type="text/html")

    @routes.get("/static/{name}")
    def static(name: str) -> FileResponse:
        """A file of the pages."""
        path = STATIC / name
        if path.parent != STATIC or not path.is_file():
            raise HTTPException(404, f"no file is called {name}")
        return FileResponse(path)


def _zone(archive: Archive, now: int) -> str:
    found = archive.document_at("banner", now) or archive.document_at("kiosk", now)
    shown = found["announcements"] if found else []
    return str(shown[0]["zone"]) if shown else ZONE


def _local(at: int, zone: str) -> str:
    return f"{clock.from_milliseconds(at).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _heard(heard: Heard, zone: str) -> dict[str, Any]:
    text = heard.data.get("question") or heard.data.get("text") or {}
    return {"at": heard.at, "local": _local(heard.at, zone), "type": heard.type, "to": heard.operator, "text": text}


def _moment(moment: Moment, zone: str) -> dict[str, Any]:
    return {
        "at": moment.at,
        "local": _local(moment.at, zone),
        "channel": moment.channel,
        "phase": moment.phase,
        "broadcast": moment.broadcast,
        "count": moment.count,
    }


def _of(moments: list[Moment], channel: str) -> list[Moment]:
    return [moment for moment in moments if moment.channel == channel]


def _partners(past: list[Moment], zone: str) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in PARTNERS}
    for moment in past:
        for name, exhibit in moment.accounts.items():
            event = {"at": moment.at, "local": _local(moment.at, zone), "type": type_of(Phase(moment.phase))}
            found.setdefault(name, []).append({**event, "language": exhibit.language, "text": exhibit.parts["text"]})
    return [{"name": name, "label": PARTNERS.get(name, name), "events": rows} for name, rows in found.items()]


def _read_by(past: list[Moment], pool: Pool, language: str) -> dict[str, Any]:
    """What one person of a pool has read by then, each message once."""
    texts = [(moment, exhibit) for moment in past if (exhibit := _sample(moment, pool, language))]
    whose = texts[-1][1].shown_to if texts else ""
    messages = [
        {"at": moment.at, "phase": moment.phase, "language": exhibit.language, "text": exhibit.parts["text"]}
        for moment, exhibit in texts
    ]
    return {pool.noun: pool.masked(whose) if whose else "", "messages": messages}


def _sample(moment: Moment, pool: Pool, language: str) -> Exhibit | None:
    """What a person of a pool reads of it; a supplier's format may not tell in which language."""
    channel = CHANNELS[moment.channel]
    if not channel.reaches_people or pool_of(channel) != pool:
        return None
    return moment.samples.get(language) or moment.samples.get("")


def _accounts(past: list[Moment]) -> list[dict[str, Any]]:
    """Each account's articles; `replaced` says of an earlier one what was done with it, and which is its successor."""
    accounts: dict[str, dict[str, dict[str, Any]]] = {}
    for moment in past:
        for name, exhibit in moment.accounts.items():
            known = accounts.setdefault(name, {})
            for fate in moment.replaced.get(name, ()):
                if fate.broadcast in known:
                    known[fate.broadcast]["replaced"] = {"action": str(fate.action), "by": moment.broadcast}
            known[moment.broadcast] = {
                "broadcast": moment.broadcast,
                "at": moment.at,
                "phase": moment.phase,
                "replaced": None,
                **exhibit.parts,
            }
    return [{"name": name, "articles": list(articles.values())} for name, articles in accounts.items()]
