"""Callbacks: what a provider sends us of its own accord, and what it may say with it.

A provider calls `<public_url>/callbacks/<channel>/<provider>`. Its adapter checks that it was the provider, reads what
it says, and gives the answer that the provider expects; nothing here touches a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


class ReceiptStatus(StrEnum):
    """What a provider said afterwards. Both are final: the first that arrives stays."""

    DELIVERED = "delivered"
    FAILED = "failed"


class Receipt(NamedTuple):
    """A provider's word on one delivery.

    One of our own format names broadcast and recipient. A vendor names what it knows: the recipient's `address` (an
    E.164 phone, the name of an account), and the broadcast where we could give it one, else its own `reference` of the
    delivery; of several, each on a line, the ledger knows one. Then `recipient_id` is 0, and the delivery is looked up
    when the receipt is joined to the ledger.
    """

    broadcast_id: str
    recipient_id: int
    status: ReceiptStatus
    at: datetime
    address: str = ""
    reference: str = ""


_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def happened_at(said: datetime, now: datetime) -> datetime:
    """When a receipt was made, by what a provider says of it; both are aware.

    Never later than `now`, when it came in: the provider's clock may run ahead. Never before 1970: a system that knows
    no time may say the year 1, which in another zone is none that can be read again.
    """
    return max(min(said, now), _EARLIEST)


@dataclass(frozen=True, slots=True)
class Callback:
    """A request as it came in; header names are in lower case, `query` has the last value of each name."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What a callback said, and what the provider is answered once that is stored."""

    receipts: tuple[Receipt, ...] = ()
    answer: bytes = b'{"code": 0, "msg": "ok"}'
    media_type: str = JSON


class ForgedError(Exception):
    """A callback that its provider did not send, or not just now: a wrong signature or token, or one too old."""
