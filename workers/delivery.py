"""Tasks of the delivery worker."""

from __future__ import annotations

from broadcaster import clock, wiring
from broadcaster.operations import correcting
from workers.app import app
from workers.schedule import ask_for_tick


@app.task(name="delivery.deliver_batch")
def deliver_batch(batch_id: int) -> None:
    """Carry one batch as far as it goes."""
    if wiring.process_courier().deliver(batch_id):
        ask_for_tick(app)


@app.task(name="correction.correct")
def correct() -> None:
    """Count who holds something untrue, and plan their correction: a long ledger takes its time."""
    parts = wiring.process_app()
    correcting.correct(parts.database, clock.now(), parts.reach)
