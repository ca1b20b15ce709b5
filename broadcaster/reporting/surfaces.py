"""Surfaces in reports: which screens have not fetched what holds now, and for how long something false was stated."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.announcement.lifecycle import Event, State
from broadcaster.planning.tellings import true_in
from broadcaster.reporting.statements import FalseTime, Truth, false_time, held_by_screen, stale_since
from broadcaster.storage import announcements, events, readbacks, screens, tellings
from broadcaster.storage.readbacks import Result

_SAID = {Event.FINISH: State.COMPLETED, Event.CANCEL: State.CANCELLED}
"""What an operator's word makes of the status; every other leaves the outage to come or under way."""


class StaleScreen(NamedTuple):
    """A screen that lacks a change. Times are campaign time; `fetched_at` is None when it never said who it is."""

    name: str
    seq: int
    fetched_at: datetime | None
    since: datetime
    """When the first change was made that it lacks, or when the site first named it, whichever was later."""


def stale_screens(connection: Connection, channel: str, slug: str | None = None) -> list[StaleScreen]:
    """The screens of a surface that have not fetched the newest change, of one announcement or of any, by name."""
    return stale_by_channel(connection, slug).get(channel, [])


def stale_by_channel(connection: Connection, slug: str | None = None) -> dict[str, list[StaleScreen]]:
    """The same for every surface that has screens, whether or not one of them is stale."""
    changes = [(row.seq, row.at) for row in events.changes(connection, slug)]
    found: dict[str, list[StaleScreen]] = {}
    for row in screens.standing(connection):
        of_channel = found.setdefault(row.channel, [])
        since = stale_since(row.seq, changes)
        if since:
            of_channel.append(StaleScreen(row.name, row.seq, row.fetched_at, max(since, row.since)))
    return found


def standing(connection: Connection, slug: str, zone: ZoneInfo) -> list[dict[str, Any]]:
    """How each surface stands towards an announcement, as plain data: its screens, and what was read back from it.

    Empty while the announcement was never public. Times are ISO 8601 in its zone.
    """
    changes = events.changes(connection, slug)
    if not changes:
        return []
    read = readbacks.standing(connection)
    known = screens.standing(connection)
    lacking = stale_by_channel(connection, slug)
    stale = {(channel, row.name): row for channel, rows in lacking.items() for row in rows}
    return [
        {
            "channel": channel,
            "changed_at": _local(changes[-1].at, zone),
            "screens": [
                {
                    "name": row.name,
                    "fetched_at": _local(row.fetched_at, zone),
                    "stale_since": _local(found.since, zone) if (found := stale.get((channel, row.name))) else None,
                }
                for row in known
                if row.channel == channel
            ],
            "read": [_reading(row, slug, changes[-1].seq, zone) for row in read if row.channel == channel],
        }
        for channel in sorted({*lacking, *(row.channel for row in read)})
    ]


def _reading(row: Row[Any], slug: str, seq: int, zone: ZoneInfo) -> dict[str, Any]:
    """A reading as far as it concerns an announcement; one from before its last change says nothing any more."""
    about = [words for of_slug, words in row.differences if of_slug in ("", slug)]
    result = row.result if about or row.result != Result.OTHER else Result.CONFIRMED
    old = row.seq < seq
    return {
        "endpoint": row.endpoint,
        "result": "" if old else str(result),
        "differences": [] if old else about,
        "at": _local(row.at, zone),
    }


def _local(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return instant.astimezone(zone).isoformat(timespec="seconds") if instant else None


def truths_of(connection: Connection, slug: str) -> list[Truth]:
    """What was true of an announcement from when on, by its operators' words; in order of time.

    That it is overdue is the clock's finding, which every screen foresees.
    """
    planned = tellings.facts_of(connection, slug)
    found: list[Truth] = []
    revision = 0
    for row in events.changes(connection, slug):
        revision = int(row.details.get("revision", revision))
        finished_at = datetime.fromisoformat(row.details["at"]) if row.verb == Event.FINISH else None
        if revision in planned:
            state = _SAID.get(Event(row.verb), State.SCHEDULED)
            found.append(Truth(row.seq, row.at, true_in(state, planned[revision], finished_at)))
    return found


def false_times(connection: Connection, slug: str, now: datetime) -> dict[str, FalseTime]:
    """Channel → for how long its screens stated something that was no longer true of the announcement, up to now.

    Of one that was purged nothing is known any more.
    """
    stands, truths = announcements.find(connection, slug), truths_of(connection, slug)
    if not truths or stands is None or stands.purged_at:
        return {}
    fetches = screens.fetches(connection, truths[0].seq)
    found: defaultdict[str, FalseTime] = defaultdict(FalseTime)
    for row in screens.every(connection):
        held = held_by_screen(fetches.get((row.channel, row.name), ()), truths)
        of_screen = false_time(truths, held, min(now, row.gone_at or now))
        found[row.channel] = found[row.channel].and_those(of_screen)
    return dict(found)
