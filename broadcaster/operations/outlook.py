"""The outlook: what is to be expected of a plan, told to the operator before it is too late to change it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.announcement.model import Announcement
from broadcaster.announcement.rules import FieldPath
from broadcaster.announcement.source import dotted
from broadcaster.channels.registry import PEOPLE_POOLS
from broadcaster.operations.reach import Reach, Sizes, known_tags
from broadcaster.operations.replan import situation
from broadcaster.planning import policy as policies
from broadcaster.planning.broadcast import EVERYONE, Broadcast, BroadcastState
from broadcaster.planning.changes import Changes
from broadcaster.planning.forecast import Forecast, forecast
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.segment import named_tags, parse_segment
from broadcaster.planning.situation import Situation
from broadcaster.storage import announcements


@dataclass(frozen=True, slots=True)
class Outlook:
    """Broadcast id → forecast, and what the operator should know before going on."""

    forecasts: Mapping[str, Forecast] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def outlook(
    connection: Connection,
    proposal: Proposal,
    present: Situation,
    changes: Changes,
    now: datetime,
    reach: Mapping[str, Reach],
) -> Outlook:
    """What is to be expected of a proposal's plan after these changes."""
    rows = [row for row in (*changes.added, *changes.moved, *changes.kept) if row.state is BroadcastState.PLANNED]
    found = forecast(proposal, present, now, rows)
    warnings = (
        *_without_providers(rows, reach),
        *_without_people(connection, rows, reach),
        *unknown_tags(connection, proposal),
        *(f"{_named(row)}: {found[row.id].warning}" for row in _by_due(rows) if found[row.id].warning),
    )
    return Outlook(found, warnings)


def outlook_of(
    connection: Connection, slug: str, changes: Changes, now: datetime, reach: Mapping[str, Reach]
) -> Outlook:
    """What is to be expected of an announcement's approved plan, after these changes were made."""
    standing = announcements.find(connection, slug)
    number = standing.approved_revision if standing else None
    stored = announcements.revision(connection, slug, number) if number else None
    if standing is None or stored is None:
        return Outlook()
    present = situation(connection, standing, stored.number, reach)
    return outlook(connection, stored.proposal, present, changes, now, reach)


def unknown_tags(connection: Connection, proposal: Proposal) -> list[str]:
    """What to say of each tag that a proposal names and nobody has; nothing while there are no people at all."""
    said = [*policies.audiences(proposal.policy), *_of_impacts(proposal.announcement)]
    named = [(path, tag) for path, text in said for tag in named_tags(parse_segment(text))]
    people = Sizes(connection, {}).people
    if not named or not any(people(pool, EVERYONE) for pool in PEOPLE_POOLS):
        return []
    known = known_tags(connection)
    return [f"nobody has the tag {tag!r}, which {dotted(path)} names" for path, tag in named if tag not in known]


def _of_impacts(announcement: Announcement) -> Iterator[tuple[FieldPath, str]]:
    for number, impact in enumerate(announcement.impacts):
        if impact.audience != EVERYONE:
            yield ("impacts", number, "audience"), impact.audience


def _without_providers(rows: Iterable[Broadcast], reach: Mapping[str, Reach]) -> Iterator[str]:
    used = {row.channel for row in rows}
    missing = sorted(channel for channel in used if channel not in reach or not reach[channel].capacity)
    if missing:
        yield f"the site has no provider for: {', '.join(missing)}"


def _without_people(connection: Connection, rows: Iterable[Broadcast], reach: Mapping[str, Reach]) -> Iterator[str]:
    by_pool: dict[str, list[Broadcast]] = {}
    for row in rows:
        if row.channel in reach and reach[row.channel].people:
            by_pool.setdefault(reach[row.channel].pool, []).append(row)
    people = Sizes(connection, reach).people
    for pool, to_people in sorted(by_pool.items()):
        option = f" --channel {pool}" if pool else ""
        if not people(pool, EVERYONE):
            channels = ", ".join(sorted({row.channel for row in to_people}))
            command = f"`broadcaster audience import FILE{option}`"
            yield f"nobody is in the audience yet: {channels} reaches no one before {command}"
            continue
        for audience in sorted({row.audience for row in to_people}):
            if not people(pool, audience):
                yield f"nobody is in the audience `{audience}`{f' of {pool}' if pool else ''}"


def _by_due(rows: Iterable[Broadcast]) -> list[Broadcast]:
    return sorted(rows, key=lambda row: (row.due_at.timestamp(), row.channel, row.audience))


def _named(row: Broadcast) -> str:
    audience = f" to {row.audience}" if row.audience != EVERYONE else ""
    return f"{row.channel} {row.phase}{audience}, due {row.due_at:%Y-%m-%d %H:%M}"
