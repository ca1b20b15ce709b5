"""`ledger` and `failures`: what one person was told, and who was not reached."""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import Row

from broadcaster.announcement.times import zone_of
from broadcaster.audience.phone import e164, masked
from broadcaster.cli.screen import console, minute, print_json, table
from broadcaster.cli.session import session
from broadcaster.errors import InputError, StateError
from broadcaster.operations.naming import broadcast_named
from broadcaster.operations.revise import required
from broadcaster.storage import announcements
from broadcaster.storage import ledger as rows
from broadcaster.storage.announcements import Standing
from broadcaster.storage.audiences import PEOPLE
from broadcaster.storage.recipients import id_of


def ledger(phone: str, slug: str | None, *, as_json: bool) -> None:
    """Print every delivery to the person with this number, oldest first; also to one who left the audience."""
    number = _number(phone)
    with session() as parts, parts.database.begin() as connection:
        asked = [required(connection, slug, lock=False)] if slug else announcements.all_standing(connection)
        person = id_of(connection, parts.vault.handle(PEOPLE, number))
        if person is None:
            raise StateError(f"nobody in the audience has the number {masked(number)}, and nobody had it")
        zones = {row.slug: row.zone for row in asked}
        found = [_data(row, zones) for row in rows.told(connection, person, slug)]
    for standing in asked:
        tell_purged(standing)
    if as_json:
        print_json(found)
        return
    columns = ("told at", "announcement", "revision", "phase", "channel", "provider", "outcome", "receipt", "reason")
    shown = table(f"{masked(number)}, {len(found)} messages", columns, numbers=("revision",))
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


def _number(phone: str) -> str:
    try:
        return e164(phone)
    except ValueError as error:
        raise InputError.one(f"--phone: {error}", hint="such as 13800138000 or +8613800138000") from error


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
