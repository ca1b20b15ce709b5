"""Receipts and the ledger: joined whenever they come, to whom they belong, and nothing is taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from broadcaster import clock
from broadcaster.channels.base import Idempotency
from broadcaster.delivery import rounds
from broadcaster.storage import broadcasts, gauges, merging, receipts, tallies
from broadcaster.storage.receipts import Receipt, ReceiptStatus
from broadcaster.storage.tables import deliveries, waiting_receipts
from tests.support.examples import local
from tests.support.product import Killed, Product, kill

DELIVERED, FAILED = ReceiptStatus.DELIVERED, ReceiptStatus.FAILED
NOBODY = "0" * 20


@pytest.fixture
def opened(product: Product) -> tuple[Product, str]:
    """A product whose SMS notice to three people is opened, and nothing of it carried yet."""
    product.at(local("2022-02-18 10:00"))
    product.gather(3)
    product.publish()
    return product, product.open("sms")


@pytest.fixture
def silent(opened: tuple[Product, str]) -> tuple[Product, str]:
    """The same, carried; of what the stand-in said afterwards nothing is known any more."""
    product, broadcast = opened
    product.deliver(broadcast)
    product.merge_receipts()
    with product.transaction() as connection:
        connection.execute(update(deliveries).values(receipt="", receipt_at=None))
        connection.execute(text("UPDATE broadcasts SET delivered = 0, failed = 0"))
        connection.execute(text("DELETE FROM receipts"))
    return product, broadcast


def say(
    product: Product,
    broadcast: str,
    *recipients: int,
    status: ReceiptStatus = DELIVERED,
    channel: str = "sms",
    provider: str = "sandbox-sms",
) -> None:
    """Keep receipts, as a callback does."""
    with product.transaction() as connection:
        rows = [Receipt(broadcast, recipient, status, clock.now()) for recipient in recipients]
        receipts.append(connection, channel, provider, rows)


def merge(product: Product) -> None:
    """A round of merging."""
    rounds.merge_receipts(product.parts.database)


def try_again(product: Product) -> None:
    """A round of merging in which everything that waits is due."""
    with product.transaction() as connection:
        connection.execute(update(waiting_receipts).values(next_try_at=text("now()")))
    merge(product)


def people(product: Product) -> list[int]:
    """The ids of the people."""
    return [int(id_) for id_ in product.value("SELECT array_agg(id ORDER BY id) FROM recipients WHERE pool = ''")]


def words(product: Product, broadcast: str) -> list[str]:
    """The receipt of each delivery, by recipient."""
    return [row.receipt for row in product.ledger(broadcast)]


def waiting(product: Product) -> int:
    """How many words wait for their delivery."""
    return int(product.value("SELECT count(*) FROM waiting_receipts"))


def test_every_accepted_delivery_is_completed_by_its_receipt(product: Product) -> None:
    """The stand-in provider reports each; a number that ends in 888 is reported as failed."""
    product.at(local("2022-02-18 10:00"))
    product.gather(1000)
    product.publish()
    broadcast = product.open("sms")
    product.deliver(broadcast)
    product.merge_receipts()
    row = product.broadcast(broadcast)
    assert (row.accepted, row.rejected, row.delivered, row.failed) == (999, 1, 998, 1)


def test_a_receipt_that_came_before_its_delivery_waits_for_it(opened: tuple[Product, str]) -> None:
    """A provider can be faster than our own recording; nothing is lost."""
    product, broadcast = opened
    say(product, broadcast, people(product)[0])
    merge(product)
    assert (product.broadcast(broadcast).delivered, waiting(product)) == (0, 1)
    product.deliver(broadcast)
    product.merge_receipts()
    row = product.broadcast(broadcast)
    assert (row.accepted, row.delivered, waiting(product)) == (3, 3, 0)


def test_what_waits_is_joined_by_itself(opened: tuple[Product, str]) -> None:
    """Its provider need not say it again."""
    product, broadcast = opened
    say(product, broadcast, *people(product), status=FAILED)
    merge(product)
    product.deliver(broadcast)
    try_again(product)
    assert (words(product, broadcast), waiting(product)) == (["failed"] * 3, 0)


def test_a_receipt_that_comes_twice_counts_once(silent: tuple[Product, str]) -> None:
    """Providers repeat their callbacks: in one, in two, before and after they were joined."""
    product, broadcast = silent
    first = people(product)[0]
    say(product, broadcast, first, first)
    say(product, broadcast, first)
    merge(product)
    say(product, broadcast, first)
    merge(product)
    assert product.broadcast(broadcast).delivered == 1


@pytest.mark.parametrize("together", [True, False], ids=["in one round", "in two rounds"])
def test_the_first_word_of_a_provider_stays(silent: tuple[Product, str], together: bool) -> None:
    """Both words are final; a later one that contradicts changes nothing."""
    product, broadcast = silent
    first = people(product)[0]
    say(product, broadcast, first, status=FAILED)
    if not together:
        merge(product)
    say(product, broadcast, first, status=DELIVERED)
    merge(product)
    row = product.broadcast(broadcast)
    assert (row.failed, row.delivered, words(product, broadcast)[0]) == (1, 0, "failed")


def test_a_word_that_waits_is_still_the_first(opened: tuple[Product, str]) -> None:
    """What comes after the delivery was recorded does not overtake what came before it."""
    product, broadcast = opened
    say(product, broadcast, *people(product), status=FAILED)
    merge(product)
    product.deliver(broadcast)
    product.merge_receipts()  # the stand-in says that they were delivered
    assert words(product, broadcast) == ["failed"] * 3


@pytest.mark.parametrize("status", ReceiptStatus)
def test_a_receipt_settles_a_doubt(opened: tuple[Product, str], status: ReceiptStatus) -> None:
    """Delivered or failed, the provider had it: the outcome is accepted, and the reason of the doubt stays."""
    product, broadcast = opened
    product.order(channel="sms", kind="drop_before")
    product.deliver(broadcast, product.worker("sms", idempotency=Idempotency.NONE))
    assert product.broadcast(broadcast).unknown == 3
    say(product, broadcast, *people(product)[:2], status=status)
    merge(product)
    row = product.broadcast(broadcast)
    assert (row.accepted, row.unknown, getattr(row, status)) == (2, 1, 2)
    assert [(row.outcome, row.receipt) for row in product.ledger(broadcast)] == [
        *[("accepted", status)] * 2,
        ("unknown", ""),
    ]
    assert all("sandbox-sms" in row.reason for row in product.ledger(broadcast))


def test_a_doubt_in_a_batch_that_is_not_done_is_settled_too(product: Product) -> None:
    """The batch still counts it as unknown and adds that later; the figures are right before and after."""
    product.at(local("2022-02-18 10:00"))
    product.gather(400)
    product.publish()
    broadcast = product.open("sms")
    product.order(channel="sms", kind="drop_after")
    with pytest.raises(Killed):
        product.deliver(broadcast, product.worker("sms", kill, Idempotency.NONE))
    unknown = sum(row.outcome == "unknown" for row in product.ledger(broadcast))
    product.merge_receipts()
    live = product.broadcast(broadcast)
    with product.transaction() as connection:
        kept = broadcasts.find(connection, broadcast)
    assert kept
    assert (live.unknown, live.accepted, kept.unknown) == (0, unknown, -unknown)
    product.deliver_all(broadcast)
    product.merge_receipts()
    row = product.broadcast(broadcast)
    assert unknown > 0
    assert (row.unknown, row.accepted + row.rejected) == (0, 400)


def test_a_provider_speaks_only_of_what_went_through_it(silent: tuple[Product, str]) -> None:
    """Another account of the same channel has no say."""
    product, broadcast = silent
    say(product, broadcast, *people(product), provider="another")
    merge(product)
    assert (words(product, broadcast), waiting(product)) == ([""] * 3, 0)


def test_anothers_word_is_not_the_first(silent: tuple[Product, str]) -> None:
    """What a stranger said before does not count."""
    product, broadcast = silent
    say(product, broadcast, *people(product), status=FAILED, provider="another")
    say(product, broadcast, *people(product))
    merge(product)
    assert words(product, broadcast) == ["delivered"] * 3


def test_a_provider_speaks_only_of_its_own_channel(silent: tuple[Product, str]) -> None:
    """Even when it has the same name on both."""
    product, broadcast = silent
    say(product, broadcast, *people(product), channel="wechat")
    merge(product)
    assert (words(product, broadcast), waiting(product)) == ([""] * 3, 0)


def test_an_endpoint_speaks_only_of_itself(opened: tuple[Product, str]) -> None:
    """One hall's kiosks say nothing of another's."""
    product, _ = opened
    broadcast = product.open("kiosk")
    product.deliver(broadcast)
    ids = [row.recipient_id for row in product.ledger(broadcast)]
    with product.transaction() as connection:
        connection.execute(text("DELETE FROM receipts"))
    say(product, broadcast, *ids, channel="kiosk", provider="hall-kiosks")
    merge(product)
    assert [row.provider for row in product.ledger(broadcast) if row.receipt == "delivered"] == ["hall-kiosks"]


def test_where_the_provider_is_not_known_any_of_the_channel_may_speak(silent: tuple[Product, str]) -> None:
    """Deliveries that an older version recorded do not name it."""
    product, broadcast = silent
    with product.transaction() as connection:
        connection.execute(update(deliveries).values(provider=""))
    say(product, broadcast, *people(product), provider="another")
    merge(product)
    assert words(product, broadcast) == ["delivered"] * 3


@pytest.mark.parametrize("known", [True, False], ids=["a broadcast of ours", "nobody's broadcast"])
def test_what_never_finds_its_delivery_is_kept_and_counted(opened: tuple[Product, str], known: bool) -> None:
    """It waits, each time for longer, and no round looks at it before."""
    product, broadcast = opened
    say(product, broadcast if known else NOBODY, 10**9, 10**9 + 1)
    merge(product)
    waits = "SELECT min(next_try_at - now()) FROM waiting_receipts"
    with product.transaction() as connection:
        connection.execute(update(waiting_receipts).values(since=text("now() - interval '1 hour'")))
    try_again(product)
    with product.transaction() as connection:
        assert (gauges.receipts_without_delivery(connection), receipts.unsettled(connection)) == (2, 0)
        assert merging.merge(connection) == 0
    assert timedelta(minutes=25) < product.value(waits) <= timedelta(minutes=30)


def test_a_receipt_for_somebody_who_was_skipped_changes_nothing(opened: tuple[Product, str]) -> None:
    """They were not written to, whatever is said; and nothing waits for ever."""
    product, broadcast = opened
    product.deliver(broadcast)
    product.merge_receipts()
    with product.transaction() as connection:
        connection.execute(update(deliveries).values(outcome="skipped", receipt="", receipt_at=None))
    say(product, broadcast, *people(product))
    merge(product)
    assert ([row.outcome for row in product.ledger(broadcast)], waiting(product)) == (["skipped"] * 3, 0)


def test_only_one_merges_at_a_time(silent: tuple[Product, str]) -> None:
    """Two schedulers do no harm: the second finds nothing to do, and nothing is counted twice."""
    product, broadcast = silent
    say(product, broadcast, *people(product))
    with product.transaction() as first:
        assert merging.merge(first) == 3
        with product.transaction() as second:
            assert merging.merge(second) == 0
    assert product.broadcast(broadcast).delivered == 3


def test_a_round_takes_whole_callbacks_until_it_has_enough(silent: tuple[Product, str]) -> None:
    """The rest waits for the next round, in order."""
    product, broadcast = silent
    first, second, third = people(product)
    say(product, broadcast, first, second)
    say(product, broadcast, third)
    with product.transaction() as connection:
        assert merging.merge(connection, 1) == 2
    assert words(product, broadcast) == ["delivered", "delivered", ""]
    with product.transaction() as connection:
        assert merging.merge(connection, 1) == 1
    assert words(product, broadcast) == ["delivered"] * 3


def test_one_callback_may_speak_of_several_broadcasts(opened: tuple[Product, str]) -> None:
    """Each word finds its own."""
    product, broadcast = opened
    product.deliver(broadcast)
    product.merge_receipts()
    with product.transaction() as connection:
        connection.execute(update(deliveries).values(receipt=""))
        rows = [Receipt(id_, people(product)[0], FAILED, clock.now()) for id_ in (NOBODY, broadcast)]
        receipts.append(connection, "sms", "sandbox-sms", rows)
    merge(product)
    assert (words(product, broadcast)[0], waiting(product)) == ("failed", 1)


def test_joined_receipts_are_tallied(silent: tuple[Product, str]) -> None:
    """By channel, provider and what was said."""
    product, broadcast = silent
    before = _tallied(product)
    say(product, broadcast, *people(product)[:2])
    say(product, broadcast, people(product)[2], status=FAILED)
    merge(product)
    after = _tallied(product)
    assert [after.get(word, 0) - before.get(word, 0) for word in ("delivered", "failed")] == [2, 1]


def _tallied(product: Product) -> dict[str, float]:
    with product.transaction() as connection:
        found = tallies.read(connection)
    head = "sms|sandbox-sms|"
    return {
        label.removeprefix(head): value
        for (name, label), value in found.items()
        if name == tallies.RECEIPTS and head in label
    }
