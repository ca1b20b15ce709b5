"""Providers that can be asked: after an ambiguous failure nothing is sent again before they were."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from broadcaster import clock
from broadcaster.channels.base import Idempotency
from broadcaster.channels.provider import Provider, Quota
from broadcaster.delivery.courier import Courier
from broadcaster.storage.tables import suppressions
from tests.conftest import Servers
from tests.support.examples import local
from tests.support.product import Killed, Product, kill, running_product

CAN_BE_ASKED = {"sms": [{"name": "sandbox-sms", "idempotency": "queryable", "visible_after_seconds": 1}]}


@pytest.fixture
def opened(
    tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Product, str]]:
    """The SMS notice to 300 people, opened, nothing of it carried yet."""
    with running_product(tmp_path / "data", database_url, servers.redis, monkeypatch, CAN_BE_ASKED) as product:
        product.at(local("2022-02-18 10:00"))
        product.gather(300)
        product.publish()
        yield product, product.open("sms")


def asking(product: Product, visible_after: float = 0, quota: Quota | None = None) -> Courier:
    """A worker whose SMS provider does not dedupe, but can be asked."""
    return product.another_courier(providers=that_can_be_asked(product, visible_after, quota))


def that_can_be_asked(
    product: Product, visible_after: float, quota: Quota | None = None
) -> dict[str, dict[str, Provider]]:
    """All providers, with an SMS provider that does not dedupe."""
    providers = product.parts.providers()
    known = providers["sms"]["sandbox-sms"]
    providers["sms"]["sandbox-sms"] = replace(
        known,
        idempotency=Idempotency.QUERYABLE,
        visible_after=timedelta(seconds=visible_after),
        quota=quota or known.quota,
    )
    return providers


def suppress_first(connection: Connection) -> None:
    """Have the first person of the audience opt out."""
    handle, sealed = connection.exec_driver_sql(
        "SELECT handle, sealed FROM recipients WHERE pool = '' ORDER BY id LIMIT 1"
    ).one()
    row = {"handle": handle, "sealed": sealed, "channel": "", "actor": "test", "at": clock.now()}
    connection.execute(insert(suppressions).values(row))


def outcomes(product: Product, broadcast: str) -> Counter[str]:
    """Outcome → how many."""
    return Counter(row.outcome for row in product.ledger(broadcast))


def test_a_call_whose_answer_was_lost_is_settled_by_asking(opened: tuple[Product, str]) -> None:
    """It had been accepted: the members are accounted for, and no second call is made."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_after")
    product.deliver(broadcast, asking(product))
    assert outcomes(product, broadcast) == {"accepted": 100}
    product.end_waits()
    product.deliver(broadcast, asking(product))
    assert outcomes(product, broadcast) == {"accepted": 300}
    assert product.totals()["repeats"] == 0
    assert list(product.shown(broadcast).values()) == [1] * 300


def test_a_call_that_the_provider_never_saw_is_made_again(opened: tuple[Product, str]) -> None:
    """Its answer to the question says so, long enough after the call."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_before")
    for _ in range(3):
        product.deliver(broadcast, asking(product))
        product.end_waits()
    assert outcomes(product, broadcast) == {"accepted": 300}
    assert list(product.shown(broadcast).values()) == [1] * 300


def test_whoever_opted_out_meanwhile_is_not_sent_a_call_again(opened: tuple[Product, str]) -> None:
    """The call was never seen, and one of its members must not be written to any more."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_before")
    product.deliver(broadcast, asking(product))
    with product.transaction() as connection:
        suppress_first(connection)
    for _ in range(3):
        product.end_waits()
        product.deliver(broadcast, asking(product))
    assert outcomes(product, broadcast) == {"accepted": 299, "skipped": 1}
    assert len(product.shown(broadcast)) == 299


def test_a_no_that_comes_too_early_settles_nothing(opened: tuple[Product, str]) -> None:
    """A provider that shows its calls late might still have it: the members wait."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_before")
    product.deliver(broadcast, asking(product, visible_after=600))
    product.end_waits()
    product.deliver(broadcast, asking(product, visible_after=600))
    row = product.broadcast(broadcast)
    assert (row.state, row.accepted, row.in_doubt) == ("open", 100, 200)


def test_a_kill_in_a_call_is_asked_about(opened: tuple[Product, str]) -> None:
    """The next worker asks before it sends anything to the members of the call."""
    product, broadcast = opened
    killed = product.worker("sms", kill, Idempotency.QUERYABLE)
    with contextlib.suppress(Killed):
        product.deliver(broadcast, killed)
    product.end_waits()
    product.deliver(broadcast, asking(product))
    assert outcomes(product, broadcast) == {"accepted": 300}
    assert list(product.shown(broadcast).values()) == [1] * 300


def test_what_stays_in_doubt_until_the_expiry_is_unknown(opened: tuple[Product, str]) -> None:
    """The provider's "never seen" came too early each time; nobody guesses."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_before")
    product.deliver(broadcast, asking(product, visible_after=600))
    product.at(local("2022-02-23 10:00"))
    product.end_waits()
    product.deliver(broadcast, asking(product, visible_after=600))
    assert outcomes(product, broadcast)["unknown"] == 200


def test_a_call_that_the_provider_never_saw_uses_up_no_quota(opened: tuple[Product, str]) -> None:
    """Its members may be told today all the same."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_before")
    for _ in range(3):
        product.deliver(broadcast, asking(product, quota=Quota(per_day=300, per_recipient_per_day=1)))
        product.end_waits()
    assert outcomes(product, broadcast) == {"accepted": 300}
    assert list(product.shown(broadcast).values()) == [1] * 300


def test_a_worker_keeps_its_batch_while_it_asks(opened: tuple[Product, str]) -> None:
    """A provider may be slow to say that it does not know yet; each question renews the lease for the next one."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_before", times=2)
    for _ in range(2):
        product.deliver(broadcast, asking(product, visible_after=600))
        product.end_waits()
    leases: list[datetime] = []

    def look() -> None:
        leases.append(product.batches(broadcast)[0].lease_until)

    slow = product.worker("sms", providers=that_can_be_asked(product, visible_after=600), before_asking=look)
    product.deliver(broadcast, slow)
    assert len(leases) == 2
    assert leases[0] < leases[1]
