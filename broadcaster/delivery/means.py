"""Means: what a worker process carries every batch with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from broadcaster.channels.transport import Transport
from broadcaster.delivery.gate import Gate


@dataclass(frozen=True, slots=True)
class Means:
    """The way out, what stands before it, and how long a claim holds (`lease`)."""

    transport: Transport
    gate: Gate
    lease: timedelta
