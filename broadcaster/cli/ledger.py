"""`ledger` and `failures`: what one person was told, and who was not reached."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from broadcaster.announcement.times import zone_of
from broadcaster.audience.pools import Pool, pools
from broadcaster.channels.base import AddressKind
from broadcaster.cli.screen import console, minute, print_json, table
from broadcaster.cli.session import session
from broadcaster.cli.suppress import read_address
from broadcaster.errors import InputError, StateError
from broadcaster.operations.naming import broadcast_named
from broadcaster.operations.revise import required
from broadcaster.storage import announcements
from broadcaster.storage import ledger as rows
from broadcaster.storage.announcements import Standing
from broadcaster.storage.recipients import id_of


def ledger(addresses: Mapping[AddressKind, str | None], slug: str | None, *, as_json: bool) -> None:
    """Print every delivery to the person with this address, oldest first; also to one who left the audience."""
    pool, address = _asked(addresses)
    with session() as parts, parts.database.begin() as connection:
        asked = [required(connection, slug, lock=False)] if slug else announcements.all_standing(connection)
        person = id_of(connection, parts.vault.handle(pool.name, address))
        if person is None:
            raise StateError(f"nobody in the audience has the {pool.noun} {pool.masked(address)}, and nobody had it")
        zones = {row.slug: row.zone for row in asked}
        found = [_data(row, zones) for row in rows.told(connection, person, slug)]
    for standing in asked:
        tell_purged(standing)
    if as_json:
        print_json(found)
        return
    columns = ("told at", "announcement", "revision", "phase", "channel", "provider", "outcome", "receipt", "reason")
    shown = table(f"{pool.masked(address)}, {len(found)} messages", columns, numbers=("revision",))
    for row in found:
        head = (minute(row["at"]), row["announcement"], f"{row['revision']}", row["phase"], row["channel"])
        shown.add_row(*head, row["provider"] or "–", row["outcome"], row["receipt"] or "–", row["reason"])
    console.print(shown)


def failures(slug: str, broadcast: str | None, *, as_json: bool) -> None:
    """Print how many were not reached, by channel, provider, outcome and reason."""
    with session() as parts, parts.database.begin() as connection:
        standing = required(connection, slug, lock=False)
        of_broadcast = broadcast_named(connection, broadcast) if broadcast else None
        if of_broadcast is not None and of_broadcast.slug != slug:
            raise StateError(f"broadcast {of_broadcast.id} is one of {of_broadcast.slug}, not of {slug}")
        found = rows.failures(connection, slug, of_broadcast.id if of_broadcast is not None else None)
    tell_purged(standing)
    columns = ("recipients", "channel", "provider", "outcome", "reason")
    if as_json:
        print_json(
            [{name: getattr(row, "number" if name == "recipients" else name) for name in columns} for row in found]
        )
        return
    shown = table(f"{sum(row.number for row in found):,} not reached", columns, numbers=("recipients",))
    for row in found:
        shown.add_row(f"{row.number:,}", row.channel, row.provider or "–", row.outcome, row.reason)
    console.print(shown)


def tell_purged(standing: Standing) -> None:
    """Say on standard error when an announcement's deliveries are no longer there."""
    if standing.purged_at:
        at = standing.purged_at.astimezone(zone_of(standing.zone))
        sys.stderr.write(f"{standing.slug}: who was told what was purged at {minute(at)}; its totals are kept\n")


def _asked(addresses: Mapping[AddressKind, str | None]) -> tuple[Pool, str]:
    """The one address that was given, and the pool that has such addresses."""
    given = [(kind, text) for kind, text in addresses.items() if text is not None]
    if len(given) != 1:
        raise InputError.one(f"give one of {', '.join(f'--{kind}' for kind in addresses)}")
    [(kind, text)] = given
    pool = next(pool for pool in pools().values() if pool.kind is kind)
    return pool, read_address(pool, text, f"--{kind}")


def _data(row: Row[Any], zones: dict[str, str]) -> dict[str, Any]:
    zone = zone_of(zones[row.slug])
    return {
        "at": row.at.astimezone(zone).isoformat(timespec="seconds"),
        "announcement": row.slug,
        "revision": row.revision,
        "phase": row.phase,
        "occurrence": row.occurrence,
        "channel": row.channel,
        "provider": row.provider,
        "outcome": row.outcome,
        "receipt": row.receipt,
        "receipt_at": row.receipt_at.astimezone(zone).isoformat(timespec="seconds") if row.receipt_at else None,
        "reason": row.reason,
        "reference": row.reference,
    }
