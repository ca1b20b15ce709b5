"""The ledger is asked: who was told what, who was not reached, and only the announcement's own part is looked at."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import TextClause, select, text

from broadcaster import clock
from broadcaster.channels.base import Delivery, Outcome
from broadcaster.planning.phase import Phase
from broadcaster.storage import announcements, audiences, broadcasts, ledger
from broadcaster.storage.partitions import partition
from broadcaster.storage.recipients import id_of
from broadcaster.storage.tables import deliveries, recipients
from tests.support.examples import SLUG, local
from tests.support.product import Product

PEOPLE = 300
CALL = 200


@pytest.fixture
def sent(product: Product) -> tuple[Product, str]:
    """An SMS notice that is sent; the provider refused its first call. Other announcements stand beside it."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    with product.transaction() as connection:
        for number in range(5):
            announcements.create(connection, f"other-{number}", "Asia/Shanghai", clock.now())
    product.publish()
    broadcast = product.open("sms")
    product.order(channel="sms", kind="status", status=400)
    product.deliver_all(broadcast)
    product.merge_receipts()
    return product, broadcast


def parts_read(product: Product, statement: TextClause, values: dict[str, object]) -> set[str]:
    """The parts of the ledger that are read to answer a question."""
    with product.transaction() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = connection.execute(text(f"EXPLAIN (ANALYZE) {statement.text}"), values).scalars()
        read = [line for line in plan if "never executed" not in line]
    return {found for line in read for found in re.findall(r" on (deliveries_\d+)", line)}


def test_one_person_was_told_what_and_by_whom(sent: tuple[Product, str]) -> None:
    """Every broadcast that reached for them, with the provider that it went through."""
    product, broadcast = sent
    person = product.ledger(broadcast)[-1].recipient_id
    with product.transaction() as connection:
        (row,) = ledger.told(connection, person, SLUG)
        assert ledger.told(connection, person, None) == [row]
        assert ledger.told(connection, person, "other-1") == []
    assert (row.slug, row.phase, row.channel, row.provider) == (SLUG, Phase.NOTICE, "sms", "sandbox-sms")
    assert (row.outcome, row.receipt) == ("accepted", "delivered")


def test_somebody_who_left_the_audience_is_found(sent: tuple[Product, str]) -> None:
    """They were told all the same."""
    product, broadcast = sent
    person = product.ledger(broadcast)[-1].recipient_id
    with product.transaction() as connection:
        handle = connection.execute(select(recipients.c.handle).where(recipients.c.id == person)).scalar_one()
        audiences.stage(connection, audiences.PEOPLE, product.parts.vault, [("+8613800138000", "", "en", [])])
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=False)
        found = id_of(connection, handle)
        assert found == person
        assert len(ledger.told(connection, person, SLUG)) == 1


def test_who_was_not_reached_is_counted_by_reason(sent: tuple[Product, str]) -> None:
    """Refusals, doubts and skips with their reason; a failed receipt counts as failed. The most frequent come first."""
    product, broadcast = sent
    with product.transaction() as connection:
        row = broadcasts.find(connection, broadcast)
        assert row
        connection.execute(
            text("UPDATE deliveries SET receipt = 'failed' WHERE recipient_id = :id"),
            {"id": product.ledger(broadcast)[-1].recipient_id},
        )
        connection.execute(
            text(
                "UPDATE deliveries SET outcome = 'skipped', reason = 'opted out', provider = ''"
                " WHERE recipient_id = :id"
            ),
            {"id": product.ledger(broadcast)[0].recipient_id},
        )
        found = [(row.number, row.provider, row.outcome, row.reason) for row in ledger.failures(connection, SLUG)]
        of_broadcast = ledger.failures(connection, SLUG, broadcast)
        of_another = ledger.failures(connection, SLUG, "0" * 20)
    assert found[0] == (CALL - 1, "sandbox-sms", "rejected", "sandbox-sms answered 400")
    assert {(1, "sandbox-sms", "failed", ""), (1, "", "skipped", "opted out")} <= set(found)
    assert (len(of_broadcast), of_another) == (len(found), [])


def test_deliveries_come_in_order_with_their_recipients(sent: tuple[Product, str]) -> None:
    """As they were when the broadcast was opened, not as they are now."""
    product, broadcast = sent
    with product.transaction() as connection:
        audiences.stage(connection, audiences.PEOPLE, product.parts.vault, [("+8613800138000", "", "en", [])])
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=False)
        rows = list(ledger.deliveries_of(connection, broadcast, failures_only=False))
        failed = list(ledger.deliveries_of(connection, broadcast, failures_only=True))
    ids = [row.recipient_id for row in rows]
    assert ids == sorted(ids)
    assert (len(rows), len(failed) >= CALL) == (PEOPLE, True)
    assert {product.parts.vault.open(row.handle, row.sealed)[0][:5] for row in rows} == {"+8610"}


def test_what_is_asked_of_one_announcement_reads_its_part_alone(sent: tuple[Product, str]) -> None:
    """However many announcements there are: each question names the number by which the ledger is divided."""
    product, broadcast = sent
    with product.transaction() as connection:
        standing = announcements.find(connection, SLUG)
    assert standing
    questions: list[tuple[TextClause, dict[str, object]]] = [
        (ledger._told_by(standing.number), {"recipient": 10}),
        (ledger._OUTCOMES, {"broadcast": broadcast}),
        (ledger._FAILURES, {"slug": SLUG, "broadcast": None}),
        (ledger._REASONS, {"slug": SLUG}),
        (ledger._DELIVERIES, {"broadcast": broadcast, "failures_only": False}),
    ]
    for statement, values in questions:
        assert parts_read(product, statement, values) == {partition(standing.number)}, statement.text


def test_words_of_a_provider_are_kept_as_they_are(sent: tuple[Product, str]) -> None:
    """Tabs, line ends, backslashes and what no database holds do not break the copying; a page of them is cut."""
    product, broadcast = sent
    odd = "a\tb\nc\\d\r\0" + "x" * 300
    with product.transaction() as connection:
        connection.execute(text("DELETE FROM deliveries"))
        row = connection.execute(
            text(
                "SELECT a.number AS announcement, b.id AS broadcast_id"
                " FROM broadcasts b JOIN announcements a USING (slug) WHERE b.id = :id"
            ),
            {"id": broadcast},
        ).one()
        ledger.record(connection, row, 1, "sandbox-sms", [Delivery(7, Outcome.REJECTED, odd, "r\t1")], clock.now())
        found = connection.execute(select(deliveries)).one()
    assert (found.reason[:9], len(found.reason), found.reference) == ("a\tb\nc\\d\rx", ledger.LONGEST_WORDS, "r\t1")
