"""A notice on three official accounts in the platform's own format: out once, confirmed by events, replaced in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from broadcaster import clock
from broadcaster.channels.base import Idempotency
from broadcaster.channels.registry import CHANNELS
from broadcaster.operations import advance
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal, read
from broadcaster.reporting.report import standing
from broadcaster.reporting.waiting import confirmations, with_waits
from broadcaster.storage.tables import replacements
from tests.conftest import Servers
from tests.support.examples import SLUG, edited, local
from tests.support.product import Eventful, Killed, Product, kill, running_product

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SENDERS, PUBLISHER = ("bureau", "hotline"), "portal"
ACCOUNTS = {*SENDERS, PUBLISHER}


def stand_in(name: str, supplier: str, label: str, **more: Any) -> dict[str, Any]:
    """An account, as a site writes it."""
    return {
        "name": name,
        "label": label,
        "supplier": supplier,
        "language": "zh-Hans",
        "secret": "env:WECHAT_APPSECRET",
        "secrets": {"callback-token": "env:WECHAT_TOKEN", "aes-key": "env:WECHAT_AES_KEY"},
        "options": {"appid": "wx0123456789abcdef"},
        **more,
    }


@pytest.fixture
def product(tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """The product with two accounts that send to followers and one that publishes, on the morning of the notice."""
    secrets = {"WECHAT_APPSECRET": "0123456789abcdef" * 2, "WECHAT_TOKEN": "a-token", "WECHAT_AES_KEY": KEY}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    quota = {"quota": {"per_day": 1, "per_month": 4}}
    stand_ins = {
        "wechat": [
            stand_in("bureau", "mass", "青岛人社", **quota),
            stand_in("hotline", "mass", "青岛12333", **quota),
            stand_in("portal", "publish", "青岛Ai人社"),
        ]
    }
    with running_product(tmp_path / "data", database_url, servers.redis, monkeypatch, stand_ins) as found:
        found.at(local("2022-02-18 10:00"))
        found.gather(0)
        found.publish()
        yield found


def shown(product: Product, broadcast: str) -> dict[str, int]:
    """Account → how often it showed the broadcast."""
    for line in requests.get(f"{product.sandbox_url}/ledger", timeout=10).iter_lines():
        row = json.loads(line)
        if row["broadcast"] == broadcast:
            return dict(row["shown"])
    return {}


def behave(product: Product, account: str, **orders: object) -> None:
    """Tell an account's stand-in how to behave."""
    answer = requests.patch(f"{product.sandbox_url}/wechat/{account}/sandbox", json=orders, timeout=10)
    answer.raise_for_status()


def became(product: Product, broadcast: str) -> dict[str, tuple[str, str]]:
    """Account → outcome and receipt."""
    return {row.provider: (row.outcome, row.receipt) for row in product.ledger(broadcast)}


def everybody(outcome: str, receipt: str) -> dict[str, tuple[str, str]]:
    """The same of every account."""
    return dict.fromkeys(ACCOUNTS, (outcome, receipt))


def posts(product: Product) -> list[dict[str, Any]]:
    """What `status` says of posts."""
    with product.transaction() as connection:
        rows = standing(connection, SLUG, clock.now())["posts"]
    return with_waits(rows, confirmations(product.parts.site), clock.now())


def extension(product: Product) -> Proposal:
    """The announcement with a later end."""
    edits = ("2022-03-20 24:00", "2022-03-24 24:00"), ("2022-03-21 00:00", "2022-03-25 00:00")
    return read(edited(product.parts.settings.data / "later.yaml", *edits), CHANNELS)


def extended(product: Product, instant: datetime) -> str:
    """Approve a later end, let the outage start at an instant; gives the broadcast that tells of it."""
    product.at(local("2022-02-25 23:50"))
    product.publish(extension(product))
    product.at(instant)
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)
    return product.open("wechat", Phase.STARTED)


def test_a_notice_goes_out_on_every_account_and_each_confirms_it(product: Product) -> None:
    """By a sealed event, which names the account and what the platform calls the delivery."""
    notice = product.open("wechat")
    product.deliver_all(notice)
    assert became(product, notice) == everybody("accepted", "")
    product.merge_receipts()
    assert became(product, notice) == everybody("accepted", "delivered")
    assert shown(product, notice) == dict.fromkeys(ACCOUNTS, 1)


def test_a_changed_revision_takes_the_earlier_articles_down(product: Product) -> None:
    """And readers see on each account which came in its place."""
    notice = product.open("wechat")
    product.deliver_all(notice)
    product.merge_receipts()
    later = extended(product, local("2022-02-26 00:00"))
    product.deliver_all(later)
    with product.transaction() as connection:
        rows = connection.execute(select(replacements)).all()
    assert [(row.broadcast_id, row.successor_id, row.action) for row in rows] == [(notice, later, "deleted")] * 3
    assert sorted(row.reason for row in rows) == ["", *["its card stays in the followers' chats"] * 2]
    at = int(clock.now().timestamp() * 1000) + 1
    found = requests.get(f"{product.sandbox_url}/api/shown", params={"at": at}, timeout=10).json()
    fates = [[one["replaced"] for one in account["articles"]] for account in found["wechat"]["accounts"]]
    assert fates == [[{"action": "deleted", "by": later}, None]] * 3


def test_a_worker_that_dies_after_the_send_sends_nothing_twice(product: Product) -> None:
    """The next one makes the same call, and learns that the platform has it."""
    notice = product.open("wechat")
    channel = product.parts.channels["wechat"]
    senders = channel.suppliers["mass"]
    dying = replace(senders, adapter=Eventful(senders.adapter, kill, Idempotency.IDEMPOTENT))
    channels = {"wechat": replace(channel, suppliers={**channel.suppliers, "mass": dying})}
    with pytest.raises(Killed):
        product.another_courier(channels={**product.parts.channels, **channels}).deliver(product.batches(notice)[0].id)
    product.deliver_all(notice)
    assert shown(product, notice) == dict.fromkeys(ACCOUNTS, 1)
    assert {outcome for outcome, _ in became(product, notice).values()} == {"accepted"}


def test_a_publication_that_was_found_by_asking_is_confirmed(product: Product) -> None:
    """Its answer was lost, and with it the number by which the platform goes on to call it."""
    notice = product.open("wechat")
    product.order(channel="wechat", kind="drop_after", times=20)
    product.deliver_all(notice)
    [found] = [row.reference for row in product.ledger(notice) if row.provider == PUBLISHER]
    assert not found.isdecimal()
    product.merge_receipts()
    assert became(product, notice) == everybody("accepted", "delivered")


def test_answers_that_are_lost_leave_nothing_unknown(product: Product) -> None:
    """A mass send is made again, and a publication is asked about."""
    notice = product.open("wechat")
    product.order(channel="wechat", kind="drop_after", times=3)
    product.deliver_all(notice)
    assert shown(product, notice) == dict.fromkeys(ACCOUNTS, 1)
    assert {outcome for outcome, _ in became(product, notice).values()} == {"accepted"}


def test_an_account_whose_administrator_must_agree_is_seen_to_wait(product: Product) -> None:
    """Accepted, and not out: until the event says which."""
    behave(product, "bureau", protected=True)
    notice = product.open("wechat")
    product.deliver_all(notice)
    product.merge_receipts()
    assert became(product, notice)["bureau"] == ("accepted", "")
    [waiting] = [row for row in posts(product) if row["waits_for"]]
    assert (waiting["account"], waiting["waits_for"]["overdue"]) == ("bureau", False)
    product.at(local("2022-02-18 10:31"))
    [waiting] = [row for row in posts(product) if row["waits_for"]]
    assert waiting["waits_for"]["overdue"]
    behave(product, "bureau", refused=waiting["reference"])
    product.merge_receipts()
    assert became(product, notice)["bureau"] == ("accepted", "failed")
    assert [row for row in posts(product) if row["waits_for"]] == []


def test_an_account_whose_day_is_used_up_waits_for_the_next(product: Product) -> None:
    """The engine counts, so that the platform need not refuse; who publishes is not held back."""
    product.deliver_all(product.open("wechat"))
    product.at(local("2022-02-18 12:00"))
    product.publish(extension(product))
    changed = product.open("wechat", Phase.CHANGED)
    product.deliver(changed)
    assert shown(product, changed) == {PUBLISHER: 1}
    product.at(local("2022-02-19 10:00"))
    product.deliver_all(changed)
    assert shown(product, changed) == dict.fromkeys(ACCOUNTS, 1)
