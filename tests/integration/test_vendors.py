"""Vendors behind the channel `sms`, end to end: their formats on the wire, their receipts in the ledger."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from broadcaster.operations.amending import Times, amended
from broadcaster.operations.foretelling import foretold
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from tests.channels.vendors import KEY, SMS, TOKEN, options_of
from tests.conftest import Servers
from tests.support.examples import example, local
from tests.support.product import Product, running_product

VENDORS = ["aliyun", "tencent"]
REVIEWED = foretold(Templates(), SMS, example())
"""What `sms templates` has the vendors review."""


def provider(supplier: str) -> dict[str, Any]:
    """A provider of the vendor as a site writes it."""
    return {
        "name": "vendor",
        "supplier": supplier,
        "secret": "env:VENDOR_SECRET",
        "secrets": {"callback-token": "env:VENDOR_TOKEN"},
        "options": options_of(supplier, tuple(REVIEWED)).model_dump(mode="json", exclude_none=True),
        "visible_after_seconds": 2,
    }


@pytest.fixture(params=VENDORS)
def opened(
    tmp_path: Path,
    database_url: str,
    servers: Servers,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Product, str]]:
    """The SMS notice through the vendor alone, to 1,100 people, opened; nothing of it is carried yet."""
    monkeypatch.setenv("VENDOR_SECRET", KEY)
    monkeypatch.setenv("VENDOR_TOKEN", TOKEN)
    stand_ins = {"sms": [provider(request.param)]}
    with running_product(tmp_path / "data", database_url, servers.redis, monkeypatch, stand_ins) as product:
        product.at(local("2022-02-18 10:00"))
        product.gather(1_100)
        product.publish()
        yield product, product.open("sms")


def outcomes(product: Product, broadcast: str) -> Counter[tuple[str, str]]:
    """(outcome, receipt) → how many."""
    return Counter((row.outcome, row.receipt or "") for row in product.ledger(broadcast))


def shown(product: Product, broadcast: str) -> list[int]:
    """How often each phone that was shown anything was shown the broadcast."""
    lines = requests.get(f"{product.sandbox_url}/ledger", timeout=10).text.splitlines()
    found = {row["broadcast"]: row["shown"] for row in map(json.loads, lines)}
    return list(found.get(broadcast, {}).values())


def test_everybody_is_told_once_and_receipts_say_what_became_of_it(opened: tuple[Product, str]) -> None:
    """One number is refused and nobody else with it; another is accepted, and reported as failed later."""
    product, broadcast = opened
    product.deliver_all(broadcast)
    assert shown(product, broadcast) == [1] * 1_099
    if product.parts.providers()["sms"]["vendor"].supplier == "aliyun":
        # Thirteen full calls, in two languages; one of them in halves. Each has a reference.
        assert len({row.reference for row in product.ledger(broadcast)}) < 25
    product.merge_receipts()
    assert outcomes(product, broadcast) == {
        ("accepted", "delivered"): 1_098,
        ("accepted", "failed"): 1,
        ("rejected", ""): 1,
    }


def test_a_lost_answer_is_settled_as_the_vendor_allows(opened: tuple[Product, str]) -> None:
    """Aliyun is asked, and everybody is accounted for; at Tencent those of the call stay unknown."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_after")
    product.deliver_all(broadcast)
    supplier = product.parts.providers()["sms"]["vendor"].supplier
    found = Counter(row.outcome for row in product.ledger(broadcast))
    assert found["accepted"] + found["unknown"] == 1_099
    assert (found["unknown"] == 0) is (supplier == "aliyun")
    assert shown(product, broadcast) == [1] * 1_099


def test_a_correction_goes_out_by_the_templates_that_were_reviewed_before(opened: tuple[Product, str]) -> None:
    """The end moves after everybody was told: no new template is needed, and nobody is left with the old date."""
    product, broadcast = opened
    product.deliver_all(broadcast)
    end = example().announcement.window.end
    assert end
    product.publish(amended(example(), Times(end=end + timedelta(days=3))))
    correction = product.open("sms", Phase.CHANGED)
    product.deliver_all(correction)
    assert Counter(row.outcome for row in product.ledger(correction)) == {"accepted": 1_099}
    assert shown(product, correction) == [1] * 1_099


@pytest.mark.parametrize("opened", ["aliyun"], indirect=True)
def test_what_never_arrived_is_sent_again(opened: tuple[Product, str]) -> None:
    """At a vendor that can be asked, once its "never seen" counts."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_before")
    product.deliver_all(broadcast)
    assert Counter(row.outcome for row in product.ledger(broadcast)) == {"accepted": 1_099, "rejected": 1}
    assert shown(product, broadcast) == [1] * 1_099


def test_a_receipt_that_comes_twice_counts_once(opened: tuple[Product, str]) -> None:
    """Vendors promise no more than that it comes; one that comes before its delivery is recorded waits for it."""
    product, broadcast = opened
    product.order(channel="sms", kind="receipts_twice", seconds=0.1, times=100)
    product.deliver_all(broadcast)
    product.merge_receipts()
    assert outcomes(product, broadcast)["accepted", "delivered"] == 1_098
    assert product.broadcast(broadcast).delivered == 1_098


def test_a_forged_callback_changes_nothing(opened: tuple[Product, str]) -> None:
    """Without the token, or with another."""
    product, _ = opened
    for query in ({}, {"token": ""}, {"token": f"{TOKEN}x"}):
        answer = requests.post(f"{product.web_url}/callbacks/sms/vendor", params=query, data=b"[]", timeout=10)
        assert answer.status_code == 401
    huge = b"[" + b" " * 10_000_000 + b"]"
    answer = requests.post(f"{product.web_url}/callbacks/sms/vendor", params={"token": TOKEN}, data=huge, timeout=10)
    assert answer.status_code == 413
