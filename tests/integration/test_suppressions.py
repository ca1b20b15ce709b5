"""Suppressed people are left alone: from the next call on, on the channel they named; the ledger has the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster import clock
from broadcaster.audience import suppression
from broadcaster.audience.pools import pool_named
from broadcaster.audience.suppression import Order
from broadcaster.channels.base import Outcome
from broadcaster.errors import InputError, StateError
from broadcaster.storage import suppressions
from broadcaster.storage.suppressions import Sum, Written
from tests.support.examples import local
from tests.support.product import Product

FIRST = "+8610000000000"
STRANGER = "+8613800138000"


@pytest.fixture
def published(product: Product) -> Product:
    """The example, approved on a quiet morning before 300 people, its notice due."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    return product


def order(channel: str = "", reason: str = "") -> Order:
    """A clerk's."""
    return Order(channel, reason, "clerk", clock.now())


def suppress(product: Product, *phones: str, channel: str = "", reason: str = "") -> None:
    """Suppress these numbers."""
    with product.transaction() as connection:
        for phone in phones:
            assert suppression.suppress(connection, product.parts.vault, phone, order(channel, reason))


def left_out(product: Product, broadcast: str) -> list[tuple[str, str]]:
    """The phone and the reason of everybody whom a broadcast skipped."""
    skipped = {row.recipient_id: row.reason for row in product.ledger(broadcast) if row.outcome == Outcome.SKIPPED}
    with product.transaction() as connection:
        rows = connection.exec_driver_sql("SELECT id, handle, sealed FROM recipients").all()
    vault = product.parts.vault
    return sorted((vault.open(row.handle, row.sealed)[0], skipped[row.id]) for row in rows if row.id in skipped)


def test_a_suppressed_person_is_skipped_with_their_reason(published: Product) -> None:
    """Everybody else is told, and the counters say so."""
    suppress(published, FIRST, reason="moved away")
    broadcast = published.open("sms")
    published.deliver_all(broadcast)
    assert left_out(published, broadcast) == [(FIRST, "moved away")]
    row = published.broadcast(broadcast)
    assert (row.accepted, row.skipped) == (299, 1)


def test_without_a_reason_they_have_opted_out(published: Product) -> None:
    """Which is what it mostly is."""
    suppress(published, FIRST, channel="sms")
    broadcast = published.open("sms")
    published.deliver_all(broadcast)
    assert left_out(published, broadcast) == [(FIRST, "opted out")]


def test_who_opts_out_while_it_is_sent_gets_nothing_more(published: Product) -> None:
    """In the middle of a batch, between two of its calls: whoever is not in a call yet is skipped."""
    broadcast = published.open("sms")
    with published.transaction() as connection:
        rows = connection.exec_driver_sql(
            "SELECT handle, sealed FROM recipients WHERE pool = '' ORDER BY id DESC LIMIT 1"
        ).one()
    last, _ = published.parts.vault.open(rows.handle, rows.sealed)
    seen: list[bool] = []

    def happen() -> None:
        if not seen:
            seen.append(True)
            suppress(published, last, reason="just now")

    published.deliver(broadcast, published.worker("sms", happen))
    published.deliver_all(broadcast)
    assert left_out(published, broadcast) == [(last, "just now")]
    assert published.broadcast(broadcast).accepted == 299


def test_who_is_lifted_again_is_told_the_next_time(published: Product) -> None:
    """Once they ask for it."""
    suppress(published, FIRST)
    with published.transaction() as connection:
        vault = published.parts.vault
        assert suppression.unsuppress(connection, vault, FIRST, order()) == [""]
    broadcast = published.open("sms")
    published.deliver_all(broadcast)
    assert left_out(published, broadcast) == []


def test_somebody_can_be_suppressed_before_they_are_in_the_audience(product: Product) -> None:
    """An import that has them later does not bring them back."""
    product.at(local("2022-02-18 10:00"))
    suppress(product, FIRST, reason="never again")
    product.gather(3)
    product.publish()
    broadcast = product.open("sms")
    product.deliver_all(broadcast)
    assert left_out(product, broadcast) == [(FIRST, "never again")]


def test_suppressing_twice_is_once(product: Product) -> None:
    """The first reason stays; one channel and all channels are two things."""
    with product.transaction() as connection:
        vault = product.parts.vault
        assert suppression.suppress(connection, vault, STRANGER, order(reason="first"))
        assert not suppression.suppress(connection, vault, STRANGER, order(reason="second"))
        assert suppression.suppress(connection, vault, STRANGER, order("sms"))
        assert suppressions.sums(connection) == [Sum("", "first", 1), Sum("sms", "", 1)]


def test_lifting_what_does_not_stand_is_explained(product: Product) -> None:
    """With what stands instead, and never with the number in full."""
    suppress(product, STRANGER)
    for phone, says in ((FIRST, "not suppressed on sms"), (STRANGER, "not suppressed on sms")):
        with pytest.raises(StateError, match=says) as caught, product.transaction() as connection:
            suppression.unsuppress(connection, product.parts.vault, phone, order("sms"))
        assert phone not in str(caught.value)
    assert "suppressed on every channel" in str(caught.value.hint)


def test_a_file_of_numbers_is_suppressed(product: Product, tmp_path: Path) -> None:
    """With the reasons it has, else that of the command; bad numbers are kept beside it."""
    file = tmp_path / "opted-out.csv"
    file.write_text(
        "phone,reason\n13800138000,by letter\n13800138001,\n13800138000,by phone\n12,\n\n", encoding="utf-8"
    )
    with product.transaction() as connection:
        found = suppression.suppress_file(connection, product.parts.vault, file, order("sms", "list of May"))
        assert suppressions.sums(connection) == [Sum("sms", "by phone", 1), Sum("sms", "list of May", 1)]
    assert (found.new, found.known, dict(found.reasons)) == (2, 0, {"not a valid phone number": 1})
    assert found.rejects == tmp_path / "opted-out.rejects.csv"


def test_a_reason_that_may_name_somebody_is_left_out_but_not_their_wish(product: Product, tmp_path: Path) -> None:
    """Reasons stand in reports; whoever opted out has, whatever somebody wrote beside it."""
    file = tmp_path / "opted-out.csv"
    file.write_text("phone,reason\n13800138000,called from 138 0013 8000\n", encoding="utf-8")
    with product.transaction() as connection:
        found = suppression.suppress_file(connection, product.parts.vault, file, order())
        assert suppressions.sums(connection) == [Sum("", "", 1)]
    assert dict(found.unkept) == {"the reason holds a number, and reasons are shown in reports": 1}


def test_a_file_without_phones_is_refused(product: Product, tmp_path: Path) -> None:
    """Nobody is suppressed by it."""
    file = tmp_path / "list.csv"
    file.write_text("number\n13800138000\n", encoding="utf-8")
    with pytest.raises(InputError, match="the column `phone` is missing"), product.transaction() as connection:
        suppression.suppress_file(connection, product.parts.vault, file, order())
    assert product.value("SELECT count(*) FROM suppressions") == 0


def test_events_count_and_name_nobody(product: Product) -> None:
    """Who suppressed or lifted how many, where."""
    suppress(product, STRANGER, channel="sms")
    with product.transaction() as connection:
        suppression.unsuppress(connection, product.parts.vault, STRANGER, order("sms"))
        rows = connection.exec_driver_sql("SELECT actor, verb, details FROM events ORDER BY id").all()
    assert [tuple(row) for row in rows] == [
        ("clerk", "suppress", {"people": 1, "known": 0, "channel": "sms"}),
        ("clerk", "unsuppress", {"people": 1, "channels": ["sms"]}),
    ]


@pytest.mark.parametrize("slug", ["fax", "banner", "SMS"])
def test_a_channel_must_reach_people(slug: str) -> None:
    """A slip of the pen must not leave somebody unsuppressed."""
    with pytest.raises(InputError, match="reaches no people"):
        pool_named(slug)


@pytest.mark.parametrize(
    ("reason", "why"),
    [("x" * 101, "more than 100"), ("a\x00b", "control"), ("\udcff", "control"), ("ask 13800138000", "a number")],
)
def test_a_reason_must_be_fit_to_be_shown(reason: str, why: str) -> None:
    """Short, and without anybody's number."""
    with pytest.raises(ValueError, match=why):
        suppression.checked_reason(reason)


def test_many_are_written_at_once(product: Product) -> None:
    """New ones and known ones are told apart."""
    phones = [(f"+8610000000{number:03}", "") for number in range(100)]
    with product.transaction() as connection:
        vault, now = product.parts.vault, clock.now()
        assert suppressions.write(connection, vault, phones[:60], "", "clerk", now) == Written(60, 0)
        assert suppressions.write(connection, vault, phones, "", "clerk", now) == Written(40, 60)
