"""`ledger`: what one person was told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from broadcaster.announcement.times import zone_of
from broadcaster.audience.phone import e164, masked
from broadcaster.cli.screen import console, minute, print_json, table
from broadcaster.cli.session import session
from broadcaster.errors import InputError, StateError
from broadcaster.operations.revise import required
from broadcaster.storage import announcements
from broadcaster.storage import ledger as rows
from broadcaster.storage.recipients import person_by_phone


def ledger(phone: str, slug: str | None, *, as_json: bool) -> None:
    """Print every delivery to the person with this number, oldest first."""
    number = _number(phone)
    with session() as parts, parts.database.begin() as connection:
        if slug:
            required(connection, slug)
        person = person_by_phone(connection, number)
        if person is None:
            raise StateError(f"nobody in the audience has the number {masked(number)}")
        zones = {row.slug: row.zone for row in announcements.all_standing(connection)}
        found = [_data(row, zones) for row in rows.told(connection, person, slug)]
    if as_json:
        print_json(found)
        return
    columns = ("told at", "announcement", "revision", "phase", "channel", "outcome", "receipt", "reason")
    shown = table(f"{masked(number)}, {len(found)} messages", columns, numbers=("revision",))
    for row in found:
        head = (minute(row["at"]), row["announcement"], f"{row['revision']}", row["phase"], row["channel"])
        shown.add_row(*head, row["outcome"], row["receipt"] or "–", row["reason"])
    console.print(shown)


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
        "channel": row.channel,
        "outcome": row.outcome,
        "receipt": row.receipt,
        "receipt_at": row.receipt_at.astimezone(zone).isoformat(timespec="seconds") if row.receipt_at else None,
        "reason": row.reason,
        "reference": row.reference,
    }
