"""The data of an outage's event, made of a call: what an endpoint's system can act on without reading the text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Literal

import orjson

from broadcaster.announcement.model import Announcement
from broadcaster.channels.base import Call
from broadcaster.channels.provider import Provider
from broadcaster.channels.webhook.events import (
    Addressee,
    Change,
    ImpactRow,
    Named,
    OutageData,
    OutagePlan,
    Place,
    Span,
)

MAX_BYTES = 19_500
"""Of the 20 kB that the scheme asks for, without the envelope."""
_LEFT_OUT_FIRST: tuple[Literal["access_points", "impacts", "services", "changes"], ...] = (
    "access_points",
    "impacts",
    "services",
    "changes",
)
"""What an event does without when it would be too large: the text and the times say what matters."""


def payload(call: Call, provider: Provider) -> orjson.Fragment:
    """The data of a call's event, written as JSON, without what does not fit into one."""
    data = _data(call, provider)
    written = _written(data)
    for name in _LEFT_OUT_FIRST:
        if len(written) <= MAX_BYTES:
            break
        data[name], data["complete"] = (), False
        written = _written(data)
    return orjson.Fragment(written)


def _written(data: OutageData) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)


def _data(call: Call, provider: Provider) -> OutageData:
    member, content = call.members[0], call.content
    if content is None:
        raise ValueError("a call to an endpoint carries its announcement")
    return {
        **_plan(_Same(content), member.language),
        "broadcast": call.broadcast,
        "announcement": call.announcement,
        "revision": call.revision,
        "phase": call.phase,
        "restored_at": _local(call.finished_at, content),
        "complete": True,
        "changes": tuple(Change(fact=row.path, old=row.old, new=row.new) for row in call.changes),
        "texts": {language: message.parts["text"] for language, message in call.messages.items()},
        "link": call.link,
        "expires_at": call.expires_at,
        "replay": call.replay,
        "to": (Addressee(id=str(member.id), endpoint=provider.name, language=member.language),),
    }


class _Same:
    """An announcement that equals only itself: to compare two of them takes longer than to describe one."""

    __slots__ = ("content",)

    def __init__(self, content: Announcement) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.content is other.content

    def __hash__(self) -> int:
        return id(self.content)


@lru_cache(maxsize=16)
def _plan(announcement: _Same, language: str) -> OutagePlan:
    """What the endpoints of a broadcast are all told; found once for each of its batches."""
    content = announcement.content
    named = _named(content)
    return OutagePlan(
        severity=content.severity,
        title=content.title[language],
        owner=content.owner.name[language],
        zone=content.zone,
        window=Span(start=content.window.start, end=content.window.end),
        resume=content.resumes_at,
        services=tuple(Named(id=row.id, name=row.name[language]) for row in content.services if row.id in named),
        access_points=tuple(
            Place(id=row.id, name=row.name[language], kind=row.kind) for row in content.access_points if row.id in named
        ),
        impacts=tuple(_impacts(content)),
        language=language,
    )


def _named(content: Announcement) -> frozenset[str]:
    """The ids of services and access points that some impact names."""
    return frozenset(id_ for row in content.impacts for id_ in (*row.services, *row.access_points))


def _impacts(content: Announcement) -> Iterator[ImpactRow]:
    """Every row, those that say that something stays open too: a partner must not close it."""
    for row in content.impacts:
        window = content.window_of(row)
        yield ImpactRow(
            id=row.id,
            services=row.services,
            access_points=row.access_points,
            state=row.state,
            window=Span(start=window.start, end=window.end),
            last_acceptance=row.last_acceptance or window.start,
            resume=content.resume_of(row),
        )


def _local(instant: datetime | None, content: Announcement) -> datetime | None:
    return instant.astimezone(content.zone_info) if instant else None
