"""How fast a backlog of receipts is joined to the ledger: by the control worker, beside its ticks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.ours import Product, Setup, running
from bench.patience import await_progress
from bench.site import PROVIDER
from broadcaster import clock
from broadcaster.settings import Settings
from broadcaster.storage import ledger
from broadcaster.storage.receipts import Receipt, ReceiptStatus, append

LOOK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Joined:
    """So many receipts were joined in so many seconds."""

    receipts: int
    seconds: float

    @property
    def rate(self) -> float:
        """Receipts a second."""
        return self.receipts / self.seconds


def measure(settings: Settings, slug: str) -> Joined:
    """Store a receipt for everybody who was told of an announcement, and see how fast they are joined.

    Counted from the first joined ones that are seen to the last: what starting takes is not part of it.
    """
    with running(settings, Setup()) as product:

        def delivered() -> int:
            return int(product.notice(slug).delivered)

        row = product.notice(slug)
        _store(product, row.id)
        stored = time.monotonic()
        await_progress(lambda: delivered() > 0, delivered, "the first receipt", LOOK_EVERY)
        first_seen, first = time.monotonic(), delivered()
        await_progress(lambda: delivered() >= row.accepted, delivered, "the last receipt", LOOK_EVERY)
        if first >= row.accepted:  # so few that all came at once
            return Joined(first, first_seen - stored)
        return Joined(row.accepted - first, time.monotonic() - first_seen)


def _store(product: Product, broadcast_id: str) -> None:
    """As the callback endpoint stores them, in one transaction: nothing is joined before all are there."""
    now = clock.now()
    with product.parts.database.begin() as connection:
        ids = [id_ for id_, _ in ledger.outcomes(connection, broadcast_id)]
        rows = (Receipt(broadcast_id, id_, ReceiptStatus.DELIVERED, now) for id_ in ids)
        append(connection, "sms", PROVIDER, rows)
