"""Suppressing people: nothing is sent to them from the next call on, whether they are in the audience or not."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from broadcaster.audience import readers
from broadcaster.audience.pools import Pool, pool_named
from broadcaster.audience.readers import Sheet
from broadcaster.audience.rejects import Rejects
from broadcaster.errors import InputError, Place, StateError
from broadcaster.storage import events, suppressions
from broadcaster.storage.suppressions import Written
from broadcaster.vault import Vault

LONGEST_REASON = 100
"""Characters."""
_NUMBER = re.compile(r"\d(?:[ -]?\d){6,}")
"""What may be somebody's number: a reason is shown in reports, which name nobody."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to suppress people on (a channel's slug; empty: all that need a phone), why, by whom and when."""

    channel: str
    reason: str
    actor: str
    at: datetime

    @property
    def pool(self) -> Pool:
        """Whose addresses the channel takes."""
        return pool_named(self.channel)


@dataclass(frozen=True, slots=True)
class FileResult:
    """What suppressing the numbers of a file did."""

    new: int
    known: int
    rejected: int
    reasons: Counter[str] = field(default_factory=Counter)
    """Why rows were rejected."""
    unkept: Counter[str] = field(default_factory=Counter)
    """Why reasons were not kept; whom they were about was suppressed all the same."""
    rejects: Path | None = None


def checked_reason(text: str) -> str:
    """A reason as it will be shown; raises ValueError when it is too long or may name somebody."""
    reason = text.strip()
    if len(reason) > LONGEST_REASON:
        raise ValueError(f"the reason has more than {LONGEST_REASON} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in reason):
        raise ValueError("the reason has a control character")
    if _NUMBER.search(reason):
        raise ValueError("the reason holds a number, and reasons are shown in reports")
    return reason


def suppress(connection: Connection, vault: Vault, address: str, order: Order) -> bool:
    """Suppress one person by an address as their pool reads it; False when they are so already."""
    written = suppressions.write(connection, vault, [(address, order.reason)], order.channel, order.actor, order.at)
    _record(connection, written, order)
    return bool(written.new)


def suppress_file(
    connection: Connection, vault: Vault, path: Path, order: Order, encoding: str | None = None
) -> FileResult:
    """Suppress everybody in a file with the column of their pool, and `reason` where it has one; bad rows are rejected.

    Raises InputError when the file as a whole cannot be used.
    """
    rejects = Rejects(path)
    try:
        with readers.opened(path, encoding) as sheet:
            people = _People(sheet, str(path), rejects, order.reason, order.pool)
            written = suppressions.write(connection, vault, people.rows(), order.channel, order.actor, order.at)
        rejects.close()
    except BaseException:
        rejects.abandon()
        raise
    _record(connection, written, order)
    return FileResult(written.new, written.known, rejects.rows, rejects.reasons, people.unkept, rejects.path)


def unsuppress(connection: Connection, vault: Vault, address: str, order: Order) -> list[str]:
    """Let one person be told again: on the order's channel, or altogether when it is empty; gives what was lifted.

    Raises StateError when nothing of the kind stands.
    """
    handle = vault.handle(order.pool.name, address)
    lifted = suppressions.lift(connection, handle, order.channel or None)
    if not lifted:
        altogether = "" in suppressions.of_handle(connection, handle)
        hint = "they are suppressed on every channel; lift that, and suppress them on others" if altogether else None
        where = f" on {order.channel}" if order.channel else ""
        raise StateError(f"{order.pool.masked(address)} is not suppressed{where}", hint=hint)
    events.record(connection, order.actor, "unsuppress", "", order.at, {"people": 1, "channels": lifted})
    return lifted


@dataclass(slots=True)
class _People:
    """The addresses of a file with their reasons; a reason that cannot be shown is left out, its address is not."""

    sheet: Sheet
    place: str
    rejects: Rejects
    reason: str
    pool: Pool
    unkept: Counter[str] = field(default_factory=Counter)

    def rows(self) -> Iterator[tuple[str, str]]:
        header, column = self.sheet.header, self.pool.column
        if column not in header:
            hint = f"expected a first line with the column {column}, and perhaps reason"
            raise InputError.one(f"the column `{column}` is missing", place=Place(self.place, 1), hint=hint)
        address_at = header.index(column)
        reason_at = header.index("reason") if "reason" in header else None
        for line, row in self.sheet.rows:
            if not any(map(str.strip, row)):
                continue
            try:
                address = self.pool.read(row[address_at].strip() if address_at < len(row) else "")
            except ValueError as error:
                self.rejects.add(line, str(error), row)
            else:
                own = row[reason_at] if reason_at is not None and reason_at < len(row) else ""
                yield address, self._kept(own) or self.reason

    def _kept(self, reason: str) -> str:
        try:
            return checked_reason(reason)
        except ValueError as error:
            self.unkept[str(error)] += 1
            return ""


def _record(connection: Connection, written: Written, order: Order) -> None:
    details = {"people": written.new, "known": written.known, "channel": order.channel or "all"}
    events.record(connection, order.actor, "suppress", "", order.at, details)
