"""`retry-failed`: telling those whom a broadcast failed to reach."""

from __future__ import annotations

from broadcaster import clock
from broadcaster.cli.screen import console, print_json
from broadcaster.cli.session import operator, session
from broadcaster.operations import retrying


def retry_failed(broadcast: str, reason: str, *, as_json: bool) -> None:
    """Add a broadcast for them to the plan, due now."""
    with session() as parts, parts.database.begin() as connection:
        retry = retrying.retry_failed(connection, broadcast, reason, operator(), clock.now())
    row = retry.broadcast
    if as_json:
        found = {"broadcast": row.id, "slug": row.slug, "retries": row.retries, "occurrence": row.occurrence}
        print_json({**found, "recipients": retry.recipients, "expires_at": row.expires_at.isoformat()})
        return
    console.print(f"{row.id}: {row.occurrence} by {row.channel}, {retry.recipients:,} recipients, due now")
    console.print(f"  broadcaster status {row.slug} --watch")
