"""Posts of accounts: one whose facts are superseded gets a successor that says so, and what became of it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import requests
from sqlalchemy import select

from broadcaster import clock
from broadcaster.channels.base import Call, Delivery, Idempotency
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.channels.wechat.adapter import CHANNEL as WECHAT
from broadcaster.delivery.courier import Courier
from broadcaster.operations import advance, conclude
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import read
from broadcaster.reporting.false_statements import false_statement_minutes
from broadcaster.reporting.report import standing
from broadcaster.storage.tables import deliveries, replacements
from tests.support.adapters import adapter_of, with_adapter
from tests.support.examples import SLUG, edited, local
from tests.support.product import ACTOR, Killed, Product, kill

ACCOUNTS = 3


@pytest.fixture
def noticed(product: Product) -> Product:
    """The example on a quiet morning, with the notice posted on three accounts."""
    product.at(local("2022-02-18 10:00"))
    product.gather(0)
    product.publish()
    product.deliver_all(product.open("wechat"))
    return product


@dataclass(slots=True)
class Overheard:
    """The real adapter; every call that goes through it is kept, and what happens after one can be told."""

    calls: list[Call] = field(default_factory=list)
    dying: bool = False
    idempotency: Idempotency = Idempotency.IDEMPOTENT
    dedupes_for = adapter_of(WECHAT).dedupes_for
    visible_after = adapter_of(WECHAT).visible_after
    members_per_call: int = 1

    def send(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery]:
        """Make the call, and perhaps die of it."""
        self.calls.append(call)
        found = adapter_of(WECHAT).send(call, provider, transport)
        if self.dying:
            kill()
        return found

    def ask(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery] | None:
        """As the real one asks."""
        return adapter_of(WECHAT).ask(call, provider, transport)


def overhearing(product: Product, adapter: Overheard) -> Courier:
    """A worker whose posts go through the adapter."""
    return product.another_courier(channels={**product.parts.channels, "wechat": with_adapter(WECHAT, adapter)})


def extend(product: Product) -> None:
    """Approve a later end, ten minutes before the start."""
    product.at(local("2022-02-25 23:50"))
    edits = ("2022-03-20 24:00", "2022-03-24 24:00"), ("2022-03-21 00:00", "2022-03-25 00:00")
    product.publish(read(edited(product.parts.settings.data / "later.yaml", *edits), CHANNELS))


def pass_to(product: Product, at: str) -> None:
    """Let time pass, and let the clock do its part."""
    product.at(local(at))
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)


def start(product: Product) -> str:
    """Let the outage start; gives the broadcast that says so, with the later end."""
    pass_to(product, "2022-02-26 00:00")
    return product.open("wechat", Phase.STARTED)


def finish(product: Product, at: datetime | None = None) -> None:
    """Say that service is back, now or since an instant."""
    with product.transaction() as connection:
        conclude.finish(connection, SLUG, at or clock.now(), ACTOR, clock.now())


def fates(product: Product) -> set[tuple[str, str, str]]:
    """(earlier broadcast, successor, action) of every post that was replaced."""
    with product.transaction() as connection:
        rows = connection.execute(select(replacements)).all()
    assert len(rows) % ACCOUNTS == 0
    return {(row.broadcast_id, row.successor_id, row.action) for row in rows}


def minutes(product: Product, at: datetime) -> float:
    """False minutes of the accounts together."""
    with product.transaction() as connection:
        return false_statement_minutes(connection, SLUG, at)["wechat"]


def shown_articles(product: Product) -> list[dict[str, Any]]:
    """The articles of the first account, as its followers see them."""
    at = int(clock.now().timestamp() * 1000) + 1
    shown = requests.get(f"{product.sandbox_url}/api/shown", params={"at": at}, timeout=10).json()
    found: list[dict[str, Any]] = shown["wechat"]["accounts"][0]["articles"]
    return found


def test_a_first_post_replaces_nothing(product: Product) -> None:
    """There is none before it."""
    product.at(local("2022-02-18 10:00"))
    product.gather(0)
    product.publish()
    adapter = Overheard()
    product.deliver(product.open("wechat"), overhearing(product, adapter))
    assert [call.replaces for call in adapter.calls] == [()] * ACCOUNTS


def test_a_post_with_the_same_facts_replaces_nothing(noticed: Product) -> None:
    """A notice stays true when the outage has begun."""
    pass_to(noticed, "2022-02-26 00:00")
    adapter = Overheard()
    noticed.deliver(noticed.open("wechat", Phase.STARTED), overhearing(noticed, adapter))
    assert [call.replaces for call in adapter.calls] == [()] * ACCOUNTS


def test_a_post_with_new_facts_replaces_those_with_the_old_facts(noticed: Product) -> None:
    """By their broadcast and the account's own reference; the stand-in links them to it."""
    notice = noticed.open("wechat")
    references = {row.recipient_id: row.reference for row in noticed.ledger(notice)}
    extend(noticed)
    later = start(noticed)
    adapter = Overheard()
    noticed.deliver(later, overhearing(noticed, adapter))
    assert {(call.members[0].id, *call.replaces) for call in adapter.calls} == {
        (id_, (notice, reference)) for id_, reference in references.items()
    }
    assert fates(noticed) == {(notice, later, "linked")}


def test_restored_takes_every_earlier_post_down(noticed: Product) -> None:
    """Also one that was linked before: its link would lead nowhere. What is deleted is not named again."""
    notice = noticed.open("wechat")
    extend(noticed)
    later = start(noticed)
    noticed.deliver_all(later)
    pass_to(noticed, "2022-03-22 10:00")
    finish(noticed)
    restored = noticed.open("wechat", Phase.RESTORED)
    noticed.deliver_all(restored)
    assert fates(noticed) >= {(notice, restored, "deleted"), (later, restored, "deleted")}


def test_service_that_is_back_when_it_was_said_replaces_nothing(noticed: Product) -> None:
    """Whoever read the article was told the truth."""
    pass_to(noticed, "2022-03-21 00:00")
    finish(noticed, local("2022-03-21 00:00"))
    noticed.deliver_all(noticed.open("wechat", Phase.RESTORED))
    assert fates(noticed) == set()
    assert minutes(noticed, local("2022-03-22 00:00")) == pytest.approx(0, abs=0.2)


def test_the_followers_see_which_article_was_replaced(noticed: Product) -> None:
    """With its successor."""
    extend(noticed)
    later = start(noticed)
    noticed.deliver_all(later)
    first, second = shown_articles(noticed)
    assert first["replaced"] == {"action": "linked", "by": later}
    assert (second["broadcast"], second["replaced"]) == (later, None)


def test_a_call_that_is_made_again_replaces_the_same(noticed: Product) -> None:
    """Whatever was put down since: under the same key goes the same request, down to the last byte."""
    notice = noticed.open("wechat")
    extend(noticed)
    later = start(noticed)
    adapter = Overheard(dying=True)
    with pytest.raises(Killed):
        noticed.deliver(later, overhearing(noticed, adapter))
    adapter.dying = False
    _settle_otherwise(noticed, notice)
    noticed.end_waits()
    noticed.deliver(later, overhearing(noticed, adapter))
    first, *later_calls = adapter.calls
    assert first.replaces
    assert [call for call in later_calls if call.key == first.key] == [first]


def _settle_otherwise(product: Product, notice: str) -> None:
    """A receipt says that the earlier posts failed after all."""
    with product.transaction() as connection:
        failed = deliveries.update().where(deliveries.c.broadcast_id == notice).values(receipt="failed")
        connection.execute(failed)


def test_what_became_of_a_post_is_recorded_once(noticed: Product) -> None:
    """Although its call was made twice."""
    extend(noticed)
    later = start(noticed)
    adapter = Overheard(dying=True)
    with pytest.raises(Killed):
        noticed.deliver(later, overhearing(noticed, adapter))
    noticed.end_waits()
    noticed.deliver_all(later)
    assert noticed.value("SELECT count(*) FROM replacements") == ACCOUNTS


def test_false_time_of_posts_runs_until_the_successor_is_accepted(noticed: Product) -> None:
    """From the change on, on each account."""
    extend(noticed)
    assert minutes(noticed, local("2022-02-25 23:52")) == pytest.approx(2 * ACCOUNTS, abs=0.5)
    noticed.deliver_all(start(noticed))
    assert minutes(noticed, local("2022-02-27 10:00")) == pytest.approx(10 * ACCOUNTS, abs=0.5)


def test_the_standing_says_which_posts_are_superseded_and_what_became_of_them(noticed: Product) -> None:
    """Before the successor nothing, afterwards what the account said."""
    extend(noticed)
    assert {(row["superseded"], row["action"]) for row in _posts(noticed)} == {(True, None)}
    later = start(noticed)
    noticed.deliver_all(later)
    rows = _posts(noticed)
    assert {(row["phase"], row["superseded"], row["action"]) for row in rows} == {
        ("notice", True, "linked"),
        ("started", False, None),
    }
    assert {row["account"] for row in rows} == {"qingdao-renshe", "qingdao-12333", "qingdao-ai-renshe"}


def _posts(product: Product) -> list[dict[str, Any]]:
    with product.transaction() as connection:
        found: list[dict[str, Any]] = standing(connection, SLUG, clock.now())["posts"]
    return found
