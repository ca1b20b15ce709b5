"""False statements: for how long screens and posts stated something that was no longer true, by channel.

From the instant of each change until a screen fetched the document that says it, or an account's successor was
accepted; still counting for those that have not. The target for screens is a minute in one go.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from broadcaster.reporting import posts, surfaces
from broadcaster.reporting.statements import FalseTime


def false_times(connection: Connection, slug: str, now: datetime) -> dict[str, FalseTime]:
    """Channel → for how long something false was stated of an announcement, up to `now`, campaign time."""
    return surfaces.false_times(connection, slug, now) | posts.false_times(connection, slug, now)


def false_statement_minutes(connection: Connection, slug: str, now: datetime) -> Mapping[str, float]:
    """Channel → minutes during which something no longer true was stated, all its screens or accounts together."""
    return {channel: found.minutes for channel, found in false_times(connection, slug, now).items()}


def stated(connection: Connection, slug: str, now: datetime) -> dict[str, Any]:
    """What a report says of it: the minutes of all together, and those of the worst one in one go."""
    found = false_times(connection, slug, now)
    return {
        "false_statement_minutes": {channel: row.minutes for channel, row in found.items()},
        "longest_false_statement_minutes": {channel: row.longest_minutes for channel, row in found.items()},
    }
