"""Replanning in turn: a thousand announcements do not keep the scheduler's ticks waiting, and none is forgotten."""

from __future__ import annotations

import pytest

from broadcaster import clock
from broadcaster.operations import advance, revise
from tests.support.examples import example, local
from tests.support.product import ACTOR, Product

SLUGS = ("a-first", "b-second", "c-third")


def test_each_announcement_has_its_turn(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that has no time goes one further; after the last one it begins anew."""
    monkeypatch.setattr(advance, "LONGEST_REPLANNING", 0.0)
    product.at(local("2022-02-18 10:00"))
    product.gather(3)
    with product.transaction() as connection:
        for slug in SLUGS:
            named = example().announcement.model_copy(update={"slug": slug})
            proposal = example().model_copy(update={"announcement": named})
            revise.propose(connection, proposal, ACTOR, clock.now())
            revise.approve(connection, slug, 1, ACTOR, clock.now(), product.parts.reach)
    turns, last = [], ""
    for _ in range(4):
        with product.transaction() as connection:
            last = advance.replan_in_turn(connection, clock.now(), product.parts.reach, last)
        turns.append(last)
    assert turns == [*SLUGS, SLUGS[0]]
