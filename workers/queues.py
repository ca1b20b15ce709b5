"""Queue names, and how many messages wait on one."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError

CONTROL = "control"
"""Ticks, sweeps and receipts: a worker of its own, so that batches never starve them."""
DELIVERY = "delivery"
"""Batches."""
CORRECTION = "correction"
"""Counting who holds something untrue: beside the batches, which the same processes take in turn with it."""


def depth(app: Celery, queue: str) -> int:
    """How many messages wait on `queue`; 0 when the broker does not know it, as after a flush."""
    with app.connection_for_write() as connection:
        try:
            channel: Any = connection.default_channel
            return int(channel.queue_declare(queue, passive=True).message_count)
        except (ChannelError, OperationalError):
            return 0
