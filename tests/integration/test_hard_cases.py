"""Cases in which peers lost somebody, told somebody twice, or said what was no longer true."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from broadcaster import clock
from broadcaster.channels.base import Idempotency
from broadcaster.delivery import opening
from broadcaster.delivery.messages import Press
from broadcaster.errors import PermanentError, StateError
from broadcaster.operations import advance, conclude
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.storage import broadcasts
from tests.support.examples import SLUG, example, local
from tests.support.product import ACTOR, Killed, Product, kill

MORNING = local("2022-02-18 10:00")


@pytest.fixture
def published(product: Product) -> Product:
    """The example, approved on a quiet morning before 300 people, its notice due."""
    product.at(MORNING)
    product.gather(300)
    product.publish()
    return product


def test_one_endpoint_that_is_down_holds_up_no_other(published: Product) -> None:
    """Of three kiosks the first refuses every connection: the other two are told at once."""
    broadcast = published.open("kiosk")
    providers = published.parts.providers()
    down = replace(providers["kiosk"]["hall-kiosks"], url="http://127.0.0.1:9/")
    providers["kiosk"]["hall-kiosks"] = down
    published.deliver(broadcast, published.another_courier(providers=providers))
    assert published.broadcast(broadcast).accepted == 2


def test_one_call_that_always_fails_holds_up_no_other(published: Product) -> None:
    """The provider cannot answer one call of two: the members of the other are told meanwhile."""
    broadcast = published.open("sms")
    published.order(channel="sms", kind="status", status=500)
    published.deliver(broadcast)
    row = published.broadcast(broadcast)
    assert (row.accepted, row.in_doubt) == (100, 200)


def test_two_kills_around_a_call_in_doubt_send_nothing_twice(published: Product) -> None:
    """Killed in the call, and killed again after the next claim: who is in doubt stays so, and is not sent to anew."""
    broadcast = published.open("sms")
    for _ in range(3):
        published.end_waits()
        with contextlib.suppress(Killed):
            published.deliver(broadcast, published.worker("sms", kill, Idempotency.NONE))
    assert published.broadcast(broadcast).unknown == 300
    assert list(published.shown(broadcast).values()) == [1] * 300


def test_whoever_surely_saw_nothing_is_sent_through_the_new_provider(published: Product) -> None:
    """The provider took no calls, and the operator configured another one."""
    broadcast = published.open("sms")
    published.order(channel="sms", kind="status", status=503)
    providers = published.parts.providers()
    providers["sms"] = {"the-old-one": replace(providers["sms"]["sandbox-sms"], name="the-old-one")}
    published.deliver(broadcast, published.another_courier(providers=providers))
    assert published.calls(broadcast) == []
    published.end_waits()
    published.deliver(broadcast)
    row = published.broadcast(broadcast)
    assert (row.accepted, row.unknown) == (300, 0)


def test_a_refusal_after_a_doubt_is_no_rejection(published: Product) -> None:
    """The answer was lost after acceptance; that the repeat is refused does not undo what people saw."""
    broadcast = published.open("sms")
    published.order(channel="sms", kind="drop_after")
    published.deliver(broadcast)
    published.end_waits()
    published.order(channel="sms", kind="status", status=401)
    published.deliver(broadcast)
    row = published.broadcast(broadcast)
    assert (row.unknown, row.rejected) == (200, 0)


def test_a_refusal_without_a_doubt_is_one(published: Product) -> None:
    """Refused at the first attempt, nobody saw anything."""
    broadcast = published.open("sms")
    published.order(channel="sms", kind="status", status=401, times=2)
    published.deliver(broadcast)
    assert published.broadcast(broadcast).rejected == 300


def test_an_adapter_that_fails_in_an_unforeseen_way_loses_nobody(published: Product) -> None:
    """Whatever it raises, the call is in doubt and the batch is given back."""

    def stumble() -> None:
        raise RuntimeError("unforeseen")

    broadcast = published.open("sms")
    published.deliver(broadcast, published.worker("sms", stumble))
    published.deliver_all(broadcast)
    assert list(published.shown(broadcast).values()) == [1] * 300


def test_an_adapter_may_refuse_a_whole_call(published: Product) -> None:
    """A permanent error of the adapter is an outcome, not an exception out of the batch."""

    def refuse() -> None:
        raise PermanentError("refused")

    broadcast = published.open("sms")
    published.deliver(broadcast, published.worker("sms", refuse))
    assert published.broadcast(broadcast).rejected == 300


@pytest.mark.parametrize("age", ["25 hours", "23 hours 59 minutes"])
def test_a_call_in_doubt_for_longer_than_its_key_is_remembered_is_not_repeated(published: Product, age: str) -> None:
    """After a day the provider would take a repeat for a new message: every call that is written down is in doubt.

    Nor one whose day is over before the last repeat of this claim may be made: those before it may hang."""
    broadcast = published.open("sms")
    with pytest.raises(Killed):
        published.deliver(broadcast, published.worker("sms", kill))
    with published.transaction() as connection:
        connection.execute(text("UPDATE calls SET written_at = written_at - CAST(:age AS interval)"), {"age": age})
    published.deliver_all(broadcast)
    row = published.broadcast(broadcast)
    assert (row.unknown, row.accepted) == (300, 0)
    assert max(published.shown(broadcast).values()) == 1


def test_a_channel_that_left_the_site_is_still_accounted_for(published: Product) -> None:
    """Its recipients are skipped, and the broadcast is closed."""
    broadcast = published.open("sms")
    published.deliver(broadcast, published.another_courier(providers={}))
    row = published.broadcast(broadcast)
    assert (row.state, row.skipped) == ("closed", 300)


def test_the_news_waits_for_a_call_under_way(published: Product) -> None:
    """Cancelled during a call: `cancelled` is opened after it, so that nobody reads the old message last."""
    published.open("sms")
    with published.transaction() as connection:
        conclude.cancel(connection, SLUG, "put off", ACTOR, clock.now())
        connection.execute(text("UPDATE batches SET lease_until = now() + interval '1 hour'"))
        query = "SELECT channel FROM broadcasts b JOIN batches x ON x.broadcast_id = b.id"
        under_way = set(connection.execute(text(query)).scalars())
    parts = published.parts

    def opened() -> set[str]:
        """The channels on which the news is out."""
        opening.open_due(parts.database, parts.channels, clock.now(), parts.canary)
        with published.transaction() as connection:
            rows = broadcasts.rows_of(connection, SLUG)
        return {row.channel for row in rows if row.phase == Phase.CANCELLED and row.opened_at}

    assert "sms" in under_way
    assert not opened() & under_way
    published.end_waits()
    assert opened() >= under_way


def test_an_approval_after_the_start_is_told_at_once(product: Product) -> None:
    """It is in progress before any tick, so that no guard takes `started` for untrue."""
    product.at(local("2022-02-26 09:00"))
    product.gather(10)
    product.publish()
    broadcast = product.open("sms", Phase.STARTED)
    product.deliver(broadcast)
    assert product.broadcast(broadcast).accepted == 10


def test_a_started_outage_cannot_be_postponed(product: Product) -> None:
    """Its state would contradict everything that is sent."""
    product.at(MORNING)
    product.gather(3)
    product.publish()
    product.at(local("2022-02-26 00:05"))
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)
    announcement = example().announcement
    window = announcement.window.model_copy(
        update={"start": local("2022-04-01 00:00"), "end": local("2022-04-20 00:00")}
    )
    later = example().model_copy(
        update={"announcement": announcement.model_copy(update={"window": window, "resume": None})}
    )
    with pytest.raises(StateError, match="has started, and cannot be moved"):
        product.publish(later)


def test_an_announcement_that_cannot_be_read_holds_up_no_other(published: Product) -> None:
    """Stored by another version: it is left out with a log line, and the rest moves on."""
    with published.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO announcements (slug, state, zone, approved_revision, starts_at, created_at, approved_at)"
                " VALUES ('odd', 'scheduled', 'UTC', 1, '2022-02-01', now(), now())"
            )
        )
        connection.execute(
            text(
                "INSERT INTO revisions (slug, number, state, digest, content, created_at)"
                " VALUES ('odd', 1, 'approved', '', '{}', now())"
            )
        )
    published.at(local("2022-02-26 00:00"))
    with published.transaction() as connection:
        advance.advance(connection, clock.now(), published.parts.reach)
    assert published.value("SELECT state FROM announcements WHERE slug <> 'odd'") == "in_progress"


def test_a_template_that_stays_broken_leaves_nobody_unaccounted(published: Product, tmp_path: Path) -> None:
    """Killed in the first call, then the template broke until the expiry: 200 are in doubt, 100 were never sent to."""
    broadcast = published.open("sms")
    with pytest.raises(Killed):
        published.deliver(broadcast, published.worker("sms", kill, Idempotency.QUERYABLE))
    broken = tmp_path / "sms" / "notice.zh-Hans.txt.j2"
    broken.parent.mkdir()
    broken.write_text("{{ nobody }}", encoding="utf-8")
    courier = published.another_courier(press=Press(Templates(tmp_path)))
    published.end_waits()
    published.deliver(broadcast, courier)
    assert published.broadcast(broadcast).state == "open"
    published.at(local("2022-02-23 10:00"))
    published.end_waits()
    published.deliver(broadcast, courier)
    row = published.broadcast(broadcast)
    assert (row.state, row.unknown, row.skipped) == ("closed", 200, 100)


def test_a_number_in_a_refusal_is_not_kept(published: Product) -> None:
    """A provider's reason may name the phone; the ledger keeps the reason without it."""

    def refuse() -> None:
        raise PermanentError("13800138000 is not in service since 2022-02-01")

    broadcast = published.open("sms")
    published.deliver(broadcast, published.worker("sms", refuse))
    assert {row.reason for row in published.ledger(broadcast)} == {"… is not in service since 2022-02-01"}
