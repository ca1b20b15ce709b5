"""Recording: what came of calls, into the ledger, the batch's counters and the tallies of the metrics."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.channels.base import Delivery, Outcome
from broadcaster.delivery import latency
from broadcaster.delivery.run import Step
from broadcaster.storage import ledger, posts, strides, tallies
from broadcaster.storage.strides import Stride


class RecordedBeforeError(Exception):
    """The call's outcomes are in the ledger: the transaction that was cut off had been committed after all."""


@dataclass(frozen=True)
class Result:
    """What is known but not yet recorded: outcomes of a revision's text, and the call that they settle, if any."""

    deliveries: Sequence[Delivery] = ()
    revision: int = 0
    provider: str = ""
    key: str | None = None

    @cached_property
    def common(self) -> Delivery | None:
        """A delivery whose outcome, reason and reference are those of all; None when they differ."""
        if not self.deliveries:
            return None
        first = self.deliveries[0]
        same = first[1:]
        return first if all(row[1:] == same for row in self.deliveries) else None

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Outcome → how many."""
        if self.common:
            return {self.common.outcome: len(self.deliveries)}
        return Counter([row[1] for row in self.deliveries])


def stride(
    connection: Connection,
    batch: Row[Any],
    lease: timedelta,
    results: Sequence[Result] = (),
    following: Sequence[Step] = (),
) -> Any | None:
    """Renew the lease, record the results and write down the following calls; what the guard must know, or None.

    None: the lease was lost, and nothing was changed. Raises RecordedBeforeError.
    """
    wanted = _stride(lease, results, following)
    row = strides.take(connection, batch, wanted)
    if row is None:
        return None
    if row.settled < len(wanted.made):
        raise RecordedBeforeError(wanted.made[0].key)
    for result in results:
        if result.deliveries and not (result.key and result.common):
            ledger.record(connection, batch, result.revision, result.provider, result.deliveries, wanted.at)
        posts.replace(connection, batch.broadcast_id, result.deliveries, wanted.at)
    return row


def stride_at_once(
    connection: Connection,
    batch: Row[Any],
    lease: timedelta,
    results: Sequence[Result],
    following: Sequence[Step],
    seen: Any,
) -> bool:
    """Like `stride`, in one round trip, when nothing has changed since it was `seen`; the results must be `alike`."""
    return strides.take_at_once(connection, batch, _stride(lease, results, following), seen)


def finish_at_once(
    connection: Connection, batch: Row[Any], lease: timedelta, results: Sequence[Result], tally: Tally
) -> Any | None:
    """Record the last results, which must be `alike`, and close the batch, in one round trip.

    None: that was not to be, and nothing was changed. Otherwise what `strides.finish_at_once` gives.
    """
    return strides.finish_at_once(connection, batch, _stride(lease, results), tally.sums)


def alike(results: Sequence[Result]) -> bool:
    """Whether each is of a call whose members all fared alike and that replaced no post, or of one that nobody saw.

    Then nothing is to be written beside the one statement.
    """
    return all(result.key and _is_simple(result) for result in results)


def _is_simple(result: Result) -> bool:
    common = result.common
    return not result.deliveries or (common is not None and not common.replaced)


def write_down(connection: Connection, batch: Row[Any], following: Sequence[Step]) -> None:
    """Write down the first calls of a claim, in its own transaction."""
    strides.write_down(connection, batch, _next(following))


def _stride(lease: timedelta, results: Sequence[Result], following: Sequence[Step] = ()) -> Stride:
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result.counts)
    made = [strides.Made(result.key, result.common) for result in results if result.key]
    return Stride(lease, counts, clock.now(), made, _next(following))


def _next(following: Sequence[Step]) -> list[strides.Next]:
    return [strides.Next(step.call, step.provider.name) for step in following]


class Tally:
    """What one run adds to the metrics; stored with the batch's last transaction, lost with a worker that is killed."""

    def __init__(self, channel: str, due_at: datetime) -> None:
        self._channel = channel
        self._due_at = due_at
        self.sums: defaultdict[tuple[str, str], float] = defaultdict(float)
        """What is added, by the name and label of its tally."""

    def note(self, result: Result, at: datetime) -> None:
        """Count a recorded result."""
        for outcome, number in result.counts.items():
            self.sums[tallies.OUTCOMES, f"{self._channel}|{result.provider}|{outcome}"] += number
            if outcome == Outcome.ACCEPTED:
                for key, value in latency.tally(self._channel, self._due_at, at, number).items():
                    self.sums[key] += value

    def add(self, sums: Mapping[tuple[str, str], float]) -> None:
        """Count something else, such as pacing waits."""
        for key, value in sums.items():
            self.sums[key] += value

    def store(self, connection: Connection) -> None:
        """Add everything to the database's sums."""
        tallies.add(connection, self.sums)
