"""The data of an outage's event, made of a call: what an endpoint's system can act on without reading the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson

from broadcaster.announcement.model import Announcement, ImpactState
from broadcaster.channels.base import Call
from broadcaster.channels.provider import Provider
from broadcaster.channels.webhook.events import (
    Addressee,
    Change,
    ImpactRow,
    Named,
    OutageData,
    Place,
    Span,
)

MAX_BYTES = 19_500
"""Of the 20 kB that the scheme asks for, without the envelope."""
_LEFT_OUT_FIRST = ("access_points", "impacts", "services", "changes")
"""What an event does without when it would be too large: the text and the times say what matters."""


def payload(call: Call, provider: Provider) -> dict[str, Any]:
    """The data of a call's event, as JSON has it."""
    return _fitted(_data(call, provider))


def _data(call: Call, provider: Provider) -> OutageData:
    member, content = call.members[0], call.content
    if content is None:
        raise ValueError("a call to an endpoint carries its announcement")
    named = _named(content)
    return OutageData(
        broadcast=call.broadcast,
        announcement=call.announcement,
        revision=call.revision,
        phase=call.phase,
        severity=content.severity,
        title=content.title[member.language],
        owner=content.owner.name[member.language],
        zone=content.zone,
        window=Span(start=content.window.start, end=content.window.end),
        resume=content.resumes_at,
        restored_at=_local(call.finished_at, content),
        services=tuple(Named(id=row.id, name=row.name[member.language]) for row in content.services if row.id in named),
        access_points=tuple(
            Place(id=row.id, name=row.name[member.language], kind=row.kind)
            for row in content.access_points
            if row.id in named
        ),
        impacts=tuple(_impacts(content)),
        changes=tuple(Change(fact=row.path, old=row.old, new=row.new) for row in call.changes),
        language=member.language,
        texts={language: message.parts["text"] for language, message in call.messages.items()},
        link=call.link,
        expires_at=call.expires_at,
        replay=call.replay,
        to=(Addressee(id=str(member.id), endpoint=provider.name, language=member.language),),
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
            state=ImpactState(row.state),
            window=Span(start=window.start, end=window.end),
            last_acceptance=row.last_acceptance or window.start,
            resume=content.resume_of(row),
        )


def _local(instant: datetime | None, content: Announcement) -> datetime | None:
    return instant.astimezone(content.zone_info) if instant else None


def _fitted(data: OutageData) -> dict[str, Any]:
    """The data, without what does not fit into an event."""
    found = data.model_dump(mode="json")
    for name in _leave_out(found):
        found |= {name: [], "complete": False}
    return found


def _leave_out(found: dict[str, Any]) -> Iterable[str]:
    for name in _LEFT_OUT_FIRST:
        if len(orjson.dumps(found)) <= MAX_BYTES:
            return
        yield name
