"""Recording: what came of calls, into the ledger, the batch's counters and the tallies of the metrics."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.channels.base import Delivery, Outcome
from broadcaster.delivery import latency
from broadcaster.delivery.run import Step
from broadcaster.storage import ledger, strides, tallies
from broadcaster.storage.strides import Stride


class RecordedBeforeError(Exception):
    """The call's outcomes are in the ledger: the transaction that was cut off had been committed after all."""


@dataclass(frozen=True, slots=True)
class Result:
    """What is known but not yet recorded: outcomes of a revision's text, and the call that they settle, if any."""

    deliveries: Sequence[Delivery] = ()
    revision: int = 0
    provider: str = ""
    key: str | None = None

    @property
    def common(self) -> Delivery | None:
        """A delivery whose outcome, reason and reference are those of all; None when they differ."""
        if not self.deliveries:
            return None
        first = self.deliveries[0]
        same = first[1:]
        return first if all(row[1:] == same for row in self.deliveries) else None

    @property
    def counts(self) -> Mapping[str, int]:
        """Outcome → how many."""
        return Counter([row[1] for row in self.deliveries])


NOTHING = Result()


def stride(
    connection: Connection, batch: Row[Any], lease: timedelta, result: Result, following: Step | None = None
) -> Any | None:
    """Renew the lease, record the result and write down the following call; what the guard must know, or None.

    None: the lease was lost, and nothing was changed. Raises RecordedBeforeError.
    """
    common = result.common if result.key else None
    made = strides.Made(result.key, result.revision, result.provider, common) if result.key else None
    now = clock.now()
    row = strides.take(connection, batch, Stride(lease, result.counts, now, made, _next(following)))
    if row is None:
        return None
    if made and not row.settled:
        raise RecordedBeforeError(made.key)
    if result.deliveries and common is None:
        ledger.record(connection, batch, result.revision, result.provider, result.deliveries, now)
    return row


def stride_at_once(
    connection: Connection, batch: Row[Any], lease: timedelta, result: Result, following: Step, seen: Any
) -> bool:
    """Like `stride`, in one round trip, when nothing has changed since it was `seen` and all members fared alike."""
    made = None
    if result.key or result.deliveries:
        common = result.common
        if result.key is None or (result.deliveries and common is None):
            return False
        made = strides.Made(result.key, result.revision, result.provider, common)
    wanted = Stride(lease, result.counts, clock.now(), made, _next(following))
    return strides.take_at_once(connection, batch, wanted, seen)


def _next(following: Step | None) -> strides.Next | None:
    return strides.Next(following.call, following.provider.name) if following else None


class Tally:
    """What one run adds to the metrics; stored with the batch's last transaction, lost with a worker that is killed."""

    def __init__(self, channel: str, due_at: datetime) -> None:
        self._channel = channel
        self._due_at = due_at
        self._sums: defaultdict[tuple[str, str], float] = defaultdict(float)

    def note(self, result: Result, at: datetime) -> None:
        """Count a recorded result."""
        for outcome, number in result.counts.items():
            self._sums[tallies.OUTCOMES, f"{self._channel}|{result.provider}|{outcome}"] += number
            if outcome == Outcome.ACCEPTED:
                for key, value in latency.tally(self._channel, self._due_at, at, number).items():
                    self._sums[key] += value

    def add(self, sums: Mapping[tuple[str, str], float]) -> None:
        """Count something else, such as pacing waits."""
        for key, value in sums.items():
            self._sums[key] += value

    def store(self, connection: Connection) -> None:
        """Add everything to the database's sums."""
        tallies.add(connection, self._sums)
