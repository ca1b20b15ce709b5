"""Corrections: a change reaches exactly those who were told otherwise, with what has changed for them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from broadcaster import clock
from broadcaster.operations import amending, correcting
from broadcaster.operations.amending import Times
from broadcaster.planning.phase import Phase
from broadcaster.storage import staleness
from tests.support.examples import SLUG, local
from tests.support.product import ACTOR, Product

MORNING = local("2022-02-18 10:00")


@pytest.fixture
def told(product: Product) -> Product:
    """The example, its notice accepted by 300 people on a quiet morning."""
    product.at(MORNING)
    product.gather(300)
    product.publish()
    product.deliver_all(product.open("sms"))
    return product


def extend(product: Product, until: datetime) -> None:
    """Move the end, as `extend` does."""
    with product.transaction() as connection:
        standing, proposal = amending.approved_proposal(connection, SLUG)
        wanted = amending.amended(proposal, Times(end=until))
        amending.amend(connection, wanted, standing.approved_revision, "", ACTOR, clock.now(), product.parts.reach)


def stale(product: Product, channel: str = "sms") -> int:
    """How many are stale on a channel, counted now."""
    correcting.correct(product.parts.database, clock.now(), product.parts.reach)
    with product.transaction() as connection:
        found = staleness.counted(connection, SLUG)
    return found[channel].count.stale if channel in found else 0


def test_whoever_was_told_the_old_end_is_corrected(told: Product) -> None:
    """All 300 hold the old end as soon as it is moved, and nobody does once they were told."""
    told.at(local("2022-02-19 10:00"))
    extend(told, local("2022-03-24 23:00") + timedelta(hours=1))
    assert stale(told) == 300
    told.deliver_all(told.open("sms", Phase.CHANGED))
    assert stale(told) == 0
