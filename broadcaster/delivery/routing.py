"""Routing: from the recipients of a batch to the calls that reach them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from broadcaster import clock
from broadcaster.channels.base import Call, Channel, Delivery, Member, Outcome, RecipientKind
from broadcaster.channels.provider import Provider
from broadcaster.delivery.messages import Edition
from broadcaster.planning.phase import Phase
from broadcaster.storage.recipients import Recipient


@dataclass(frozen=True, slots=True)
class Run:
    """A claimed batch with all that stays the same while it is carried: providers are the channel's, by name."""

    batch: Row[Any]
    channel: Channel
    edition: Edition
    providers: Mapping[str, Provider]
    document: str
    """Where the channel's surface document is served."""


@dataclass(frozen=True, slots=True)
class Step:
    """A call to make. `written` when it is durable already; `doubt` when an earlier attempt may have been seen."""

    call: Call
    provider: Provider
    written: bool = False
    doubt: bool = False


def route(run: Run, rows: Sequence[Recipient]) -> tuple[list[Step], list[Delivery]]:
    """The calls for these recipients, and those who are skipped because nobody can reach them."""
    gone = [Delivery(row.id, Outcome.SKIPPED, "no longer listed") for row in rows if not row.listed]
    members = [member_of(run.edition, row) for row in rows if row.listed]
    reachable = [member for member in members if _provider_of(run, member)]
    lost = [
        Delivery(member.id, Outcome.SKIPPED, "no provider is configured for it")
        for member in members
        if not _provider_of(run, member)
    ]
    return list(_steps(run, reachable)), [*gone, *lost]


def repeat(run: Run, edition: Edition, row: Row[Any], members: Sequence[Recipient]) -> Step:
    """The call of an earlier claim once more: the same key, members, words and time, so that it is the same request."""
    call = _call(
        run, edition, row.revision, [member_of(edition, found) for found in members], (row.key, row.prepared_at)
    )
    return Step(call, run.providers[row.provider], written=True, doubt=row.in_doubt)


def member_of(edition: Edition, row: Recipient) -> Member:
    """A recipient as a member of a call, in a language that the announcement has."""
    return Member(row.id, row.address, edition.language_for(row.language))


def _provider_of(run: Run, member: Member) -> Provider | None:
    """People go through the channel's first provider; an account or endpoint is its own."""
    if run.channel.reaches is RecipientKind.PERSON:
        return next(iter(run.providers.values()), None)
    return run.providers.get(member.address)


def _steps(run: Run, members: Sequence[Member]) -> Iterator[Step]:
    by_provider: dict[str, list[Member]] = {}
    for member in members:
        provider = _provider_of(run, member)
        if provider:
            by_provider.setdefault(provider.name, []).append(member)
    size = run.channel.adapter.members_per_call
    for name, of_provider in by_provider.items():
        for start in range(0, len(of_provider), size):
            some = of_provider[start : start + size]
            call = _call(run, run.edition, run.batch.revision, some, (uuid.uuid4().hex, clock.now()))
            yield Step(call, run.providers[name])


def _call(run: Run, edition: Edition, revision: int, members: Sequence[Member], mark: tuple[str, datetime]) -> Call:
    """`mark` is the call's key and when it was first prepared."""
    announcement = edition.proposal.announcement
    languages = {member.language for member in members}
    return Call(
        key=mark[0],
        channel=run.channel.slug,
        broadcast=run.batch.broadcast_id,
        announcement=run.batch.slug,
        revision=revision,
        phase=Phase(run.batch.phase),
        severity=str(announcement.severity),
        link=announcement.links[0].url if announcement.links else None,
        prepared_at=mark[1],
        expires_at=run.batch.expires_at,
        members=tuple(members),
        messages={name: text for name, text in edition.messages.items() if name in languages},
        document=run.document,
    )
