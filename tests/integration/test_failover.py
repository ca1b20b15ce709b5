"""Several providers behind a channel: shares by weight, and going elsewhere only with what surely nobody saw."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from broadcaster.channels.base import Idempotency
from broadcaster.channels.provider import BreakerRule, Pace, Provider
from tests.support.examples import local
from tests.support.product import Product

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def opened(product: Product) -> tuple[Product, str]:
    """The SMS notice to 900 people, opened, nothing of it carried yet."""
    product.at(local("2022-02-18 10:00"))
    product.gather(900)
    product.publish()
    return product, product.open("sms")


def two(product: Product, **east: object) -> dict[str, dict[str, Provider]]:
    """The site's providers with two for SMS: `east` as given, `west` as it stands."""
    providers = product.parts.providers()
    known = providers["sms"]["sandbox-sms"]
    west = replace(known, name="west", members_per_call=50)
    providers["sms"] = {"east": replace(west, name="east", **east), "west": west}  # type: ignore[arg-type]
    return providers


def shares(product: Product, broadcast: str) -> Counter[str]:
    """How many recipients each provider accepted."""
    return Counter(row.provider for row in product.ledger(broadcast) if row.outcome == "accepted")


def test_calls_are_shared_by_weight(opened: tuple[Product, str]) -> None:
    """A provider of weight 0 stands by; everything goes through the other."""
    product, broadcast = opened
    product.deliver(broadcast, product.another_courier(providers=two(product, weight=0)))
    assert shares(product, broadcast) == {"west": 900}


def test_both_of_two_equal_providers_are_used(opened: tuple[Product, str]) -> None:
    """Eighteen calls drawn at random all fall to the same one once in 131,072 times."""
    product, broadcast = opened
    product.deliver(broadcast, product.another_courier(providers=two(product)))
    assert set(shares(product, broadcast)) == {"east", "west"}


def test_what_a_provider_surely_did_not_see_goes_through_the_other(opened: tuple[Product, str]) -> None:
    """East refuses connections: everybody is told through west in the same claim, once."""
    product, broadcast = opened
    product.deliver(broadcast, product.another_courier(providers=two(product, url=NOWHERE, weight=1000)))
    assert shares(product, broadcast) == {"west": 900}
    assert set(product.shown(broadcast).values()) == {1}


def test_a_stand_by_takes_over_when_the_others_are_away(opened: tuple[Product, str]) -> None:
    """Weight 0 is used as soon as nobody else can be called."""
    product, broadcast = opened
    providers = two(product, url=NOWHERE)
    providers["sms"]["west"] = replace(providers["sms"]["west"], weight=0)
    product.deliver(broadcast, product.another_courier(providers=providers))
    assert shares(product, broadcast) == {"west": 900}


def test_what_is_in_doubt_at_one_provider_is_never_sent_through_the_other(opened: tuple[Product, str]) -> None:
    """East accepts a call and loses the answer: its members wait for east, or stay unknown where it cannot dedupe."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_after", times=1)
    providers = two(product, weight=1000, idempotency=Idempotency.NONE)
    providers["sms"]["west"] = replace(providers["sms"]["west"], weight=0)
    product.deliver(broadcast, product.another_courier(providers=providers))
    outcomes = Counter((row.provider, row.outcome) for row in product.ledger(broadcast))
    assert outcomes == {("east", "unknown"): 50, ("east", "accepted"): 850}
    assert set(product.shown(broadcast).values()) == {1}


def test_an_open_circuit_sends_the_rest_elsewhere(opened: tuple[Product, str]) -> None:
    """East answers 500 to whatever it gets: after two calls it is left alone, and only those two wait for it."""
    product, broadcast = opened
    product.order(channel="sms", kind="status", status=500, times=2)
    rule = BreakerRule(failures=0.5, calls=2, open_seconds=600)
    providers = two(product, weight=1000, breaker=rule)
    providers["sms"]["west"] = replace(providers["sms"]["west"], weight=0)
    product.deliver(broadcast, product.another_courier(providers=providers))
    row = product.broadcast(broadcast)
    assert (row.accepted, row.in_doubt) == (800, 100)
    assert shares(product, broadcast) == {"west": 800}


def test_waiting_for_the_pace_is_no_failed_attempt(opened: tuple[Product, str]) -> None:
    """A slow provider's batch comes back, without the back-off of one whose calls failed."""
    product, broadcast = opened
    slow = two(product, pace=Pace(calls_per_second=0.01))
    del slow["sms"]["west"]
    product.deliver(broadcast, product.another_courier(providers=slow))
    [batch] = product.batches(broadcast)
    assert (batch.done, batch.attempts) == (False, 0)
    assert batch.next_attempt_at is not None
