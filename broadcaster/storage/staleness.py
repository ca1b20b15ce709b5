"""Staleness: how many recipients of a channel hold something untrue, counted from the ledger and kept.

Counting reads all that an announcement's broadcasts on the channel told. So it is done when what it follows from has
changed, and looked at from then on; where nothing untrue was told, there is nothing to count.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, cast, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from broadcaster.announcement.facts import Facts
from broadcaster.planning.situation import Stale
from broadcaster.planning.tellings import Telling
from broadcaster.storage import believers, tellings
from broadcaster.storage.announcements import Standing
from broadcaster.storage.believers import Count
from broadcaster.storage.tables import staleness

DOUBTED = ""
"""The mark of a count of which it is known that it holds no more; nothing is counted under it."""

# Any fixed number does.
_LOCK = 720_712_024


@dataclass(frozen=True, slots=True)
class Counted:
    """The count of one channel, what it was made of (`mark`), and when (machine time)."""

    mark: str
    count: Count
    at: datetime


def only_one(connection: Connection, announcement: int) -> bool:
    """Whether no other transaction counts the announcement; none does then before this one ends."""
    values = {"lock": _LOCK, "announcement": announcement}
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock, :announcement)"), values).scalar())


def counted(connection: Connection, slug: str) -> Mapping[str, Counted]:
    """Channel → what was counted last."""
    rows = connection.execute(select(staleness).where(staleness.c.slug == slug))
    return {row.channel: Counted(row.mark, _count(row), row.counted_at) for row in rows}


def outdated(connection: Connection, slug: str, true: Facts) -> frozenset[str]:
    """Channels whose count follows from what is no longer so: it is going to be repeated."""
    kept = counted(connection, slug)
    return frozenset(name for name, row in kept.items() if row.mark != _mark(connection, slug, name, true))


def by_announcement(connection: Connection) -> Mapping[str, int]:
    """Announcement → how many were stale when they were counted last, all channels together."""
    query = select(staleness.c.slug, func.sum(staleness.c.stale)).group_by(staleness.c.slug)
    return {slug: int(number) for slug, number in connection.execute(query)}


def by_channel(connection: Connection) -> Mapping[str, Row[Any]]:
    """Channel → `stale` and `uncorrected` as they were counted last, of all announcements together."""
    sums = (cast(func.sum(staleness.c[name]), BigInteger).label(name) for name in ("stale", "uncorrected"))
    query = select(staleness.c.channel, *sums).group_by(staleness.c.channel)
    return {row.channel: row for row in connection.execute(query)}


def count(
    connection: Connection, standing: Standing, pools: Mapping[str, str], true: Facts, *, apart: bool = False
) -> Mapping[str, Count]:
    """Count each channel on which anything was told, if this is what is true; `pools`: channel → its pool.

    `apart`: also by audience.
    """
    found = {}
    for channel, told in _by_channel(connection, standing).items():
        beliefs = tellings.beliefs(connection, standing.number, pools.get(channel, channel), told, true)
        found[channel] = believers.count(connection, beliefs, apart=apart)
    return found


def renew(connection: Connection, standing: Standing, pools: Mapping[str, str], true: Facts, patience: float) -> bool:
    """Count again where what the count follows from has changed, and keep it; gives whether a plan may have to follow.

    A count that took long is not repeated before `patience` times that time is over.
    """
    changed, kept, found = False, counted(connection, standing.slug), {}
    for channel, told in _by_channel(connection, standing).items():
        beliefs = tellings.beliefs(connection, standing.number, pools.get(channel, channel), told, true)
        mark, before = _mark(connection, standing.slug, channel, true), kept.get(channel)
        if before and (before.mark == mark or _is_young(connection, before, patience)):
            continue
        if not beliefs and before is None and standing.concluded_at is None:
            continue
        found[channel] = mark, believers.count(connection, beliefs)
        # Whom nothing was meant for yet may have had to wait for a broadcast to be over: plan again, though as many.
        changed |= before is None or found[channel][1].uncorrected > 0 or before.count.uncorrected > 0
    # All at once in the end: whoever doubts a count has to wait for the row.
    for channel, (mark, number) in found.items():
        _put(connection, standing.slug, channel, mark, number)
        if _mark(connection, standing.slug, channel, true) != mark:  # a receipt came during the count
            _put(connection, standing.slug, channel, DOUBTED, number)
    return changed


def doubt(connection: Connection, broadcasts: Iterable[str]) -> None:
    """Have what was counted of these broadcasts counted again, where nobody looks of himself: it is concluded.

    To be called before the broadcasts' counters are raised, in the same transaction.
    """
    connection.execute(_DOUBT, {"broadcasts": sorted(broadcasts)})


def forget(connection: Connection, slug: str) -> None:
    """What was counted of an announcement holds no more: it is counted again, however much later."""
    connection.execute(delete(staleness).where(staleness.c.slug == slug))


def at_most(connection: Connection, standing: Standing, pools: Mapping[str, str], true: Facts) -> Mapping[str, Stale]:
    """Channel → how many are uncorrected if this is true: as counted, or at the most so many. Reads no ledger."""
    found, kept = {}, counted(connection, standing.slug)
    for channel, told in _by_channel(connection, standing).items():
        beliefs = tellings.beliefs(connection, standing.number, pools.get(channel, channel), told, true)
        if not beliefs:
            continue
        before = kept.get(channel)
        if before and before.mark == _mark(connection, standing.slug, channel, true):
            found[channel] = Stale(before.count.uncorrected, counted=True)
        else:
            perhaps = {row.broadcast_id: row.recipients for row in told if beliefs.tellings[_key(row)]}
            found[channel] = Stale(sum(perhaps.values()), counted=False)
    return found


def _by_channel(connection: Connection, standing: Standing) -> Mapping[str, list[Telling]]:
    found: dict[str, list[Telling]] = defaultdict(list)
    if standing.purged_at is None:
        for row in tellings.of_announcement(connection, standing.slug, standing.finished_at):
            found[row.channel].append(row)
    return found


def _key(row: Telling) -> tuple[str, int]:
    return row.broadcast_id, row.revision


def _is_young(connection: Connection, before: Counted, patience: float) -> bool:
    age = connection.execute(select(func.extract("epoch", func.now() - before.at))).scalar_one()
    return float(age) < patience * before.count.seconds


def _mark(connection: Connection, slug: str, channel: str, true: Facts) -> str:
    """A digest of what staleness on a channel follows from: counted under the same mark, it is the same."""
    row = connection.execute(_COUNTERS, {"slug": slug, "channel": channel}).one()
    said = json.dumps([list(row), sorted(true.items())], default=str)
    return hashlib.blake2b(said.encode(), digest_size=10).hexdigest()


def _put(connection: Connection, slug: str, channel: str, mark: str, found: Count) -> None:
    values = {
        "mark": mark,
        "stale": found.stale,
        "uncorrected": found.uncorrected,
        "reasons": [[outcome, reason, number] for (outcome, reason), number in sorted(found.reasons.items())],
        "took": found.seconds,
        "counted_at": func.now(),
    }
    statement = insert(staleness).values(slug=slug, channel=channel, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["slug", "channel"], set_=values))


def _count(row: Any) -> Count:
    reasons = {(outcome, reason): number for outcome, reason, number in row.reasons}
    return Count(row.stale, row.uncorrected, reasons, row.took)


# In the order of the keys: whoever locks several does it in the same one.
_DOUBT = text(
    """
    UPDATE staleness s SET mark = '' FROM (
        SELECT c.slug, c.channel FROM staleness c
        JOIN broadcasts b ON (b.slug, b.channel) = (c.slug, c.channel)
        JOIN announcements a ON a.slug = c.slug
        WHERE b.id = ANY(CAST(:broadcasts AS text[])) AND a.concluded_at IS NOT NULL
        ORDER BY 1, 2 FOR UPDATE OF c
    ) d WHERE (s.slug, s.channel) = (d.slug, d.channel)
    """
)

_COUNTERS = text(
    """
    SELECT count(*), count(*) FILTER (WHERE b.state = 'closed'), sum(b.revision),
           sum(b.accepted), sum(b.rejected), sum(b.unknown), sum(b.skipped), sum(b.failed),
           (SELECT sum(x.accepted + x.rejected + x.unknown + x.skipped) FROM batches x JOIN broadcasts o
            ON o.id = x.broadcast_id WHERE o.slug = :slug AND o.channel = :channel AND NOT x.done)
    FROM broadcasts b WHERE b.slug = :slug AND b.channel = :channel AND b.opened_at IS NOT NULL
    """
)
