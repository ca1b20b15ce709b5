"""Corrections: a change reaches exactly those who were told otherwise, with what has changed for them."""

from __future__ import annotations

import contextlib

import pytest

from broadcaster import clock
from broadcaster.announcement.model import Severity
from broadcaster.audience import suppression
from broadcaster.audience.suppression import Order
from broadcaster.channels.base import Idempotency
from broadcaster.operations import advance, amending, conclude
from broadcaster.operations.amending import Times
from broadcaster.operations.preview import preview
from broadcaster.operations.retrying import retry_failed
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.storage import believers, broadcasts
from broadcaster.storage.believers import OTHERS, Count
from tests.support.changing import audience, counted, move, replace_with, texts
from tests.support.examples import SLUG, ZONE, example, local
from tests.support.product import ACTOR, Killed, Product, kill

MORNING = local("2022-02-18 10:00")
LATER = local("2022-03-25 00:00")
LATEST = local("2022-03-29 00:00")
A, B, C = (f"+86100000000{number:02}" for number in range(3))


@pytest.fixture
def told(product: Product) -> Product:
    """The example, its notice accepted by 300 people on a quiet morning; it is a day later."""
    product.at(MORNING)
    product.gather(300)
    product.publish()
    product.deliver_all(product.open("sms"))
    product.at(local("2022-02-19 10:00"))
    return product


@pytest.fixture
def few(product: Product) -> Product:
    """The same before three people, one of them retired."""
    product.at(MORNING)
    audience(product, {A: ("retired",), B: (), C: ()})
    product.publish()
    product.deliver_all(product.open("sms"))
    product.at(local("2022-02-19 10:00"))
    return product


def with_audience(*, resume: str | None = None) -> Proposal:
    """The example, with a row of its own for retired people, who may get service back at another time."""
    proposal = example()
    row = proposal.announcement.impacts[0]
    update = {"audience": "tag:retired", "resume": local(resume) if resume else None}
    impacts = (row.model_copy(update=update), *proposal.announcement.impacts[1:])
    return proposal.model_copy(update={"announcement": proposal.announcement.model_copy(update={"impacts": impacts})})


def planned(product: Product, phase: Phase) -> list[str]:
    """The channels on which a phase is planned."""
    with product.transaction() as connection:
        rows = broadcasts.of_announcement(connection, SLUG, ZONE)
    return sorted(row.channel for row in rows if row.phase is phase and row.state is BroadcastState.PLANNED)


def test_whoever_was_told_the_old_end_is_corrected(told: Product) -> None:
    """All hold the old end as soon as it is moved, and nobody does once they were told."""
    move(told, end=LATER)
    assert counted(told).stale == 300
    told.deliver_all(told.open("sms", Phase.CHANGED))
    assert counted(told) == Count(seconds=counted(told).seconds)


def test_a_correction_says_what_has_changed(told: Product) -> None:
    """From the old time to the new one."""
    move(told, end=LATER)
    broadcast = told.open("sms", Phase.CHANGED)
    told.deliver_all(broadcast)
    assert "结束时间由3月20日24时改为3月24日24时" in texts(told, broadcast)[-1]


def test_only_channels_on_which_somebody_was_told_are_corrected(told: Product) -> None:
    """The notice went out by SMS alone so far."""
    move(told, end=LATER)
    assert planned(told, Phase.CHANGED) == ["sms"]


def test_whoever_was_never_told_is_not_corrected(few: Product) -> None:
    """Somebody who joins gets what is true now, once, and the others their correction."""
    audience(few, {A: ("retired",), B: (), C: (), "+8610000000009": ()})
    move(few, end=LATER)
    correction, welcome = few.open("sms", Phase.CHANGED), few.open("sms", Phase.NOTICE)
    few.deliver_all(correction)
    few.deliver_all(welcome)
    assert (few.broadcast(correction).accepted, few.broadcast(welcome).accepted) == (3, 1)


def test_whoever_left_the_audience_is_corrected_all_the_same(few: Product) -> None:
    """They were told, whatever list they are on now."""
    audience(few, {A: ("retired",)})
    move(few, end=LATER)
    broadcast = few.open("sms", Phase.CHANGED)
    few.deliver_all(broadcast)
    assert few.broadcast(broadcast).accepted == 3


def test_whoever_left_the_audience_is_told_that_service_is_back(few: Product) -> None:
    """After everybody who is in it."""
    audience(few, {A: ("retired",)})
    few.at(local("2022-03-20 10:00"))
    finish(few)
    few.deliver_all(few.open("sms", Phase.RESTORED))
    assert counted(few).uncorrected == 2
    last = few.open("sms", Phase.RESTORED)
    few.deliver_all(last)
    assert (few.broadcast(last).accepted, counted(few).stale) == (2, 0)


def finish(product: Product) -> None:
    """Say that service is back now."""
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)
        conclude.finish(connection, SLUG, clock.now(), ACTOR, clock.now())
    product.open("kiosk", Phase.RESTORED)


def test_whoever_opted_out_stays_stale_and_says_why(few: Product) -> None:
    """They are not told, and the operator sees it."""
    with few.transaction() as connection:
        suppression.suppress(connection, few.parts.vault, B, Order("", "moved away", "clerk", clock.now()))
    move(few, end=LATER)
    broadcast = few.open("sms", Phase.CHANGED)
    few.deliver_all(broadcast)
    found = counted(few)
    assert (found.stale, found.uncorrected, dict(found.reasons)) == (1, 0, {("skipped", "moved away"): 1})


def test_whoever_was_refused_holds_nothing_untrue(product: Product) -> None:
    """One that ends in 999 never saw the notice: it is none of those who are corrected."""
    product.at(MORNING)
    audience(product, {A: (), "+8610000000999": ()})
    product.publish()
    product.deliver_all(product.open("sms"))
    move(product, end=LATER)
    assert counted(product).stale == 1


def test_a_receipt_that_says_failed_undoes_the_telling(product: Product) -> None:
    """One that ends in 888 was accepted, and then could not be reached."""
    product.at(MORNING)
    audience(product, {A: (), "+8610000000888": ()})
    product.publish()
    product.deliver_all(product.open("sms"))
    product.merge_receipts()
    move(product, end=LATER)
    assert counted(product).stale == 1


def test_a_correction_that_could_not_be_delivered_leaves_its_reader_stale(product: Product) -> None:
    """They saw the notice, and their phone cannot be reached any more: found when the receipt comes."""
    product.at(MORNING)
    audience(product, {A: (), B: ()})
    product.publish()
    product.deliver_all(product.open("sms"))
    product.order(channel="sms", kind="unreachable")
    move(product, end=LATER)
    product.deliver_all(product.open("sms", Phase.CHANGED))
    product.merge_receipts()
    assert dict(counted(product).reasons) == {("failed", ""): 2}


def test_whoever_is_in_doubt_counts_as_told_otherwise(product: Product) -> None:
    """Perhaps they saw the notice: they get the correction."""
    product.at(MORNING)
    product.gather(100)
    product.publish()
    broadcast = product.open("sms")
    with contextlib.suppress(Killed):
        product.deliver(broadcast, product.worker("sms", kill, Idempotency.NONE))
    product.end_waits()
    product.deliver(broadcast, product.worker("sms", lambda: None, Idempotency.NONE))
    assert product.broadcast(broadcast).unknown == 100
    move(product, end=LATER)
    correction = product.open("sms", Phase.CHANGED)
    product.deliver_all(correction)
    assert product.broadcast(correction).accepted == 100


def test_a_call_in_doubt_is_not_made_again_when_its_words_are_no_longer_true(product: Product) -> None:
    """Not even at a provider that would dedupe it: perhaps it never saw the call, and would show it now."""
    product.at(MORNING)
    product.gather(100)
    product.publish()
    broadcast = product.open("sms")
    product.order(channel="sms", kind="drop_before")
    product.deliver(broadcast)
    assert len(product.calls(broadcast)) == 1
    move(product, end=LATER)
    product.deliver_all(broadcast)
    assert (product.broadcast(broadcast).unknown, product.shown(broadcast)) == (100, {})
    correction = product.open("sms", Phase.CHANGED)
    product.deliver_all(correction)
    assert (product.broadcast(correction).accepted, counted(product).stale) == (100, 0)


def test_there_and_back_again(few: Product) -> None:
    """Those who were told of the later end are corrected; whoever was told the first one only is left alone."""
    few.order(channel="sms", kind="status", status=422)
    move(few, end=LATER)
    refused = few.open("sms", Phase.CHANGED)
    few.deliver_all(refused)
    assert few.broadcast(refused).rejected == 3
    audience(few, {A: ("retired",), B: (), C: (), "+8610000000009": ()})
    few.deliver_all(welcome := opened_after_planning(few))
    assert few.broadcast(welcome).accepted == 1
    move(few, end=local("2022-03-21 00:00"))
    assert counted(few).stale == 1
    back = few.open("sms", Phase.CHANGED)
    few.deliver_all(back)
    assert (few.broadcast(back).recipients, counted(few).stale) == (1, 0)


def opened_after_planning(product: Product) -> str:
    """The notice that newcomers get, once it is planned."""
    with product.transaction() as connection:
        advance.replan_all(connection, clock.now(), product.parts.reach)
    return product.open("sms", Phase.NOTICE)


def test_a_second_change_tells_each_from_what_they_held(few: Product) -> None:
    """One was refused the first correction, and still holds the first end."""
    few.order(channel="sms", kind="status", status=422)
    move(few, end=LATER)
    few.deliver_all(few.open("sms", Phase.CHANGED))
    move(few, end=LATEST)
    broadcast = few.open("sms", Phase.CHANGED)
    few.deliver_all(broadcast)
    assert "由3月20日24时改为3月28日24时" in texts(few, broadcast)[-1]


def test_whoever_was_refused_the_correction_is_not_told_twice_but_can_be_retried(few: Product) -> None:
    """Stale with its reason, until somebody has it tried again."""
    few.order(channel="sms", kind="status", status=422)
    move(few, end=LATER)
    refused = few.open("sms", Phase.CHANGED)
    few.deliver_all(refused)
    assert (counted(few).stale, counted(few).uncorrected) == (3, 0)
    assert planned(few, Phase.CHANGED) == []
    with few.transaction() as connection:
        retry_failed(connection, refused, "mended", ACTOR, clock.now())
    again = few.open("sms", Phase.CHANGED)
    few.deliver_all(again)
    assert (few.broadcast(again).accepted, counted(few).stale) == (3, 0)
    assert "由3月20日24时改为3月24日24时" in texts(few, again)[-1]


def test_a_row_that_is_for_some_from_now_on_is_news_for_the_others(few: Product) -> None:
    """They were told that it concerns them."""
    replace_with(few, with_audience())
    assert counted(few).stale == 2


def test_a_row_of_some_wakes_nobody_else(product: Product) -> None:
    """Service comes back later for the retired: one of three is told."""
    few = product
    few.at(MORNING)
    audience(few, {A: ("retired",), B: (), C: ()})
    few.publish(with_audience())
    few.deliver_all(few.open("sms"))
    replace_with(few, with_audience(resume="2022-03-22 08:00"))
    assert counted(few).stale == 1
    broadcast = few.open("sms", Phase.CHANGED)
    few.deliver_all(broadcast)
    assert few.broadcast(broadcast).accepted == 1


def test_a_plan_says_whom_of_each_audience_it_corrects(product: Product) -> None:
    """By the audiences that its rows name; somebody may be in several, and whoever left the audience still counts."""
    product.at(MORNING)
    audience(product, {A: ("retired", "hospital"), B: ("hospital",), C: (), "+8610000000004": ("retired",)})
    proposal = with_audience()
    rows = proposal.announcement.impacts
    second = rows[1].model_copy(update={"audience": "tag:hospital and not tag:retired"})
    wanted = proposal.announcement.model_copy(update={"impacts": (rows[0], second, *rows[2:])})
    proposal = proposal.model_copy(update={"announcement": wanted})
    product.publish(proposal)
    product.deliver_all(product.open("sms"))
    audience(product, {A: ("retired", "hospital"), B: ("hospital",), C: ()})
    later = amending.amended(proposal, Times(end=LATER))
    with product.transaction() as connection:
        found = preview(connection, later, clock.now(), product.parts.reach).stale["sms"]
    assert (found.stale, found.uncorrected) == (4, 4)
    assert list(found.by_audience.items()) == [("tag:hospital and not tag:retired", 1), ("tag:retired", 2), (OTHERS, 1)]


def test_a_plan_counts_in_pieces(told: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """On several connections at once, each its own pieces: everybody once."""
    monkeypatch.setattr(believers, "COUNTED_AT_ONCE", 70)
    later = amending.amended(example(), Times(end=LATER))
    with told.transaction() as connection:
        found = preview(connection, later, clock.now(), told.parts.reach).stale["sms"]
    assert (found.stale, found.uncorrected) == (300, 300)


def test_whom_a_row_is_no_longer_for_is_counted_apart(product: Product) -> None:
    """Where the truth was told to some, each is judged by the rows that concern them."""
    product.at(MORNING)
    audience(product, {A: ("retired",), B: (), C: ()})
    product.publish(with_audience())
    product.deliver_all(product.open("sms"))
    with product.transaction() as connection:
        later = with_audience(resume="2022-03-22 08:00")
        found = preview(connection, later, clock.now(), product.parts.reach).stale["sms"]
    assert (found.uncorrected, found.by_audience) == (1, {"tag:retired": 1})


def test_called_off_and_on_again(few: Product) -> None:
    """Whoever was told of it is told that it is off; whoever was told that, that it is on."""
    few.order(channel="sms", kind="unreachable", share=1e-9)
    with few.transaction() as connection:
        conclude.cancel(connection, SLUG, "", ACTOR, clock.now())
    off = few.open("sms", Phase.CANCELLED)
    few.deliver_all(off)
    assert (few.broadcast(off).accepted, counted(few).stale) == (3, 0)
    with few.transaction() as connection:
        amending.reinstate(connection, SLUG, Times(), "", ACTOR, clock.now(), few.parts.reach)
    assert counted(few).stale == 3
    on = few.open("sms", Phase.CHANGED)
    few.deliver_all(on)
    assert (few.broadcast(on).accepted, counted(few).stale) == (3, 0)
    assert "原取消通知作废" in texts(few, on)[-1]


def test_taken_back_before_anybody_was_told(few: Product) -> None:
    """The cancelling never went out: there is nothing to correct."""
    with few.transaction() as connection:
        conclude.cancel(connection, SLUG, "", ACTOR, clock.now())
        amending.reinstate(connection, SLUG, Times(), "", ACTOR, clock.now(), few.parts.reach)
    assert (planned(few, Phase.CANCELLED), planned(few, Phase.CHANGED), counted(few).stale) == ([], [], 0)


def test_at_the_planned_end_those_who_were_told_it_are_stale(few: Product) -> None:
    """Until they are told that nobody has confirmed it."""
    few.at(local("2022-03-21 08:30"))
    with few.transaction() as connection:
        advance.advance(connection, clock.now(), few.parts.reach)
    assert counted(few).stale == 3
    broadcast = few.open("sms", Phase.OVERRUN)
    few.deliver_all(broadcast)
    assert counted(few).stale == 0


@pytest.mark.parametrize(("severity", "due"), [("major", "2022-02-20 08:00"), ("critical", "2022-02-19 22:00")])
def test_a_correction_waits_for_the_morning_unless_it_is_critical(few: Product, severity: str, due: str) -> None:
    """SMS is quiet from 21:00 to 8:00."""
    few.at(local("2022-02-19 22:00"))
    proposal = example()
    harder = proposal.announcement.model_copy(update={"severity": Severity(severity)})
    moved = amending.amended(proposal.model_copy(update={"announcement": harder}), Times(end=LATER))
    replace_with(few, Proposal.restore(moved.to_data()))
    with few.transaction() as connection:
        rows = broadcasts.of_announcement(connection, SLUG, ZONE)
    assert [row.due_at.replace(second=0, microsecond=0) for row in rows if row.phase is Phase.CHANGED] == [local(due)]
