"""Replaying: telling an endpoint once more what it asks about, on an operator's request.

What is sent is what is true now, one event for each announcement of which it was to be told in the range, and not the
events of then: some of those say what is no longer true. It is a new event with a key of its own, because a receiver
drops what it knows, and says `replay`, because nothing new has happened. The ledger stays as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.model import Announcement
from broadcaster.channels.base import Call, Channel, Member, adapter_of
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.delivery.messages import Press
from broadcaster.errors import DeliveryError
from broadcaster.planning.moments import NEWS_IS_TRUE_FOR
from broadcaster.planning.phase import Phase
from broadcaster.storage import announcements, events, heard, holds, recipients
from broadcaster.storage.announcements import Standing
from broadcaster.storage.holds import Scope
from broadcaster.vault import Vault

_PHASES = {
    State.SCHEDULED: Phase.NOTICE,
    State.IN_PROGRESS: Phase.ONGOING,
    State.OVERRUN: Phase.OVERRUN,
    State.COMPLETED: Phase.RESTORED,
    State.CANCELLED: Phase.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Span:
    """A range of campaign time, the end not included."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """An event that was sent once more; `trouble` says why it was not accepted."""

    call: Call
    trouble: str = ""


def prepare(
    connection: Connection, vault: Vault, press: Press, channel: Channel, provider: Provider, span: Span
) -> list[Call]:
    """The events that tell what is true now of whatever the endpoint was to be told in the range."""
    handle = vault.handle(channel.pool, provider.name)
    id_ = recipients.id_of(connection, handle)
    if id_ is None:
        return []
    slugs = heard.of_whom(connection, handle, channel.slug, span.since, span.until)
    member = Member(id_, provider.name, provider.language)
    held = {hold.target for hold in holds.standing(connection) if hold.scope is not Scope.BROADCAST}
    rows = [announcements.find(connection, slug) for slug in slugs if not held & {slug, ""}]
    calls = (_call(connection, press, channel, member, row) for row in rows if row)
    return [call for call in calls if call and call.expires_at > call.prepared_at]


def send(calls: Sequence[Call], channel: Channel, provider: Provider, transport: Transport) -> Iterator[Replayed]:
    """Send the events, one after the other."""
    for call in calls:
        try:
            adapter_of(channel, provider).send(call, provider, transport)
        except DeliveryError as error:
            yield Replayed(call, error.message)
        else:
            yield Replayed(call)


def record(connection: Connection, provider: Provider, found: Sequence[Replayed], actor: str, now: datetime) -> None:
    """Put down what was sent once more, beside what else happened to each announcement."""
    for row in found:
        said = {"endpoint": provider.name, "phase": str(row.call.phase), "key": row.call.key, "trouble": row.trouble}
        events.record(connection, actor, "replay", row.call.announcement, now, said)


def _call(connection: Connection, press: Press, channel: Channel, member: Member, standing: Standing) -> Call | None:
    phase, revision, now = _PHASES.get(standing.state), standing.approved_revision, clock.now()
    if phase is None or revision is None:
        return None
    edition = press.edition(connection, standing.slug, revision, channel, phase)
    content = edition.proposal.announcement
    language, key = edition.language_for(member.language), uuid.uuid4().hex
    return Call(
        key=key,
        channel=channel.slug,
        broadcast=f"replay-{key}",
        announcement=standing.slug,
        revision=revision,
        phase=phase,
        severity=str(content.severity),
        link=content.links[0].url if content.links else None,
        prepared_at=now,
        expires_at=_expiry(content, phase, now),
        members=(member._replace(language=language),),
        messages={language: edition.messages[language]},
        document="",
        content=content,
        finished_at=edition.finished_at,
        replay=True,
    )


def _expiry(content: Announcement, phase: Phase, now: datetime) -> datetime:
    """When what a phase says stops being true, as the plan has it."""
    edge = {Phase.NOTICE: content.window.start, Phase.ONGOING: content.window.end}.get(phase)
    return edge or now + NEWS_IS_TRUE_FOR
