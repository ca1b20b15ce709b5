"""Export: the ledger of an announcement, one row a delivery, streamed from the database to whoever writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.storage import announcements, ledger
from broadcaster.storage import broadcasts as broadcast_rows
from broadcaster.vault import UnopenedError, Vault

UNREADABLE = "?"
"""The address of a row that does not open."""

Shown = Mapping[str, tuple[str, Callable[[str], str]]]
"""Pool of people → which column their addresses stand in, and how one is shown: in full, or masked."""


class Exported(NamedTuple):
    """One delivery. `phone` and `openid` are empty but for who is found by it; times are local.

    Endpoints and accounts are known by their `provider`."""

    broadcast: str
    phase: str
    occurrence: str
    channel: str
    provider: str
    revision: int
    recipient: int
    phone: str
    openid: str
    outcome: str
    reason: str
    reference: str
    at: datetime
    receipt: str
    receipt_at: datetime | None


def deliveries(
    connection: Connection, slug: str, vault: Vault, shown: Shown, *, failures_only: bool
) -> Iterator[Exported]:
    """Every delivery, broadcast by broadcast in the order of their due times; with few rows in memory at once.

    `failures_only`: those whose outcome is not accepted, or whom a receipt failed.
    """
    standing = announcements.find(connection, slug)
    assert standing is not None  # noqa: S101 - the caller has found it
    zone = ZoneInfo(standing.zone)
    for broadcast in broadcast_rows.rows_of(connection, slug):
        if broadcast.opened_at is not None:
            for row in ledger.deliveries_of(connection, broadcast.id, failures_only=failures_only):
                yield _exported(broadcast, row, _address(row, vault, shown), zone)


def _exported(broadcast: Row[Any], row: Row[Any], address: Mapping[str, str], zone: ZoneInfo) -> Exported:
    return Exported(
        broadcast=broadcast.id,
        phase=broadcast.phase,
        occurrence=broadcast.occurrence,
        channel=broadcast.channel,
        provider=row.provider,
        revision=row.revision,
        recipient=row.recipient_id,
        phone=address.get("phone", ""),
        openid=address.get("openid", ""),
        outcome=row.outcome,
        reason=row.reason,
        reference=row.reference,
        at=row.at.astimezone(zone),
        receipt=row.receipt,
        receipt_at=row.receipt_at.astimezone(zone) if row.receipt_at else None,
    )


def _address(row: Row[Any], vault: Vault, shown: Shown) -> Mapping[str, str]:
    """What somebody is found by, in its column; nothing for an endpoint, or somebody whose row is purged."""
    if row.pool not in shown:
        return {}
    column, show = shown[row.pool]
    try:
        address, _ = vault.open(row.handle, row.sealed)
    except UnopenedError:
        return {column: UNREADABLE}
    return {column: show(address)}
