"""Retrying: those whom a broadcast failed to reach are told once more, and nobody else is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from broadcaster import clock
from broadcaster.errors import StateError
from broadcaster.operations import advance, conclude, holding, retrying
from broadcaster.operations.holding import Target
from broadcaster.operations.retrying import Retry
from broadcaster.storage import audiences, events, receipts, suppressions
from broadcaster.storage.holds import Scope
from broadcaster.storage.receipts import Receipt, ReceiptStatus
from broadcaster.storage.tables import broadcasts, recipients
from tests.support.examples import SLUG, local
from tests.support.product import ACTOR, Product

PEOPLE = 1000
CALL = 200
STUBBORN = ("888", "999")
"""Endings of two numbers that the stand-in does not reach, however often it tries."""


@pytest.fixture
def sent(product: Product) -> tuple[Product, str]:
    """An SMS notice that is sent: the provider refused its first call as a whole."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish()
    broadcast = product.open("sms")
    product.order(channel="sms", kind="status", status=400)
    product.deliver_all(broadcast)
    product.merge_receipts()
    return product, broadcast


def retry(product: Product, broadcast: str) -> Retry:
    """Ask for a retry, as an operator does."""
    with product.transaction() as connection:
        return retrying.retry_failed(connection, broadcast, "the provider is mended", ACTOR, clock.now())


def carried(product: Product, broadcast: str) -> str:
    """Ask for a retry and carry it to its end."""
    wanted = retry(product, broadcast)
    opened = product.open("sms")
    assert opened == wanted.broadcast.id
    product.deliver_all(opened)
    product.merge_receipts()
    row = product.broadcast(opened)
    assert row.recipients == row.accepted + row.rejected + row.unknown + row.skipped
    return opened


def outcomes(product: Product, broadcast: str) -> dict[int, str]:
    """Recipient → outcome, or `failed` when a receipt said so."""
    return {row.recipient_id: "failed" if row.receipt == "failed" else row.outcome for row in product.ledger(broadcast)}


def failed(product: Product, broadcast: str) -> set[int]:
    """Whom a broadcast did not reach."""
    return {id_ for id_, outcome in outcomes(product, broadcast).items() if outcome in ("rejected", "failed")}


def stubborn(product: Product) -> set[int]:
    """Whom the stand-in never reaches."""
    vault = product.parts.vault
    with product.transaction() as connection:
        rows = connection.execute(select(recipients).where(recipients.c.pool == audiences.PEOPLE)).all()
    return {row.id for row in rows if vault.open(row.handle, row.sealed)[0].endswith(STUBBORN)}


def test_a_retry_is_for_those_who_failed_and_nobody_else(sent: tuple[Product, str]) -> None:
    """Refused by the provider, or failed by a receipt; with the words, the audience and the expiry of the original."""
    product, original = sent
    wanted = retry(product, original)
    opened = product.open("sms")
    product.deliver_all(opened)
    product.merge_receipts()
    row, first = product.broadcast(opened), product.broadcast(original)
    refused = {row.recipient_id for row in product.ledger(original)[:CALL]}
    assert outcomes(product, opened).keys() == failed(product, original) == refused | stubborn(product)
    assert wanted.recipients == row.recipients == len(refused | stubborn(product))
    assert (row.expires_at, row.audience, row.phase, row.version) == (
        *(first.expires_at, first.audience, first.phase, first.version),
    )
    assert (row.retries, row.occurrence, row.note) == (
        original,
        f"retry 1 of {first.occurrence}",
        "the provider is mended",
    )


def test_the_public_sees_nothing_twice(sent: tuple[Product, str]) -> None:
    """Who was reached at first is not told again."""
    product, original = sent
    again = carried(product, original)
    assert product.shown(original).keys() & product.shown(again).keys() <= failed(product, original)


def test_a_retry_of_a_retry_tries_whoever_is_left(sent: tuple[Product, str]) -> None:
    """It is one more retry of the original: two stubborn numbers are left of two hundred."""
    product, original = sent
    first = carried(product, original)
    second = carried(product, first)
    assert outcomes(product, second).keys() == failed(product, first) == stubborn(product)
    row = product.broadcast(second)
    assert (row.retries, row.occurrence.split(" of ")[0]) == (original, "retry 2")


def test_whoever_another_retry_told_is_not_told_again(sent: tuple[Product, str]) -> None:
    """The original is retried a second time: its failures are still in the ledger, but they were told since."""
    product, original = sent
    first = carried(product, original)
    second = carried(product, original)
    assert outcomes(product, second).keys() == failed(product, first) == stubborn(product)


def test_a_receipt_that_fails_somebody_meanwhile_is_accounted_for(sent: tuple[Product, str]) -> None:
    """After the retry was cut: they are tried with the others, and its figures add up."""
    product, original = sent
    before = retry(product, original).recipients
    opened = product.open("sms")
    told = [row.recipient_id for row in product.ledger(original) if row.receipt == "delivered"]
    with product.transaction() as connection:
        connection.execute(update(broadcasts).where(broadcasts.c.id == original).values(failed=broadcasts.c.failed + 1))
        connection.exec_driver_sql(
            "UPDATE deliveries SET receipt = 'failed' WHERE broadcast_id = %s AND recipient_id = %s",
            (original, told[0]),
        )
    product.deliver_all(opened)
    product.merge_receipts()
    row = product.broadcast(opened)
    assert told[0] in outcomes(product, opened)
    assert row.recipients == before + 1 == row.accepted + row.rejected


def test_a_late_receipt_makes_a_new_retry_worth_while(sent: tuple[Product, str]) -> None:
    """What a provider says after the first retry counts for the next one."""
    product, original = sent
    carried(product, original)
    told = next(row.recipient_id for row in product.ledger(original) if row.receipt == "delivered")
    with product.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE deliveries SET receipt = '' WHERE broadcast_id = %s AND recipient_id = %s", (original, told)
        )
        word = Receipt(original, told, ReceiptStatus.FAILED, clock.now())
        receipts.append(connection, "sms", "sandbox-sms", [word])
    product.merge_receipts()
    assert told in outcomes(product, carried(product, original))


def test_whoever_opted_out_meanwhile_is_skipped(sent: tuple[Product, str]) -> None:
    """Counted all the same: everybody of the retry is accounted for."""
    product, original = sent
    someone = min(failed(product, original))
    with product.transaction() as connection:
        row = connection.execute(select(recipients).where(recipients.c.id == someone)).one()
        phone, _ = product.parts.vault.open(row.handle, row.sealed)
        suppressions.write(connection, product.parts.vault, [(phone, "asked us")], "", ACTOR, clock.now())
    again = carried(product, original)
    assert outcomes(product, again)[someone] == "skipped"


def test_a_planned_retry_survives_planning_again(sent: tuple[Product, str]) -> None:
    """No plan wants it; an operator does."""
    product, original = sent
    wanted = retry(product, original)
    with product.transaction() as connection:
        advance.replan_all(connection, clock.now(), product.parts.reach)
    assert product.broadcast(wanted.broadcast.id).state == "planned"


def test_a_retry_is_in_the_event_log(sent: tuple[Product, str]) -> None:
    """Who asked for it, and why."""
    product, original = sent
    wanted = retry(product, original)
    with product.transaction() as connection:
        event = events.history(connection, SLUG)[-1]
    assert (event.actor, event.verb, event.details["retries"]) == (ACTOR, "retry", original)
    assert (event.details["broadcast"], event.details["reason"]) == (wanted.broadcast.id, "the provider is mended")


def refused(product: Product, broadcast: str) -> str:
    """Why a retry is refused."""
    with pytest.raises(StateError) as caught:
        retry(product, broadcast)
    return caught.value.message


def test_a_retry_of_nothing_is_refused(sent: tuple[Product, str]) -> None:
    """No such broadcast."""
    product, _ = sent
    assert "no broadcast has an id that begins with 'zzz'" in refused(product, "zzz")
    assert "no broadcast has an id that begins with ''" in refused(product, "")


def test_a_retry_where_nobody_failed_is_refused(product: Product) -> None:
    """Everybody was told."""
    product.at(local("2022-02-18 10:00"))
    product.gather(3)
    product.publish()
    broadcast = product.open("sms")
    product.deliver_all(broadcast)
    product.merge_receipts()
    assert "nobody is left" in refused(product, broadcast)


def test_a_retry_of_what_is_under_way_is_refused(product: Product) -> None:
    """It is still trying by itself; and what is not begun has failed nobody."""
    product.at(local("2022-02-18 10:00"))
    product.gather(3)
    product.publish()
    assert "still under way" in refused(product, product.open("sms"))
    planned = product.value("SELECT id FROM broadcasts WHERE state = 'planned' LIMIT 1")
    assert "not sent yet" in refused(product, planned)


def test_a_second_retry_waits_for_the_first(sent: tuple[Product, str]) -> None:
    """Planned or open, held back or not."""
    product, original = sent
    first = retry(product, original).broadcast.id
    assert f"being tried again by {first}, which is planned" in refused(product, original)
    product.open("sms")
    with product.transaction() as connection:
        holding.hold(connection, Target(Scope.BROADCAST, first), "", ACTOR, clock.now(), halted=False)
    assert f"being tried again by {first}, which is open" in refused(product, first)


def test_a_retry_of_what_expired_is_refused(sent: tuple[Product, str]) -> None:
    """It is no longer true, or something newer says it."""
    product, original = sent
    with product.transaction() as connection:
        past = {"expires_at": clock.now() - timedelta(minutes=1)}
        connection.execute(update(broadcasts).where(broadcasts.c.id == original).values(past))
    assert "expired at" in refused(product, original)


def test_a_retry_of_a_phase_that_is_over_is_refused(sent: tuple[Product, str]) -> None:
    """The outage has begun, or was called off."""
    product, original = sent
    with product.transaction() as connection:
        conclude.cancel(connection, SLUG, "", ACTOR, clock.now())
    assert "is over: cancelled" in refused(product, original)


def test_a_retry_during_the_outage_is_refused_for_what_came_before(sent: tuple[Product, str]) -> None:
    """A notice of what has begun is no longer true."""
    product, original = sent
    product.at(local("2022-02-26 00:30"))
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)
    assert "in_progress: a notice is no longer true" in refused(product, original)


def test_a_retry_keeps_to_the_audience_of_its_original(sent: tuple[Product, str]) -> None:
    """Whoever left the audience since was to be told then, and failed then."""
    product, original = sent
    with product.transaction() as connection:
        audiences.stage(connection, audiences.PEOPLE, product.parts.vault, [("+8613800138000", "", "en", [])])
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=False)
    again = carried(product, original)
    assert outcomes(product, again).keys() == failed(product, original)
