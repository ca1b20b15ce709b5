"""What happens between a broadcast's opening and its calls can make it wrong: the guard stands before each call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from broadcaster import clock
from broadcaster.delivery import rounds
from broadcaster.operations import conclude, revise
from broadcaster.planning.proposal import Proposal
from tests.support.examples import SLUG, example, local
from tests.support.product import ACTOR, Product


@pytest.fixture
def opened(product: Product) -> tuple[Product, str]:
    """A product whose SMS notice to 300 people is opened, and nothing of it carried yet."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    return product, product.open("sms")


def renamed() -> Proposal:
    """The example under another title."""
    proposal = example()
    title = {"zh-Hans": "社保业务暂停", "en": "Services pause"}
    return proposal.model_copy(update={"announcement": proposal.announcement.model_copy(update={"title": title})})


def once(deed: Callable[[], object]) -> Callable[[], None]:
    """The deed at the first call, nothing at the next ones."""
    deeds = [deed]

    def first_time() -> None:
        while deeds:
            deeds.pop()()

    return first_time


def reasons(product: Product, broadcast: str) -> set[str]:
    """Why recipients were left out."""
    return {row.reason for row in product.ledger(broadcast)}


def test_an_expired_broadcast_is_skipped_and_says_when(opened: tuple[Product, str]) -> None:
    """A notice whose reminder is already due is worth no call."""
    product, broadcast = opened
    product.at(local("2022-02-23 10:00"))
    product.deliver(broadcast)
    assert product.broadcast(broadcast).skipped == 300
    assert reasons(product, broadcast) == {"expired at 2022-02-23 10:00"}
    assert product.shown(broadcast) == {}


def test_a_cancelled_announcement_stops_what_is_open(opened: tuple[Product, str]) -> None:
    """After the cancellation no call of the notice begins."""
    product, broadcast = opened
    with product.transaction() as connection:
        conclude.cancel(connection, SLUG, "put off", ACTOR, clock.now())
    product.deliver(broadcast)
    assert reasons(product, broadcast) == {"no longer true: the announcement is cancelled"}


def test_what_is_open_goes_on_with_the_newer_revision(opened: tuple[Product, str]) -> None:
    """Nobody is left out because the wording was mended in the middle of a broadcast."""
    product, broadcast = opened
    assert product.publish(renamed()) == 2
    product.deliver(broadcast)
    assert product.broadcast(broadcast).accepted == 300
    assert {row.revision for row in product.ledger(broadcast)} == {2}


def test_a_batch_under_way_changes_to_the_newer_revision(opened: tuple[Product, str]) -> None:
    """After its first call a revision is approved: the others are told the new words, each once."""
    product, broadcast = opened
    approving = product.worker("sms", once(lambda: product.publish(renamed())))
    product.deliver(broadcast, approving)
    product.deliver_all(broadcast)
    assert Counter(row.revision for row in product.ledger(broadcast)) == {1: 200, 2: 100}
    assert list(product.shown(broadcast).values()) == [1] * 300


def test_a_proposed_revision_stops_nothing(opened: tuple[Product, str]) -> None:
    """Only an approval changes what is true."""
    product, broadcast = opened
    with product.transaction() as connection:
        revise.propose(connection, renamed(), ACTOR, clock.now())
    product.deliver(broadcast)
    assert product.broadcast(broadcast).accepted == 300


def test_quiet_hours_hold_a_batch_until_the_morning(opened: tuple[Product, str]) -> None:
    """At 21:30 nobody's phone rings; the batch says when it goes on, and nobody puts it on the queue before."""
    product, broadcast = opened
    product.at(local("2022-02-18 21:30"))
    product.deliver(broadcast)
    [batch] = product.batches(broadcast)
    assert batch.hold_until == local("2022-02-19 08:00")
    assert product.shown(broadcast) == {}
    assert batch.id not in rounds.feed(product.parts.database, clock.now(), 100)


def test_a_held_batch_goes_on_after_the_quiet_hours(opened: tuple[Product, str]) -> None:
    """In the morning everybody gets their message, once."""
    product, broadcast = opened
    product.at(local("2022-02-18 21:30"))
    product.deliver(broadcast)
    product.at(local("2022-02-19 08:00"))
    assert product.batches(broadcast)[0].id in rounds.feed(product.parts.database, clock.now(), 100)
    product.deliver(broadcast)
    assert list(product.shown(broadcast).values()) == [1] * 300


def test_a_call_in_doubt_stays_unknown_when_it_must_not_be_repeated(opened: tuple[Product, str]) -> None:
    """The answer broke off, and then the broadcast expired: 200 may have seen it, 100 surely have."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_after")
    product.deliver(broadcast)
    product.end_waits()
    product.at(local("2022-02-23 10:00"))
    product.deliver(broadcast)
    row = product.broadcast(broadcast)
    assert (row.state, row.unknown, row.accepted) == ("closed", 200, 100)
    assert "in doubt when stopped: expired at 2022-02-23 10:00" in reasons(product, broadcast)
