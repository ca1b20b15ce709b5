"""Receipts of suppliers that do not know our ids: joined by the phone and what the provider calls the delivery."""

from __future__ import annotations

import pytest
from sqlalchemy import TextClause, select, text, update

from broadcaster import clock
from broadcaster.channels.callback import Receipt, ReceiptStatus
from broadcaster.delivery import rounds
from broadcaster.storage import addressed, receipts, recipients
from broadcaster.storage.tables import addressed_receipts, deliveries
from broadcaster.storage.tables import recipients as recipient_table
from tests.support.examples import local
from tests.support.product import Product

PEOPLE = 30
PROVIDER = "sandbox-sms"


@pytest.fixture
def notice(product: Product) -> str:
    """A notice that thirty people were sent, with no receipt joined yet."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish()
    broadcast = product.open("sms")
    product.deliver_all(broadcast)
    product.merge_receipts()
    with product.transaction() as connection:
        connection.execute(update(deliveries).values(receipt="", receipt_at=None))
    return broadcast


def phone_of(product: Product, recipient: int) -> str:
    """The phone of somebody."""
    with product.transaction() as connection:
        row = connection.execute(
            select(recipient_table.c.handle, recipient_table.c.sealed).where(recipient_table.c.id == recipient)
        ).one()
    return product.parts.vault.open(bytes(row.handle), bytes(row.sealed))[0]


def say(product: Product, recipient: int, *, broadcast: str = "", reference: str = "", failed: bool = False) -> None:
    """A receipt as a vendor gives it."""
    status = ReceiptStatus.FAILED if failed else ReceiptStatus.DELIVERED
    row = Receipt(broadcast, 0, status, clock.now(), phone_of(product, recipient), reference)
    with product.transaction() as connection:
        addressed.append(connection, product.parts.vault, "sms", "", PROVIDER, [row])


def word_on(product: Product, broadcast: str, recipient: int) -> str:
    """What the ledger has from the provider about a delivery."""
    [row] = [row for row in product.ledger(broadcast) if row.recipient_id == recipient]
    return str(row.receipt)


def accepted(product: Product, broadcast: str) -> tuple[int, str]:
    """Somebody whose message was accepted, and what the provider calls it."""
    row = next(row for row in product.ledger(broadcast) if row.outcome == "accepted")
    return row.recipient_id, row.reference


def test_a_broadcast_and_a_phone_are_enough(product: Product, notice: str) -> None:
    """A vendor that carries a word of ours gives it back."""
    whom, _ = accepted(product, notice)
    say(product, whom, broadcast=notice, failed=True)
    rounds.merge_receipts(product.parts.database)
    assert word_on(product, notice, whom) == "failed"


def test_a_reference_and_a_phone_are_enough(product: Product, notice: str) -> None:
    """A vendor that does not is known by what it called the delivery."""
    whom, reference = accepted(product, notice)
    say(product, whom, reference=reference)
    rounds.merge_receipts(product.parts.database)
    assert word_on(product, notice, whom) == "delivered"
    assert product.value("SELECT count(*) FROM addressed_receipts") == 0


def test_somebody_elses_reference_joins_nothing(product: Product, notice: str) -> None:
    """Both must fit; what fits nothing waits, and is not looked at again at once."""
    whom, _ = accepted(product, notice)
    say(product, whom, reference="not-ours")
    rounds.merge_receipts(product.parts.database)
    assert word_on(product, notice, whom) == ""
    with product.transaction() as connection:
        assert addressed.resolve(connection) == 0
        assert receipts.unsettled(connection) == 1


def test_a_receipt_before_its_delivery_waits_for_it(product: Product, notice: str) -> None:
    """The provider may be faster than the worker that records what it answered."""
    whom, reference = accepted(product, notice)
    with product.transaction() as connection:
        mine = deliveries.c.recipient_id == whom
        connection.execute(update(deliveries).where(mine).values(reference="not known yet"))
    say(product, whom, reference=reference)
    rounds.merge_receipts(product.parts.database)
    assert word_on(product, notice, whom) == ""
    with product.transaction() as connection:
        connection.execute(update(deliveries).where(mine).values(reference=reference))
        connection.execute(update(addressed_receipts).values(next_try_at=clock.machine_now()))
    rounds.merge_receipts(product.parts.database)
    assert word_on(product, notice, whom) == "delivered"


def test_no_phone_is_kept_with_a_receipt(product: Product, notice: str) -> None:
    """Only its blind index."""
    whom, _ = accepted(product, notice)
    say(product, whom, reference="not-ours")
    row = product.value("SELECT t::text FROM addressed_receipts t")
    assert phone_of(product, whom).removeprefix("+") not in row


@pytest.mark.parametrize("statement", [addressed._BY_BROADCAST, recipients._ID_OF], ids=["receipts", "a phone"])
def test_whoever_has_a_phone_is_found_by_an_index(product: Product, notice: str, statement: TextClause) -> None:
    """Among ten million, a look at each would take a second for every receipt."""
    whom, _ = accepted(product, notice)
    handle = product.parts.vault.handle("", phone_of(product, whom))
    with product.transaction() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explained = connection.execute(text(f"EXPLAIN {statement}"), {"ids": [1], "handle": handle})
        plan = "\n".join(explained.scalars())
    assert "Seq Scan on recipients" not in plan
    assert "uq_recipients_current" in plan
