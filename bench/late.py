"""How long after a change calls with the old facts still begin: an announcement is moved while it goes out."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench import announcements
from bench.ours import ACTOR, CLOSED, Product, Setup, running
from bench.patience import await_, await_progress
from broadcaster import clock
from broadcaster.operations import amending
from broadcaster.settings import Settings
from broadcaster.storage import broadcasts

BEFORE = 0.2
"""The share of the recipients who were told before the change."""
LONGEST = 120.0


@dataclass(frozen=True, slots=True)
class Late:
    """What was seen in several changes: `last_old_call_s` is the longest time from a commit to a call of before."""

    changes: int
    recipients: int
    last_old_call_s: float
    told_before: int


def measure(settings: Settings, recipients: int, changes: int) -> Late:
    """Move the end of so many announcements, each while it is told to everybody in the database."""
    longest, told_before = 0.0, 0
    with running(settings, Setup()) as product:
        for number in range(changes):
            product.sink.forget()
            committed = _change_amid(product, f"late-{number}", recipients)
            revisions = product.sink.revisions()
            longest = max(longest, revisions[1].last - committed)
            told_before += revisions[1].calls
    return Late(changes, recipients, round(max(0.0, longest), 3), told_before)


def _change_amid(product: Product, slug: str, recipients: int) -> float:
    """Let it go out, move its end in the middle, and wait until all are told; gives when the change was committed."""
    product.announce(slug)
    wanted = recipients * BEFORE
    await_(lambda: product.sink.recipients() >= wanted, "the first part of the calls", LONGEST)
    with product.parts.database.begin() as connection:
        standing, _ = amending.approved_proposal(connection, slug)
        proposal, base = announcements.later(slug), standing.approved_revision
        amending.amend(connection, proposal, base, "", ACTOR, clock.now(), product.parts.reach)
    committed = time.monotonic()

    def closed() -> bool:
        with product.parts.database.begin() as connection:
            rows = broadcasts.rows_of(connection, slug)
        return len(rows) > 1 and all(row.state == CLOSED for row in rows)

    await_progress(closed, product.sink.recipients, "the end of the correction")
    return committed
