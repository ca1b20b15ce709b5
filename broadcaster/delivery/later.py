"""Later: the calls that a claim leaves for another one, and when that may come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from broadcaster.delivery.run import Step


@dataclass(slots=True)
class Later:
    """What this claim leaves for a later one."""

    steps: list[Step] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds of machine time."""
    holds: list[datetime] = field(default_factory=list)
    """Instants of campaign time, for what a quota held back."""
    failed: bool = False
    """Whether some call failed: what only waits for its pace or its provider's circuit is no attempt."""

    def postpone(self, step: Step, seconds: float, *, failed: bool) -> None:
        """Leave a call for a claim that comes `seconds` later."""
        self.steps.append(step)
        self.waits.append(seconds)
        self.failed |= failed

    def hold(self, step: Step, until: datetime) -> None:
        """Leave a call until an instant of campaign time."""
        self.steps.append(step)
        self.holds.append(until)
