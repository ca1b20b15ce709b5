"""Tasks of the delivery queue."""

from __future__ import annotations

from broadcaster import wiring
from workers.app import app


@app.task(name="delivery.deliver_batch")
def deliver_batch(batch_id: int) -> None:
    """Carry one batch as far as it goes."""
    wiring.process_courier().deliver(batch_id)
