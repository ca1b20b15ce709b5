"""Tallies: running sums that the metrics show, raised in the transaction that makes what they count true.

A tally is a name and a label of parts that are joined by `|`, such as `outcomes` and `sms|east|accepted`. Labels name
channels, providers and outcomes, never people. Every worker raises the same few rows: call `add` once a batch and last
in its transaction, so that nobody waits for them long.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, text

from broadcaster.storage.tables import tallies

Key = tuple[str, str]
"""A tally's name and label."""

OUTCOMES = "outcomes"
"""`channel|provider|outcome` → recipients."""
PACING_WAITS = "pacing_waits"
"""`channel|provider` → how often a worker had to wait for a provider's pace."""
PACING_WAIT_SECONDS = "pacing_wait_seconds"
"""`channel|provider` → how long they waited."""
RECEIPTS = "receipts"
"""`channel|provider|status` → receipts that were joined to the ledger."""

# The order of the rows is the order of their locks: sorted, two batches never wait for each other.
_RAISE = text(
    """
    INSERT INTO tallies (name, label, value)
    SELECT * FROM unnest(CAST(:names AS text[]), CAST(:labels AS text[]), CAST(:amounts AS float8[]))
    ON CONFLICT (name, label) DO UPDATE SET value = tallies.value + EXCLUDED.value
    """
)


def add(connection: Connection, amounts: Mapping[Key, float]) -> None:
    """Raise tallies, in the caller's transaction."""
    ordered = sorted((key, amount) for key, amount in amounts.items() if amount)
    if not ordered:
        return
    values = {
        "names": [name for (name, _), _ in ordered],
        "labels": [label for (_, label), _ in ordered],
        "amounts": [float(amount) for _, amount in ordered],
    }
    connection.execute(_RAISE, values)


def read(connection: Connection) -> dict[Key, float]:
    """Every tally."""
    return {(row.name, row.label): row.value for row in connection.execute(select(tallies))}
