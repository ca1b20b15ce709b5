"""What a template sees: an announcement in one language, as plain words. `docs/templates.md` lists every name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcaster.announcement.facts import FactChange
from broadcaster.announcement.instants import instants
from broadcaster.announcement.model import AccessPoint, Announcement, ContactKind, Impact, ImpactState, Service
from broadcaster.rendering.changed import Told
from broadcaster.rendering.wording import Wording, wording


@dataclass(frozen=True, slots=True)
class Occasion:
    """What only the moment of sending knows: when service really came back, what changed since the last message, and
    whom it is for (None: nobody in particular)."""

    finished_at: datetime | None = None
    changes: tuple[FactChange, ...] = ()
    addressee: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceWords:
    """A service in one language. No dict: there `service.items` would be the dict's own method."""

    name: str
    short_name: str
    items: list[str]
    state: str


def view(announcement: Announcement, language: str, occasion: Occasion) -> dict[str, Any]:
    """The names a template may use, for one language."""
    words = wording(language)
    zone = announcement.zone_info
    window, resumes = announcement.window, announcement.resumes_at
    finished = (occasion.finished_at or resumes or window.start).astimezone(zone)
    affected, still_open = _points_by_effect(announcement)
    phones = [contact.value for contact in announcement.contacts if contact.kind is ContactKind.PHONE]
    return {
        "slug": announcement.slug,
        "language": language,
        "addressee": words.addressee if occasion.addressee is None else occasion.addressee,
        "severity": str(announcement.severity),
        "title": announcement.title[language],
        "subject": announcement.subject[language],
        "reason": announcement.reason[language],
        "owner": announcement.owner.name[language],
        "signature": announcement.owner.signature[language],
        "zone": zone_name(announcement, language),
        "window": words.window(window.start, window.end, year=True),
        "window_short": words.window(window.start, window.end, year=False),
        "starts": words.instant(window.start, year=True),
        "starts_short": words.instant(window.start, year=False),
        "starts_clock": words.clock(window.start),
        "ends": words.end(window.end, year=True) if window.end else None,
        "ends_short": words.end(window.end, year=False) if window.end else None,
        "resumes": words.instant(resumes, year=True) if resumes else None,
        "resumes_short": words.instant(resumes, year=False) if resumes else None,
        "resumes_clock": words.clock(resumes) if resumes else None,
        "resumes_later": resumes is not None and resumes != window.end,
        "restored": words.instant(finished, year=True),
        "restored_short": words.instant(finished, year=False),
        "restored_clock": words.clock(finished),
        "services": _services(announcement, language),
        "access_points": [point.name[language] for point in affected],
        "access_points_by_kind": _by_kind(affected, language),
        "open_access_points": [point.name[language] for point in still_open],
        "impacts": [_impact(announcement, impact, language, words) for impact in announcement.impacts],
        "advice": [_advice(item, language, words) for item in announcement.advice],
        "contacts": [{"kind": c.kind, "value": c.value, "name": c.name[language]} for c in announcement.contacts],
        "hotline": phones[0] if phones else None,
        "links": [{"url": link.url, "name": link.name[language]} for link in announcement.links],
        "link": announcement.links[0].url if announcement.links else None,
        "changes": Told(announcement, language, words).of(occasion.changes),
    }


def zone_name(announcement: Announcement, language: str) -> str:
    """What people call the zone; else its offset, or its IANA name when a clock change makes two of that."""
    if announcement.zone_name:
        return announcement.zone_name[language]
    offsets = {f"{held.instant:%z}" for held in instants(announcement)}
    if len(offsets) > 1:
        return announcement.zone
    (offset,) = offsets
    return f"UTC{offset[:3]}:{offset[3:5]}"


def _services(announcement: Announcement, language: str) -> list[ServiceWords]:
    """The services that some impact touches; what goes on as usual must not be told as stopped."""
    states = {service.id: _state_of(service, announcement) for service in announcement.services}
    return [
        _service(service, states[service.id], language)
        for service in announcement.services
        if states[service.id] is not ImpactState.UNAFFECTED
    ]


def _state_of(service: Service, announcement: Announcement) -> ImpactState:
    """The state that all its impact rows agree on; `partial` when they differ, as it still works somewhere."""
    states = {impact.state for impact in announcement.impacts if service.id in impact.services}
    if not states:
        return ImpactState.UNAFFECTED
    return states.pop() if len(states) == 1 else ImpactState.PARTIAL


def _service(service: Service, state: ImpactState, language: str) -> ServiceWords:
    return ServiceWords(
        name=service.name[language],
        short_name=(service.short_name or service.name)[language],
        items=[item[language] for item in service.items],
        state=str(state),
    )


def _points_by_effect(announcement: Announcement) -> tuple[list[AccessPoint], list[AccessPoint]]:
    """Access points at which something stops, and those named only to say that they stay open."""
    named = {name for impact in announcement.impacts for name in impact.access_points}
    stopped = {
        name
        for impact in announcement.impacts
        if impact.state is not ImpactState.UNAFFECTED
        for name in impact.access_points
    }
    points = announcement.access_points
    return [point for point in points if point.id in stopped], [p for p in points if p.id in named - stopped]


def _by_kind(points: list[AccessPoint], language: str) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for point in points:
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
        "differs": any((impact.window, impact.resume, impact.last_acceptance)),
    }


def _advice(item: Any, language: str, words: Wording) -> dict[str, Any]:
    return {
        "kind": str(item.kind),
        "text": item.text[language],
        "short_text": (item.short_text or item.text)[language],
        "deadline": words.end(item.deadline, year=False) if item.deadline else None,
    }
