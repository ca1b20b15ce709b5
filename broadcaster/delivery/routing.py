"""Routing: from the recipients of a batch to the calls that reach them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice, takewhile
from typing import Any

from sqlalchemy import Row

from broadcaster import clock
from broadcaster.channels.base import Call, Delivery, Member, Outcome, RecipientKind, adapter_of
from broadcaster.channels.provider import Provider
from broadcaster.delivery import posts
from broadcaster.delivery.messages import Edition
from broadcaster.delivery.run import Run, Step
from broadcaster.planning.angle import WHOLE, Angle
from broadcaster.planning.broadcast import Among
from broadcaster.planning.phase import Phase
from broadcaster.storage.recipients import Sealed
from broadcaster.storage.strides import read_angle
from broadcaster.vault import UnopenedError, Vault

NO_PROVIDER = "no provider is configured for it"
NOT_WANTED = "it takes no events of this type"


def opened(vault: Vault, edition: Edition, rows: Sequence[Sealed]) -> tuple[list[Member], list[Delivery]]:
    """Recipients as members of calls; and those who must not, or cannot, be written to, as outcomes."""
    members: list[Member] = []
    left_out: list[Delivery] = []
    open_, language_for = vault.open, edition.language_for
    for id_, handle, sealed, language, suppressed, *_ in rows:
        if suppressed is not None:
            left_out.append(Delivery(id_, Outcome.SKIPPED, suppressed))
            continue
        try:
            address, name = open_(handle, sealed)
        except UnopenedError as error:
            left_out.append(Delivery(id_, Outcome.REJECTED, error.message))
            continue
        members.append(Member(id_, address, language_for(language), name))
    return members, left_out


def route(
    run: Run, members: Sequence[Member], away: Collection[str] = (), angle: Angle = WHOLE
) -> tuple[list[Step], list[Delivery]]:
    """The calls for these members through providers that are not `away`, and those whom no provider reaches.

    All of these members are told from the same angle."""
    if run.channel.reaches is RecipientKind.PERSON:
        return _by_weight(run, members, away, angle)
    steps: list[Step] = []
    lost: list[Delivery] = []
    by_address: dict[str, list[Member]] = {}
    for member in members:
        by_address.setdefault(member.address, []).append(member)
    for address, of_address in by_address.items():
        provider = run.providers.get(address)
        if provider is None:
            reason = run.absent.get(address, NO_PROVIDER)
            lost += [Delivery(member.id, Outcome.SKIPPED, reason) for member in of_address]
            continue
        wanted = [member for member in of_address if _wants(run, provider, member)]
        lost += [Delivery(member.id, Outcome.SKIPPED, NOT_WANTED) for member in of_address if member not in wanted]
        steps += [_step(run, provider, some, angle) for some in _parts(wanted, size_of(run, provider))]
    # One that hangs keeps only others like it waiting.
    return sorted(steps, key=lambda step: step.provider.falters), lost


def repeat(run: Run, edition: Edition, row: Row[Any], members: Sequence[Member]) -> Step:
    """The call of an earlier claim once more: the same key, members, words and time, so that it is the same request."""
    call = _call(run, edition, row.revision, members, (row.key, row.prepared_at), angle_of(row))
    return Step(call, run.providers[row.provider], doubt=True)


def with_members(run: Run, step: Step, members: Sequence[Member], key: str | None = None) -> Step:
    """A call through the step's provider instead of one that nobody has seen; of its own unless it takes the `key`."""
    mark = (key or uuid.uuid4().hex, clock.now())
    call = _call(run, run.edition_for(step.angle), run.batch.revision, members, mark, step.angle)
    return Step(call, step.provider)


def angle_of(row: Row[Any]) -> Angle:
    """From which side a call that was written down tells its members."""
    return read_angle(row.angle)


def halves(run: Run, step: Step) -> list[Step]:
    """A call that nobody has seen as two, each of its own."""
    members = step.call.members
    middle = len(members) // 2
    return [with_members(run, step, some) for some in (members[:middle], members[middle:])]


def others(run: Run, away: Collection[str]) -> list[Provider]:
    """The providers through which people can still be reached."""
    if run.channel.reaches is not RecipientKind.PERSON:
        return []
    return [provider for name, provider in run.providers.items() if name not in away]


def size_of(run: Run, provider: Provider) -> int:
    """The most members of a call."""
    return provider.members_per_call or adapter_of(run.channel, provider).members_per_call


def _by_weight(
    run: Run, members: Sequence[Member], away: Collection[str], angle: Angle
) -> tuple[list[Step], list[Delivery]]:
    """People go through any provider of the channel, each call through one that is drawn by weight."""
    choice = others(run, away) or list(run.providers.values())
    if not choice:
        return [], [Delivery(member.id, Outcome.SKIPPED, NO_PROVIDER) for member in members]
    weights = [provider.weight for provider in choice]
    members = _sorted(run, choice, members, angle)
    steps: list[Step] = []
    start = 0
    while start < len(members):
        # Spreads load, keeps no secret. When all the others are away, one that weighs nothing takes their place.
        provider = random.choices(choice, weights if any(weights) else None)[0]  # noqa: S311
        some = _together(run, provider, members[start : start + size_of(run, provider)], angle)
        steps.append(_step(run, provider, some, angle))
        start += len(some)
    return steps, []


def _sorted(run: Run, choice: Sequence[Provider], members: Sequence[Member], angle: Angle) -> Sequence[Member]:
    """Members who can share a call side by side, where some provider takes only such as are alike."""
    suppliers = {provider.supplier for provider in choice}
    rooms = [room for name in sorted(suppliers) if (room := run.channel.suppliers[name].room)]
    if not rooms:
        return members
    messages = run.edition_for(angle).messages
    return sorted(members, key=lambda member: [room(member, messages[member.language]).alike for room in rooms])


def _together(run: Run, provider: Provider, members: Sequence[Member], angle: Angle) -> Sequence[Member]:
    """As many of the first members as share a call."""
    room = run.channel.suppliers[provider.supplier].room
    if room is None:
        return members
    messages = run.edition_for(angle).messages
    first = room(members[0], messages[members[0].language])
    alike = takewhile(lambda member: room(member, messages[member.language]).alike == first.alike, members)
    return list(islice(alike, first.most))


def _wants(run: Run, provider: Provider, member: Member) -> bool:
    """Whether a recipient that chose its phases is told this one.

    What it chose not to be told of leaves it with what it knows; it must know something, and that must be true.
    """
    phases = provider.phases
    everybody = run.batch.among == Among.ALL
    return phases is None or not everybody or Phase(run.batch.phase) in phases or member.id not in run.told


def _parts(members: Sequence[Member], size: int) -> Iterator[Sequence[Member]]:
    for start in range(0, len(members), size):
        yield members[start : start + size]


def _step(run: Run, provider: Provider, members: Sequence[Member], angle: Angle) -> Step:
    mark = (uuid.uuid4().hex, clock.now())
    return Step(_call(run, run.edition_for(angle), run.batch.revision, members, mark, angle), provider)


def _call(
    run: Run, edition: Edition, revision: int, members: Sequence[Member], mark: tuple[str, datetime], angle: Angle
) -> Call:
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
        changes=angle.changes,
        rows=angle.rows,
        content=announcement,
        finished_at=edition.finished_at,
        replaces=posts.replaced(run.posts, announcement, Phase(run.batch.phase), members, mark[1]),
    )
