"""Closing a batch: whoever is left is skipped, its broadcast may be over with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster import clock
from broadcaster.channels.base import Outcome
from broadcaster.delivery import attempt, recording
from broadcaster.delivery.guard import Stop
from broadcaster.delivery.recording import Tally
from broadcaster.delivery.run import Step
from broadcaster.storage import batches, broadcasts


def give_up(
    connection: Connection, batch: Row[Any], lease: timedelta, left: Iterable[Step], stop: Stop, tally: Tally
) -> None:
    """Nobody else is told: whoever is left is skipped, and what may have been seen stays unknown."""
    now = clock.now()
    for step in left:
        if step.doubt:
            result = attempt.everyone(step, Outcome.UNKNOWN, f"in doubt when stopped: {stop.reason}")
        else:
            result = replace(attempt.everyone(step, Outcome.SKIPPED, stop.reason), key=None)
        recording.stride(connection, batch, lease, [result])
        tally.note(result, now)
    close(connection, batch)


def close(connection: Connection, batch: Row[Any]) -> None:
    """Nothing of the batch is left to do."""
    batches.finish(connection, batch.id, batch.token)
    broadcasts.close_if_finished(connection, batch.broadcast_id, clock.now())
