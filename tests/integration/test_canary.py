"""The canary: a large broadcast that begins badly halts itself, and goes on when somebody says so."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from broadcaster import clock
from broadcaster.delivery.canary import Canary
from broadcaster.operations import holding
from broadcaster.operations.holding import Target
from broadcaster.site import CanaryConfig
from broadcaster.storage import holds
from broadcaster.storage.holds import Scope
from tests.support.examples import local
from tests.support.product import ACTOR, Product

RULE = CanaryConfig(above=2000, share=0.3, failures=0.2)


@pytest.fixture
def large(product: Product) -> tuple[Product, str]:
    """The SMS notice to 3,500 people, opened where more than 2,000 are a large broadcast."""
    site = product.parts.site.model_copy(update={"canary": RULE})
    product.parts = replace(product.parts, site=site)
    product.at(local("2022-02-18 10:00"))
    product.gather(3500)
    product.publish()
    return product, product.open("sms")


def test_only_the_canary_is_cut_at_first(large: tuple[Product, str]) -> None:
    """30 % of 3,500 are 1,050: two batches, because batches are not divided."""
    product, broadcast = large
    product.cut()
    assert [row.recipients for row in product.batches(broadcast)] == [1000, 1000]


def test_a_canary_that_went_well_lets_the_rest_go(large: tuple[Product, str]) -> None:
    """Everybody is told, once."""
    product, broadcast = large
    product.deliver_all(broadcast)
    product.cut()
    product.cut()
    product.deliver_all(broadcast)
    assert product.broadcast(broadcast).canary == "passed"
    assert len(product.shown(broadcast)) == product.broadcast(broadcast).accepted == 3500 - 3


def test_a_canary_that_failed_halts_the_broadcast_and_says_why(large: tuple[Product, str]) -> None:
    """Half of its calls are refused: nothing more is cut, and the hold has the figures."""
    product, broadcast = large
    product.order(channel="sms", kind="status", status=400, times=5)
    product.deliver_all(broadcast)
    product.cut()
    product.cut()
    with product.transaction() as connection:
        [hold] = holds.standing(connection)
    assert (hold.scope, hold.target, hold.halted) == (Scope.BROADCAST, broadcast, True)
    assert re.match(r"canary: 1,00\d of the first 2,000 recipients failed \(50%, allowed 20%\)", hold.reason)
    assert len(product.batches(broadcast)) == 2
    assert product.broadcast(broadcast).state == "open"


def test_resumed_the_broadcast_goes_on(large: tuple[Product, str]) -> None:
    """Somebody looked into it; those whom the canary failed stay so, until they are retried."""
    product, broadcast = large
    product.order(channel="sms", kind="status", status=400, times=5)
    product.deliver_all(broadcast)
    product.cut()
    with product.transaction() as connection:
        holding.resume(connection, Target(Scope.BROADCAST, broadcast), ACTOR, clock.now())
    product.cut()
    product.deliver_all(broadcast)
    row = product.broadcast(broadcast)
    assert (row.state, row.accepted + row.rejected) == ("closed", 3500)
    assert set(product.shown(broadcast).values()) == {1}


@pytest.mark.parametrize(
    ("told", "failed", "goes_on"), [(1000, 200, True), (1000, 201, False), (0, 0, True), (1, 1, False)]
)
def test_the_verdict_is_by_share(told: int, failed: int, goes_on: bool) -> None:
    """Exactly the allowed share is still allowed."""
    assert (Canary(RULE).verdict(told, failed) is None) == goes_on
