"""History: an announcement's ledger over time, counted by the database. For reports only: it reads the whole ledger of
one announcement, which is its own partition, and nothing on a hot path may do that.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from broadcaster.planning.lateness import BOUNDS, LABELS

STEPS = 60
"""How many stretches of equal length the time of each broadcast is divided into, from opened to closed."""


def progress(connection: Connection, slug: str, now: datetime) -> list[Row[Any]]:
    """For each `broadcast_id`, `step` (0 to STEPS - 1) and `outcome`: the `number` of recipients, in no order."""
    return list(connection.execute(_PROGRESS, {"slug": slug, "now": now, "steps": STEPS}))


def lateness(connection: Connection, slug: str) -> list[tuple[str, str, int]]:
    """For each channel and bucket of `planning.lateness`: how many recipients accepted that long after the due time."""
    bounds = sorted(-float(bound) for bound in BOUNDS)
    rows = connection.execute(_LATENESS, {"slug": slug, "bounds": bounds})
    places = sorted((row.channel, len(BOUNDS) - row.reached, row.number) for row in rows)
    return [(channel, LABELS[place], number) for channel, place, number in places]


_PROGRESS = text(
    """
    WITH opened AS (
        SELECT id, opened_at, extract(epoch FROM coalesce(closed_at, :now) - opened_at)::float8 AS seconds
        FROM broadcasts WHERE slug = :slug AND opened_at IS NOT NULL
    )
    SELECT d.broadcast_id, d.outcome, count(*) AS number,
           least(:steps - 1, greatest(0, floor(
             :steps * extract(epoch FROM d.at - o.opened_at)::float8 / greatest(0.001, o.seconds))))::int AS step
    FROM deliveries d JOIN opened o ON o.id = d.broadcast_id
    WHERE d.announcement = (SELECT number FROM announcements WHERE slug = :slug)
    GROUP BY d.broadcast_id, d.outcome, step
    """
)

# A bound belongs to its bucket, but width_bucket leaves it out: everything is counted from the other side.
_LATENESS = text(
    """
    SELECT b.channel, count(*) AS number,
           width_bucket(-extract(epoch FROM d.at - b.due_at)::float8, CAST(:bounds AS float8[])) AS reached
    FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast_id
    WHERE d.announcement = (SELECT number FROM announcements WHERE slug = :slug) AND d.outcome = 'accepted'
    GROUP BY b.channel, reached
    """
)
