"""When a failed call is tried again: exponentially later, with jitter, never before the provider asked. Pure."""

from __future__ import annotations

import random

FIRST_WAIT = 0.5
LONGEST_WAIT = 300.0
"""Seconds of machine time."""
LONGEST_RETRY_AFTER = 3600.0
"""A provider that asks for more is asked again after an hour all the same: the message may expire meanwhile."""
JITTER = 0.2


def wait(attempts: int, retry_after: float | None = None, chance: float | None = None) -> float:
    """Seconds to wait after `attempts` failures; `chance` in [0, 1) replaces the random part in tests."""
    drawn = random.random() if chance is None else chance  # noqa: S311 - spreads load, keeps no secret
    spread = 1 - JITTER + 2 * JITTER * drawn
    backoff = min(FIRST_WAIT * 2.0 ** min(attempts, 20), LONGEST_WAIT) * spread
    return max(backoff, min(retry_after or 0.0, LONGEST_RETRY_AFTER))
