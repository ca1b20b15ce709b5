"""Whether more recipients cost more each: the same broadcast to audiences of growing size, and what memory it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.ours import Sent, Setup, send
from broadcaster.settings import Settings

SMALL = 200_000
"""Up to this size a broadcast is over in seconds, and the median of several is taken."""


@dataclass(frozen=True, slots=True)
class Grown:
    """One size. `peak_rss_mb` is the most that a single process of ours had, as PSS."""

    recipients: int
    recipients_per_s: float
    sending_per_s: float
    """From opened to closed: without the wait for a tick, which a small broadcast feels most."""
    peak_rss_mb: float
    peaks_mb: dict[str, float]


def measure(settings: Settings, recipients: int, repeats: int) -> Grown:
    """Send to everybody in the database."""
    times = repeats if recipients <= SMALL else 1
    found = [send(settings, Setup(), f"growth-{number}", recipients) for number in range(times)]
    peaks = _peaks(found)
    return Grown(
        recipients,
        round(median(row.rate for row in found), 1),
        round(median(row.recipients / row.sending for row in found), 1),
        round(max(peaks.values(), default=0.0), 1),
        peaks,
    )


def _peaks(found: Sequence[Sent]) -> dict[str, float]:
    parts = {part for row in found for part in row.peaks_mb}
    return {part: round(max(row.peaks_mb.get(part, 0.0) for row in found), 1) for part in sorted(parts)}
