"""Latency: what a batch adds to the running sums of due-to-accepted times. Pure."""

from __future__ import annotations

from datetime import datetime

from broadcaster.planning.lateness import bucket

BUCKETS = "latency"
"""The tally `channel|bucket` → how many were accepted that late; not cumulative."""
SECONDS = "latency_seconds"
"""The tally `channel` → the sum of their seconds."""


def tally(channel: str, due_at: datetime, at: datetime, number: int) -> dict[tuple[str, str], float]:
    """What `number` recipients add who were accepted at `at`, both times of the campaign; nothing for nobody."""
    if not number:
        return {}
    seconds = max(0.0, (at - due_at).total_seconds())
    return {(BUCKETS, f"{channel}|{bucket(seconds)}"): float(number), (SECONDS, channel): number * seconds}
