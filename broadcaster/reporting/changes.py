"""Changes: each time that something else was true, and how those were corrected who had been told otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.announcement.facts import FactChange, Facts, difference
from broadcaster.announcement.lifecycle import TRANSITIONS, Event, State
from broadcaster.channels.base import RecipientKind
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.tellings import STATUS, Status, Telling, true_in
from broadcaster.storage import announcements, believers, events, tellings
from broadcaster.storage.believers import Trace

TOLD_BY_A_CHANGE = (STATUS, "window.start", "window.end", "resume")
"""Paths of the facts that a change is described by; of the others it is told how many differ in their own way."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A stretch of campaign time in which the same was true: since which `event`, and until when (None: still).

    `changed`: what of the plan, as far as it is known, differs from the stretch before. `why`: the operator's words.
    """

    event: str
    revision: int
    true: Facts
    since: datetime
    until: datetime | None = None
    changed: tuple[FactChange, ...] = ()
    why: str = ""


def epochs(history: Sequence[Row[Any]], planned: Mapping[int, Facts]) -> list[Epoch]:
    """What was true when, from the events of an announcement (oldest first) and the facts of its revisions. Pure."""
    found: list[Epoch] = []
    known: Facts = {}
    state, revision, finished_at = State.DRAFT, 0, None
    for row in history:
        event = _event(row, state)
        if event is None:
            continue
        state = TRANSITIONS[state, event]
        revision = int(row.details.get("revision", revision))
        if event is Event.FINISH:
            finished_at = datetime.fromisoformat(row.details["at"])
        true = true_in(state, planned.get(revision, {}), finished_at) if revision else {}
        if true and (not found or found[-1].true != true):
            if found:
                found[-1] = replace(found[-1], until=row.at)
            before, known = known, _known(known, true)
            why = str(row.details.get("why") or row.details.get("reason") or "")
            found.append(Epoch(str(row.verb), revision, true, row.at, changed=difference(before, known), why=why))
    return found


def changes(connection: Connection, slug: str, now: datetime) -> list[dict[str, Any]]:
    """Each change after the first approval as plain data: sums, and under `channels` the numbers of each."""
    standing = announcements.find(connection, slug)
    if standing is None or standing.purged_at:
        return []
    zone, found = ZoneInfo(standing.zone), []
    told = tellings.of_announcement(connection, slug, standing.finished_at)
    history = events.history(connection, slug)
    for epoch in epochs(history, tellings.facts_of(connection, slug))[1:]:
        until = epoch.until or now
        traces = dict(_traces(connection, standing.number, told, replace(epoch, until=until)))
        found.append(
            {
                "event": epoch.event,
                "revision": epoch.revision,
                "applied_at": epoch.since.astimezone(zone).isoformat(timespec="seconds"),
                "until": epoch.until.astimezone(zone).isoformat(timespec="seconds") if epoch.until else None,
                "why": epoch.why,
                **_facts(epoch.changed),
                **_data(list(traces.values())),
                "channels": {channel: _data([trace]) for channel, trace in traces.items()},
            }
        )
    return found


def minutes(rows: Sequence[Mapping[str, Any]], kinds: frozenset[RecipientKind]) -> dict[str, float]:
    """Channel → minutes for which its recipients of these kinds were stale, all changes together."""
    found: dict[str, float] = {}
    for row in rows:
        for channel, said in row["channels"].items():
            if CHANNELS[channel].reaches in kinds:
                found[channel] = round(found.get(channel, 0.0) + said["stale_minutes"], 2)
    return found


def _known(before: Facts, true: Facts) -> Facts:
    """The plan as far as it is known: that an outage is over or called off says nothing of its other facts."""
    return true if true[STATUS] == Status.PLANNED else {**before, **true}


def _facts(changed: Sequence[FactChange]) -> dict[str, Any]:
    """The facts that describe a change, and how many others differ; what moved along with one of them is none."""
    shown = [change for change in changed if change.path in TOLD_BY_A_CHANGE]
    moves = {(change.old, change.new) for change in shown}
    others = sum((change.old, change.new) not in moves for change in changed)
    return {"facts": [asdict(change) for change in shown], "other_facts": others}


def _event(row: Row[Any], state: State) -> Event | None:
    """The event of the lifecycle that a row records; an approval in overrun extends."""
    if row.verb == Event.APPROVE and state is State.OVERRUN:
        return Event.EXTEND
    try:
        event = Event(row.verb)
    except ValueError:
        return None
    return event if (state, event) in TRANSITIONS else None


def _traces(
    connection: Connection, announcement: int, told: Sequence[Telling], epoch: Epoch
) -> Iterator[tuple[str, Trace]]:
    assert epoch.until is not None  # noqa: S101 - set by the caller
    for channel in sorted({row.channel for row in told}):
        of_channel = [row for row in told if row.channel == channel]
        beliefs = tellings.beliefs(connection, announcement, CHANNELS[channel].pool, of_channel, epoch.true)
        found = believers.trace(connection, beliefs, epoch.since, epoch.until)
        if found.before:
            yield channel, found


def _data(traces: Sequence[Trace]) -> dict[str, Any]:
    return {
        "stale_before": sum(row.before for row in traces),
        "corrected": sum(row.corrected for row in traces),
        "stale_after": sum(row.after for row in traces),
        "stale_minutes": round(sum(row.seconds for row in traces) / 60, 2),
        "curve": [
            {"seconds": wait, "stale": sum(row.before - row.within[number] for row in traces)}
            for number, wait in enumerate(believers.WAITS)
        ],
    }
