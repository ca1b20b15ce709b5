"""Tasks of the control queue."""

from __future__ import annotations

from datetime import datetime

from broadcaster import clock, wiring
from broadcaster.channels.registry import CHANNELS
from broadcaster.delivery import opening, rounds
from broadcaster.operations import advance, watching
from broadcaster.storage import holds
from broadcaster.wiring import App
from workers.app import app
from workers.delivery import deliver_batch
from workers.queues import DELIVERY, depth

_replanned = ""
"""The announcement that this process replanned last."""

MOST_ON_THE_QUEUE = 500
"""Batches that wait on the queue at once; the rest are rows."""


@app.task(name="control.tick")
def tick() -> None:
    """Move announcements on, open what is due, close what is done, feed the delivery queue."""
    parts, now = wiring.process_app(), clock.now()
    may_send = watching.keep_watch(parts.database, parts.settings.data, now)
    if may_send:
        _look_around(parts, now)
    # Also when nothing may be sent: the heartbeat comes with it.
    room = MOST_ON_THE_QUEUE - depth(app, DELIVERY) if may_send else 0
    for batch_id in rounds.feed(parts.database, now, room):
        deliver_batch.delay(batch_id)


def _look_around(parts: App, now: datetime) -> None:
    """Do what has fallen due."""
    with parts.database.begin() as connection:
        advance.advance(connection, now, parts.reach)
    opening.open_due(parts.database, parts.channels, now, parts.canary)
    rounds.cut(parts.database, CHANNELS, parts.canary, now)
    opening.close_finished(parts.database, now)


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
    global _replanned  # noqa: PLW0603 - a turn that is forgotten with the process begins anew
    parts = wiring.process_app()
    with parts.database.begin() as connection:
        if not holds.is_restored(connection):
            _replanned = advance.replan_in_turn(connection, clock.now(), parts.reach, _replanned)


@app.task(name="control.read_back")
def read_back() -> None:
    """Look what the surfaces show, beside the ticks: an address that does not answer must not keep them waiting."""
    wiring.process_reader().look()


@app.task(name="control.ask")
def ask() -> None:
    """Tell operators what they are to be told now, such as a question to the owner."""
    wiring.process_messenger().wake()
