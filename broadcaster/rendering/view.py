"""What a template sees: an announcement in one language, as plain words. `docs/templates.md` lists every name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcaster.announcement.facts import FactChange
from broadcaster.announcement.model import Announcement, ContactKind, Impact
from broadcaster.announcement.times import parse_instant
from broadcaster.rendering.wording import Wording, wording


@dataclass(frozen=True, slots=True)
class Occasion:
    """What only the moment of sending knows: when service really came back, and what changed since the last message."""

    finished_at: datetime | None = None
    changes: tuple[FactChange, ...] = ()


def view(announcement: Announcement, language: str, occasion: Occasion) -> dict[str, Any]:
    """The names a template may use, for one language."""
    words = wording(language)
    zone = announcement.zone_info
    window, resumes = announcement.window, announcement.resumes_at
    finished = (occasion.finished_at or resumes or window.start).astimezone(zone)
    phones = [contact.value for contact in announcement.contacts if contact.kind is ContactKind.PHONE]
    return {
        "slug": announcement.slug,
        "language": language,
        "severity": str(announcement.severity),
        "title": announcement.title[language],
        "subject": announcement.subject[language],
        "reason": announcement.reason[language],
        "owner": announcement.owner.name[language],
        "signature": announcement.owner.signature[language],
        "zone": _zone_name(announcement, language),
        "window": words.window(window.start, window.end, year=True),
        "window_short": words.window(window.start, window.end, year=False),
        "starts": words.instant(window.start, year=True),
        "starts_short": words.instant(window.start, year=False),
        "ends": words.end(window.end, year=True) if window.end else None,
        "ends_short": words.end(window.end, year=False) if window.end else None,
        "resumes": words.instant(resumes, year=True) if resumes else None,
        "resumes_short": words.instant(resumes, year=False) if resumes else None,
        "restored": words.instant(finished, year=True),
        "restored_short": words.instant(finished, year=False),
        "services": [_service(service, language) for service in announcement.services],
        "access_points": [point.name[language] for point in announcement.access_points],
        "access_points_by_kind": _by_kind(announcement, language),
        "impacts": [_impact(announcement, impact, language, words) for impact in announcement.impacts],
        "advice": [_advice(item, language, words) for item in announcement.advice],
        "contacts": [{"kind": c.kind, "value": c.value, "name": c.name[language]} for c in announcement.contacts],
        "hotline": phones[0] if phones else None,
        "links": [{"url": link.url, "name": link.name[language]} for link in announcement.links],
        "link": announcement.links[0].url if announcement.links else None,
        "changes": [_change(change, announcement, words) for change in occasion.changes if _is_told(change)],
    }


_TOLD_CHANGES = ("window.start", "window.end", "resume")


def _is_told(change: FactChange) -> bool:
    return change.path in _TOLD_CHANGES


def _change(change: FactChange, announcement: Announcement, words: Wording) -> Mapping[str, str | None]:
    """A changed time as `{what: start | end | resume, old, new}`, in words."""
    what = change.path.rpartition(".")[2]
    return {
        "what": what,
        "old": _told_time(what, change.old, announcement, words),
        "new": _told_time(what, change.new, announcement, words),
    }


def _told_time(what: str, value: str | None, announcement: Announcement, words: Wording) -> str | None:
    if value is None or value == "unknown":
        return None
    local = parse_instant(value, announcement.zone_info)
    return words.end(local, year=False) if what == "end" else words.instant(local, year=False)


def _zone_name(announcement: Announcement, language: str) -> str:
    if announcement.zone_name:
        return announcement.zone_name[language]
    offset = f"{announcement.window.start:%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}"


def _service(service: Any, language: str) -> dict[str, Any]:
    return {
        "name": service.name[language],
        "short_name": (service.short_name or service.name)[language],
        "items": [item[language] for item in service.items],
    }


def _by_kind(announcement: Announcement, language: str) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for point in announcement.access_points:
        grouped.setdefault(str(point.kind), []).append(point.name[language])
    return grouped


def _impact(announcement: Announcement, impact: Impact, language: str, words: Wording) -> dict[str, Any]:
    services = {service.id: service for service in announcement.services}
    points = {point.id: point for point in announcement.access_points}
    window, resume = announcement.window_of(impact), announcement.resume_of(impact)
    last = impact.last_acceptance or window.start
    return {
        "state": str(impact.state),
        "services": [services[name].name[language] for name in impact.services],
        "access_points": [points[name].name[language] for name in impact.access_points],
        "window": words.window(window.start, window.end, year=True),
        "last_acceptance": words.end(last, year=True),
        "resumes": words.instant(resume, year=True) if resume else None,
        "differs": impact.window is not None or impact.resume is not None,
    }


def _advice(item: Any, language: str, words: Wording) -> dict[str, Any]:
    return {
        "kind": str(item.kind),
        "text": item.text[language],
        "short_text": (item.short_text or item.text)[language],
        "deadline": words.end(item.deadline, year=False) if item.deadline else None,
    }
