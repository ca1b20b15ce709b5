"""Changing an announcement that people were told of, in the test's own process."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests

from broadcaster import clock
from broadcaster.operations import amending, correcting
from broadcaster.operations.amending import Times
from broadcaster.planning.proposal import Proposal
from broadcaster.storage import audiences, staleness
from broadcaster.storage.believers import Count
from tests.support.examples import SLUG
from tests.support.product import ACTOR, Product


def move(product: Product, **times: datetime) -> None:
    """Give the announcement other times (`start`, `end`, `resume`), as `extend` and `reschedule` do."""
    with product.transaction() as connection:
        standing, proposal = amending.approved_proposal(connection, SLUG)
        wanted = amending.amended(proposal, Times(**times))
        amending.amend(connection, wanted, standing.approved_revision, "", ACTOR, clock.now(), product.parts.reach)


def replace_with(product: Product, proposal: Proposal) -> None:
    """Approve another proposal, as `apply --plan` does."""
    with product.transaction() as connection:
        standing, _ = amending.approved_proposal(connection, SLUG)
        amending.amend(connection, proposal, standing.approved_revision, "", ACTOR, clock.now(), product.parts.reach)


def counted(product: Product, channel: str = "sms") -> Count:
    """Who is stale on a channel, counted now: however long the last count took, it was long ago."""
    with product.transaction() as connection:
        connection.exec_driver_sql("UPDATE staleness SET counted_at = counted_at - interval '1 day'")
    correcting.correct(product.parts.database, clock.now(), product.parts.reach)
    with product.transaction() as connection:
        found = staleness.counted(connection, SLUG)
    return found[channel].count if channel in found else Count()


def audience(product: Product, people: Mapping[str, tuple[str, ...]]) -> None:
    """Make these people (phone → tags) the whole audience."""
    rows = [(phone, "", "zh-Hans", list(tags)) for phone, tags in people.items()]
    with product.transaction() as connection:
        audiences.stage(connection, audiences.PEOPLE, product.parts.vault, rows)
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=False)


def texts(product: Product, broadcast: str) -> list[str]:
    """What the sandbox's phone shows of a broadcast's phase, newest last."""
    now = int(clock.now().timestamp() * 1000) + 1000
    answer: dict[str, Any] = requests.get(f"{product.sandbox_url}/api/shown?at={now}", timeout=10).json()
    phase = product.broadcast(broadcast).phase
    return [row["text"] for row in answer["phone"]["messages"] if row["phase"] == phase]
