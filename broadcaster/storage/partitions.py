"""Partitions of the ledger: one an announcement, made with it and dropped when it is purged."""

from __future__ import annotations

from sqlalchemy import Connection, text

PREFIX = "deliveries_"

FILLED = 65
"""Per cent of a page that COPY fills. A receipt makes a second version of its delivery: where the page has room for it,
no index changes. Measured with Postgres 15: receipts merge at twice the rate that full pages allow."""


def partition(number: int) -> str:
    """The name of the partition of the announcement with this number."""
    return f"{PREFIX}{int(number)}"


def add_partition(connection: Connection, number: int) -> None:
    """Make the partition of the announcement with this number; workers go on writing to others meanwhile."""
    name = partition(number)
    # Attached, not created as a partition: that would lock the whole ledger against every writer.
    made = f"CREATE TABLE IF NOT EXISTS {name} (LIKE deliveries INCLUDING ALL) WITH (fillfactor = {FILLED})"
    connection.execute(text(made))
    connection.execute(text(f"ALTER TABLE deliveries ATTACH PARTITION {name} FOR VALUES IN ({int(number)})"))


def drop_partition(connection: Connection, number: int) -> None:
    """Drop an announcement's part of the ledger with everything in it; nothing to drop is not an error.

    Workers go on writing to the others meanwhile: it is detached first, which waits for whoever reads the ledger but
    makes nobody wait. That cannot be part of a transaction, so the connection is one that commits each statement.
    """
    state = connection.execute(_STATE, {"name": partition(number)}).scalar()
    if state is not None:
        # A detachment that was interrupted can only be brought to its end.
        how = "FINALIZE" if state else "CONCURRENTLY"
        connection.execute(text(f"ALTER TABLE deliveries DETACH PARTITION {partition(number)} {how}"))
    connection.execute(text(f"DROP TABLE IF EXISTS {partition(number)}"))


_STATE = text("SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass(:name)")
"""Whether its detachment was begun; no row when it is no partition."""
