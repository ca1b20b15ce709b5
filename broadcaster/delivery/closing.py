"""Closing a batch: whoever is left is skipped, its broadcast may be over with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.channels.base import Delivery, Outcome
from broadcaster.delivery import attempt, recording
from broadcaster.delivery.guard import Stop
from broadcaster.delivery.recording import Result, Tally
from broadcaster.delivery.run import Step
from broadcaster.storage import batches, broadcasts


def give_up(
    connection: Connection, batch: Row[Any], lease: timedelta, left: Sequence[Step], stop: Stop, tally: Tally
) -> None:
    """Nobody else is told: whoever is left is skipped, and what may have been seen stays unknown."""
    now = clock.now()
    results = [*_in_doubt(left, stop), *_skipped(left, stop)]
    recording.stride(connection, batch, lease, results)
    for result in results:
        tally.note(result, now)
    close(connection, batch)


def close(connection: Connection, batch: Row[Any]) -> None:
    """Nothing of the batch is left to do."""
    batches.finish(connection, batch.id, batch.token)
    broadcasts.close_if_finished(connection, batch.broadcast_id, clock.now())


def _in_doubt(left: Sequence[Step], stop: Stop) -> list[Result]:
    reason = f"in doubt when stopped: {stop.reason}"
    return [attempt.everyone(step, Outcome.UNKNOWN, reason) for step in left if step.doubt]


def _skipped(left: Sequence[Step], stop: Stop) -> list[Result]:
    """Written all at once: there may be millions of them, while others have to be told why."""
    alike: dict[tuple[int, str], list[Delivery]] = {}
    for step in left:
        if not step.doubt:
            found = alike.setdefault((step.call.revision, step.provider.name), [])
            found += attempt.everyone(step, Outcome.SKIPPED, stop.reason).deliveries
    return [Result(deliveries, *of) for of, deliveries in alike.items()]
