"""Several calls that one stride writes down: what a kill, a stop or a refusal between them makes of each."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from broadcaster import clock
from broadcaster.channels.base import Idempotency
from broadcaster.delivery import striding
from broadcaster.operations import conclude
from tests.integration.test_guard import once
from tests.integration.test_holding import EVERYTHING, hold, resume
from tests.integration.test_suppressions import suppress
from tests.support.examples import SLUG, local
from tests.support.product import ACTOR, Killed, Product, kill

PEOPLE = 450
CALLS = [50, 200, 200]
"""How many members the calls of one batch of so many people have."""


@pytest.fixture
def opened(product: Product) -> tuple[Product, str]:
    """The SMS notice to a batch of people, opened, nothing of it carried yet."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish()
    return product, product.open("sms")


def standing(product: Product, broadcast: str) -> list[int]:
    """How many members each call has that is written down."""
    return sorted(len(call.members) for call in product.calls(broadcast))


def nth(number: int, deed: Callable[[], None]) -> Callable[[], None]:
    """The deed at the call of this number, from 1, nothing at the others."""
    calls = iter(range(1, 1_000_000))

    def happen() -> None:
        if next(calls) == number:
            deed()

    return happen


@pytest.mark.parametrize(
    ("idempotency", "together"),
    [(Idempotency.IDEMPOTENT, CALLS), (Idempotency.QUERYABLE, [200]), (Idempotency.NONE, [200])],
)
def test_only_what_a_provider_dedupes_is_written_down_together(
    opened: tuple[Product, str], idempotency: Idempotency, together: list[int]
) -> None:
    """A row that stands may have been seen: one that cannot be repeated is written right before its call."""
    product, broadcast = opened
    seen: list[list[int]] = []
    looking = product.worker("sms", once(lambda: seen.append(standing(product, broadcast))), idempotency)
    product.deliver(broadcast, looking)
    assert seen == [together]
    assert standing(product, broadcast) == []
    assert set(product.shown(broadcast).values()) == {1}


def test_after_a_kill_every_call_is_made_under_its_key(opened: tuple[Product, str]) -> None:
    """Killed after the second of three: the two are known to the provider, the third is new to it."""
    product, broadcast = opened
    with contextlib.suppress(Killed):
        product.deliver(broadcast, product.worker("sms", nth(2, kill)))
    assert standing(product, broadcast) == CALLS
    keys = {call.key for call in product.calls(broadcast)}
    product.end_waits()
    again: set[str] = set()
    noting = product.worker("sms", once(lambda: again.update(call.key for call in product.calls(broadcast))))
    product.deliver(broadcast, noting)
    assert again == keys
    assert product.totals()["repeats"] == 2
    assert list(product.shown(broadcast).values()) == [1] * PEOPLE
    assert product.broadcast(broadcast).accepted == PEOPLE


def test_a_pause_between_two_calls_leaves_no_row(opened: tuple[Product, str]) -> None:
    """The second call is not made, and surely was not: it is free for others; resumed, everybody is told once."""
    product, broadcast = opened
    product.deliver(broadcast, product.worker("sms", once(lambda: hold(product, EVERYTHING))))
    assert standing(product, broadcast) == []
    assert product.broadcast(broadcast).accepted == 200
    resume(product, EVERYTHING)
    product.deliver(broadcast)
    assert list(product.shown(broadcast).values()) == [1] * PEOPLE
    assert product.totals()["repeats"] == 0


def test_a_cancellation_between_two_calls_skips_the_others(opened: tuple[Product, str]) -> None:
    """Nobody of the calls that were only written down is in doubt."""
    product, broadcast = opened

    def cancel() -> None:
        with product.transaction() as connection:
            conclude.cancel(connection, SLUG, "put off", ACTOR, clock.now())

    product.deliver(broadcast, product.worker("sms", once(cancel)))
    row = product.broadcast(broadcast)
    assert (row.state, row.accepted, row.skipped, row.unknown) == ("closed", 200, 250, 0)
    assert standing(product, broadcast) == []


def test_whoever_opts_out_between_two_calls_is_left_out(opened: tuple[Product, str]) -> None:
    """Also of a call that was written down with them already."""
    product, broadcast = opened
    with product.transaction() as connection:
        query = "SELECT id, handle, sealed FROM recipients WHERE pool = '' ORDER BY id DESC LIMIT 1"
        last, handle, sealed = connection.exec_driver_sql(query).one()
    phone, _ = product.parts.vault.open(handle, sealed)
    product.deliver(broadcast, product.worker("sms", once(partial(suppress, product, phone))))
    product.deliver_all(broadcast)
    assert last not in product.shown(broadcast)
    assert Counter(row.outcome for row in product.ledger(broadcast)) == {"accepted": PEOPLE - 1, "skipped": 1}


def test_what_one_provider_refuses_goes_through_another_with_the_rest(opened: tuple[Product, str]) -> None:
    """The calls that stood for a provider which nobody reaches lose their rows, and their members are told once."""
    product, broadcast = opened
    providers = product.parts.providers()
    known = providers["sms"]["sandbox-sms"]
    east = replace(known, name="east", url="http://127.0.0.1:9/", weight=1000)
    providers["sms"] = {"east": east, "west": replace(known, name="west")}
    product.deliver(broadcast, product.another_courier(providers=providers))
    assert {row.provider for row in product.ledger(broadcast)} == {"west"}
    assert standing(product, broadcast) == []
    assert list(product.shown(broadcast).values()) == [1] * PEOPLE


def test_a_stride_that_lasts_is_recorded_on_the_way(
    opened: tuple[Product, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a slow provider the ledger is not a batch behind, and the lease is renewed."""
    product, broadcast = opened
    monkeypatch.setattr(striding, "LONGEST", 0.0)
    counted: list[int] = []
    watching = product.worker("sms", lambda: counted.append(product.broadcast(broadcast).accepted))
    product.deliver(broadcast, watching)
    assert counted == [0, 200, 400]
    assert list(product.shown(broadcast).values()) == [1] * PEOPLE
