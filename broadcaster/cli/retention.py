"""`purge`: forgetting who was told what."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta

from broadcaster import clock
from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.screen import console, print_json, table
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError
from broadcaster.operations import purging
from broadcaster.operations.purging import Purge, Wish

_DAYS = re.compile(r"(\d{1,5})d")


def purge(older_than: str, slug: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Delete the details of what is long over; with `dry_run`, say what would be deleted."""
    wish, now = Wish(_age(older_than), slug), clock.now()
    with session() as parts:
        if dry_run:
            with parts.database.begin() as connection:
                found = purging.preview(connection, wish, CHANNELS, now)
        else:
            found = purging.purge(parts.database, wish, CHANNELS, operator(), now)
    if as_json:
        print_json({"dry_run": dry_run, **asdict(found)})
    else:
        _show(found, dry_run=dry_run)


def _age(text: str) -> timedelta:
    match = _DAYS.fullmatch(text.strip())
    if not match or not int(match[1]):
        raise InputError.one(f"--older-than: {text!r} is not a number of days", hint="such as 365d; one day at least")
    return timedelta(days=int(match[1]))


def _show(found: Purge, *, dry_run: bool) -> None:
    columns = ("announcement", "deliveries", "batches", "receipts")
    shown = table("to be purged" if dry_run else "purged", columns, numbers=columns[1:])
    for slug, details in found.announcements.items():
        shown.add_row(slug, f"{details.deliveries:,}", f"{details.batches:,}", f"{details.receipts:,}")
    if found.announcements:
        console.print(shown)
    else:
        console.print("no announcement is over for so long")
    for slug, why in found.kept.items():
        console.print(f"{slug} is kept: {why}")
    console.print(
        f"no longer needed: {found.recipients:,} former recipients, {found.waiting_receipts:,} receipts without a"
        f" delivery, {found.quota_days:,} recipients' days of quotas, {found.screen_fetches:,} times at which screens"
        f" fetched a document{'' if dry_run else '; deleted'}"
    )
