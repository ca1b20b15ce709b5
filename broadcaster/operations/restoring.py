"""Restoring: going on with a database that a backup was restored to.

What went out between the backup and the end of the old database is not in it. Whatever was to go out by then counts as
perhaps sent: what was not begun is skipped, and whoever is left of what was begun is `unknown`. Receipts that come in
for them settle that, as they do every doubt. Nobody is told anything twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from broadcaster.channels.base import Channel, Delivery, Outcome
from broadcaster.errors import StateError
from broadcaster.operations import advance, watching
from broadcaster.operations.reach import Reach
from broadcaster.planning.broadcast import PERHAPS_SENT
from broadcaster.storage import batches, broadcasts, events, holds, ledger, leftovers, recipients, strides
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Hold, Scope
from broadcaster.storage.scopes import scope_of
from broadcaster.storage.strides import Stride

STEP = timedelta(hours=1)
"""How finely the time since the backup is planned once more: less than any two messages of a policy are apart."""
MOST_STEPS = 1_000
HOW_TO_GO_ON = "`broadcaster resume --everything --skip-due-before TIME`: until when may the old database have sent?"
_LEASE = timedelta(minutes=1)
_BATCH_SIZE = 1_000
_CUT_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class GoneOn:
    """What counts as perhaps sent: broadcasts that were not begun, and recipients of those that were."""

    broadcasts: int
    recipients: int


def restored(connection: Connection, backup_at: datetime, actor: str, now: datetime) -> None:
    """Hold everything back, because the database is from a backup of `backup_at`; raises StateError when it is held."""
    if backup_at > now:
        raise StateError(f"{_utc(backup_at)} has not come yet: no backup can be from then")
    reason = f"restored from a backup of {_utc(backup_at)}: what went out since is not known here"
    if not holds.put(connection, Hold(Scope.RESTORED, "", halted=True, reason=reason, actor=actor, at=now)):
        raise StateError("everything is held back as restored already", hint=HOW_TO_GO_ON)
    events.record(connection, actor, "halt", "", now, {"scope": Scope.RESTORED, "reason": reason})


def go_on(
    database: Database,
    channels: Mapping[str, Channel],
    reach: Mapping[str, Reach],
    until: datetime,
    actor: str,
    now: datetime,
) -> GoneOn:
    """Let everything go on; whatever was due up to `until` counts as perhaps sent.

    Cut off, it is brought to its end by doing it again: the hold is lifted last. Raises StateError when nothing is
    held back as restored, or `until` has not come.
    """
    with database.begin() as connection:
        if not holds.is_restored(connection):
            raise StateError("no restored database is held back", hint="`broadcaster resume --everything` ends a pause")
        if until > now:
            raise StateError(f"{_utc(until)} has not come yet: nothing was sent then")
        _plan_until(connection, reach, until)
        skipped = _skip(connection, until, actor, now)
    unknown = _settle(database, channels, until, now)
    with database.begin() as connection:
        for scope in (Scope.RESTORED, Scope.EVERYTHING):
            holds.lift(connection, scope, "")
        watching.went_on(connection)
        details = {"until": until.isoformat(), "broadcasts": skipped, "recipients": unknown}
        events.record(connection, actor, "resume", "", now, {"scope": Scope.RESTORED, **details})
    return GoneOn(skipped, unknown)


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _plan_until(connection: Connection, reach: Mapping[str, Reach], until: datetime) -> None:
    """Let time pass from the last event that the backup knows of: what came to be planned since was due since."""
    last = events.last_before(connection, "halt", Scope.RESTORED) or until
    step = max(STEP, (until - last) / MOST_STEPS)
    instant = min(last, until)
    while instant < until:
        instant = min(instant + step, until)
        advance.advance(connection, instant, reach)
        advance.replan_all(connection, instant, reach)


def _skip(connection: Connection, until: datetime, actor: str, now: datetime) -> int:
    rows = leftovers.planned(connection, until)
    broadcasts.skip_all(connection, [{"id": row.id, "reason": PERHAPS_SENT} for row in rows])
    said = [(row.slug, {"broadcast": row.id, "reason": PERHAPS_SENT}) for row in rows]
    events.record_all(connection, actor, "skip", now, said)
    return len(rows)


def _settle(database: Database, channels: Mapping[str, Channel], until: datetime, now: datetime) -> int:
    """Record as unknown whoever is left in what was begun; gives how many. Batch by batch, each a transaction."""
    total = 0
    with database.begin() as connection:
        begun = leftovers.open_broadcasts(connection, until)
    for broadcast_id in begun:
        while _cut(database, channels, broadcast_id):
            pass
        with database.begin() as connection:
            undone = leftovers.undone_batches(connection, broadcast_id)
        for batch_id in undone:
            with database.begin() as connection:
                total += _settle_batch(connection, channels, batch_id, now)
        with database.begin() as connection:
            broadcasts.close_if_finished(connection, broadcast_id, now)
    return total


def _cut(database: Database, channels: Mapping[str, Channel], broadcast_id: str) -> bool:
    """Cut some of the batches that are still to be cut; whether more are."""
    with database.begin() as connection:
        row = leftovers.locked(connection, broadcast_id)
        if row.cut:
            return False
        scope = scope_of(connection, channels[row.channel].pool, row)
        after, end, parts = row.cut_to, False, list[recipients.Range]()
        while not end and len(parts) < _CUT_AT_ONCE:
            parts.append(recipients.next_range(connection, scope, after, _BATCH_SIZE))
            after, end = parts[-1].last, parts[-1].end
        batches.create(connection, broadcast_id, parts)
        broadcasts.cut_to(connection, broadcast_id, after, cut=end)
        if end and (row.retries or row.among):
            broadcasts.recount(connection, broadcast_id)
    return not end


def _settle_batch(connection: Connection, channels: Mapping[str, Channel], batch_id: int, now: datetime) -> int:
    batch = batches.take_over(connection, batch_id, _LEASE)
    if batch is None:
        return 0
    scope = scope_of(connection, channels[batch.channel].pool, batch)
    rows = recipients.in_range(
        connection, scope, batch.broadcast_id, batch.first_id, batch.last_id, batch.channel, fresh=False
    )
    if batch.retries or batch.among:
        batches.resize(connection, batch, batch.settled + len(rows))
    deliveries = [
        Delivery(id_, Outcome.UNKNOWN, PERHAPS_SENT)
        if suppressed is None
        else Delivery(id_, Outcome.SKIPPED, suppressed)
        for id_, _, _, _, suppressed, *_ in rows
    ]
    counts = Counter(str(row.outcome) for row in deliveries)
    strides.take(connection, batch, Stride(_LEASE, counts, now))
    ledger.record(connection, batch, batch.revision, "", deliveries, now)
    leftovers.forget_calls(connection, batch_id)
    batches.finish(connection, batch.id, batch.token)
    return counts[Outcome.UNKNOWN]
