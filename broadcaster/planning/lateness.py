"""Lateness: how long after its due time a message was accepted, in buckets that metrics and reports share. Pure."""

from __future__ import annotations

from bisect import bisect_left

BOUNDS: tuple[float, ...] = (
    *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    *(60, 120, 300, 600, 1800),
    *(3600, 7200, 21600, 43200, 86400),
)
"""Upper bounds in seconds, each included in its bucket; what is later than the last is in one bucket more."""

BEYOND = "+Inf"
"""The bucket after the last bound, as Prometheus writes it."""

LABELS: tuple[str, ...] = (*(f"{bound:g}" for bound in BOUNDS), BEYOND)
"""Each bucket's name: its bound in seconds."""


def bucket(seconds: float) -> str:
    """The name of the bucket for so many seconds; what came before its due time counts as on time."""
    return LABELS[bisect_left(BOUNDS, seconds)]
