"""Tasks of the control queue."""

from __future__ import annotations

from broadcaster import clock, wiring
from broadcaster.delivery import opening, rounds
from broadcaster.operations import advance
from workers.app import app
from workers.delivery import deliver_batch
from workers.queues import DELIVERY, depth

MOST_ON_THE_QUEUE = 500
"""Batches that wait on the queue at once; the rest are rows."""


@app.task(name="control.tick")
def tick() -> None:
    """Move announcements on, open what is due, close what is done, feed the delivery queue."""
    parts, now = wiring.process_app(), clock.now()
    with parts.database.begin() as connection:
        advance.advance(connection, now)
    opening.open_due(parts.database, parts.channels, now)
    opening.close_finished(parts.database, now)
    room = MOST_ON_THE_QUEUE - depth(app, DELIVERY)
    for batch_id in rounds.feed(parts.database, now, room):
        deliver_batch.delay(batch_id)


@app.task(name="control.merge_receipts")
def merge_receipts() -> None:
    """Join what providers said to the ledger."""
    rounds.merge_receipts(wiring.process_app().database)


@app.task(name="control.sweep")
def sweep() -> None:
    """Let batches that the queue has lost be put there again."""
    if depth(app, DELIVERY) == 0:
        rounds.forget_queue(wiring.process_app().database)


@app.task(name="control.replan")
def replan() -> None:
    """Plan ahead what has no known end."""
    with wiring.process_app().database.begin() as connection:
        advance.replan_all(connection, clock.now())
