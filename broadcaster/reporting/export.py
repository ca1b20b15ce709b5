"""Export: the ledger of an announcement, one row a delivery, streamed from the database to whoever writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from broadcaster.storage import announcements, ledger
from broadcaster.storage import broadcasts as broadcast_rows
from broadcaster.vault import UnopenedError, Vault

UNREADABLE = "?"
"""The phone of a row that does not open."""

Shown = Callable[[str], str]
"""How a phone is shown: in full, or masked."""


class Exported(NamedTuple):
    """One delivery. `phone` is empty for endpoints and accounts, whose name is `provider`; times are local."""

    broadcast: str
    phase: str
    occurrence: str
    channel: str
    provider: str
    revision: int
    recipient: int
    phone: str
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
                yield _exported(broadcast, row, _phone(row, vault, shown), zone)


def _exported(broadcast: Row[Any], row: Row[Any], phone: str, zone: ZoneInfo) -> Exported:
    return Exported(
        broadcast=broadcast.id,
        phase=broadcast.phase,
        occurrence=broadcast.occurrence,
        channel=broadcast.channel,
        provider=row.provider,
        revision=row.revision,
        recipient=row.recipient_id,
        phone=phone,
        outcome=row.outcome,
        reason=row.reason,
        reference=row.reference,
        at=row.at.astimezone(zone),
        receipt=row.receipt,
        receipt_at=row.receipt_at.astimezone(zone) if row.receipt_at else None,
    )


def _phone(row: Row[Any], vault: Vault, shown: Shown) -> str:
    if row.pool != "":  # an endpoint, or somebody whose row is purged
        return ""
    try:
        phone, _ = vault.open(row.handle, row.sealed)
    except UnopenedError:
        return UNREADABLE
    return shown(phone)
