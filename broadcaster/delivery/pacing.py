"""How far apart calls begin, so that a provider's limits hold although nothing runs on time. Pure.

Every call has a slot. The next slot begins when this call's messages are used up at the rate that the provider allows,
so there is never a burst. Two things need a little more room than that:

- Workers are late by up to `LATE`, and not all by the same: in one second there may be the calls of a bit more than a
  second. No second may hold more than the limit and one call.
- A call cannot be divided. Where only a few fit into a minute, one too many would be far above the limit. No minute may
  hold more than `MINUTE_OVER` above it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from broadcaster.channels.provider import Pace

LATE = 0.05
"""Seconds that a call may begin after its slot, for which the spacing leaves room."""
MINUTE_OVER = 0.01
TOGETHER = LATE / 2
"""Seconds within which slots may be reserved together: whoever has them comes to each before it is too late."""
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Spacing:
    """Seconds from a call's slot to the next one, by each of the two limits; 0 where there is none."""

    calls: float
    messages: float

    @property
    def longest(self) -> float:
        """The larger of the two."""
        return max(self.calls, self.messages)


def together(wide: Spacing, calls: int) -> int:
    """How many slots a worker with so many calls ahead of it may reserve at once."""
    return max(1, min(calls, 1 + int(TOGETHER / wide.longest))) if wide.longest else max(1, calls)


def spacing(pace: Pace, messages: int) -> Spacing:
    """How long a call with so many messages keeps the next one waiting."""
    return Spacing(_between(1, pace.calls_per_second), _between(messages, pace.messages_per_second))


def _between(cost: int, per_second: float | None) -> float:
    if not per_second or not cost:
        return 0.0
    own = cost / per_second
    in_second = (1 + LATE) * own / (1 + own)
    in_minute = math.floor(_MINUTE * (1 + MINUTE_OVER) / own)
    return max(own, in_second, (_MINUTE + LATE) / in_minute if in_minute else 0.0)
