"""What random lives have found, each as a life of its own that anybody can follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from broadcaster import clock
from broadcaster.channels.base import Call, Delivery, Idempotency, Outcome
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.delivery import opening, rounds
from broadcaster.operations import advance, amending, conclude, correcting
from broadcaster.operations.amending import Times
from broadcaster.planning.phase import Phase
from broadcaster.storage import announcements, audiences, believers, receipts, staleness
from broadcaster.storage.believers import Beliefs, Count
from broadcaster.storage.receipts import Receipt, ReceiptStatus
from broadcaster.storage.tables import broadcasts, deliveries
from tests.support.adapters import with_adapter
from tests.support.examples import SLUG, local
from tests.support.product import ACTOR, Killed, Product, kill

MORNING = local("2022-02-18 10:00")


@pytest.fixture
def published(product: Product) -> Product:
    """The example, its notice opened for a few people on a quiet morning, nothing of it carried."""
    product.at(MORNING)
    product.gather(5)
    product.publish()
    return product


def count(product: Product) -> Count:
    """Who is stale among the readers of SMS, counted now, however long the last count took."""
    with product.transaction() as connection:
        connection.exec_driver_sql("UPDATE staleness SET counted_at = counted_at - interval '1 hour'")
    correcting.correct(product.parts.database, clock.now(), product.parts.reach)
    with product.transaction() as connection:
        return staleness.counted(connection, SLUG)["sms"].count


def opened(product: Product, phase: Phase) -> str:
    """Let the clock do its part, close what is done and open what is due; gives the newest SMS of the phase."""
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)
    opening.close_finished(product.parts.database, clock.now())
    return product.open("sms", phase)


def cancel(product: Product) -> None:
    """Call it off."""
    with product.transaction() as connection:
        conclude.cancel(connection, SLUG, "not needed", ACTOR, clock.now())


def reinstate(product: Product, times: Times) -> None:
    """Take that back."""
    with product.transaction() as connection:
        amending.reinstate(connection, SLUG, times, "needed after all", ACTOR, clock.now(), product.parts.reach)


def extend(product: Product) -> None:
    """Move its end, as `extend` does."""
    with product.transaction() as connection:
        standing, proposal = amending.approved_proposal(connection, SLUG)
        wanted = amending.amended(proposal, Times(end=local("2022-03-25 00:00")))
        amending.amend(connection, wanted, standing.approved_revision, "", ACTOR, clock.now(), product.parts.reach)


def die_in_a_call(product: Product, broadcast: str) -> None:
    """A worker is killed in the first call, which its provider took and cannot be asked about."""
    with pytest.raises(Killed):
        product.deliver(broadcast, product.worker("sms", kill, Idempotency.NONE))
    product.end_waits()


def carry_on(product: Product, broadcast: str) -> None:
    """Another worker of the same provider takes the batch over."""
    product.deliver(broadcast, product.worker("sms", lambda: None, Idempotency.NONE))


def test_a_doubt_that_is_found_after_the_cancelling_went_out_is_corrected(published: Product) -> None:
    """`cancelled` was opened for nobody: the call of the notice was still open. Whoever it reached is told then."""
    notice = published.open("sms")
    die_in_a_call(published, notice)
    cancel(published)
    published.deliver_all(opened(published, Phase.CANCELLED))
    carry_on(published, notice)
    opened(published, Phase.CANCELLED)
    assert count(published).uncorrected == 5
    again = opened(published, Phase.CANCELLED)
    published.deliver_all(again)
    assert published.broadcast(again).accepted == 5
    assert count(published).stale == 0


def test_reinstated_with_the_end_that_it_had_is_reinstated(published: Product) -> None:
    """An operator who says the end once more is not told that nothing would change."""
    cancel(published)
    reinstate(published, Times(end=local("2022-03-21 00:00")))
    assert published.value("SELECT state FROM announcements") == "scheduled"


def test_called_off_twice_within_a_minute_is_said_twice(published: Product) -> None:
    """Called off, taken back and called off again: each is told, however soon one follows the other."""
    published.deliver_all(published.open("sms"))
    cancel(published)
    published.deliver_all(opened(published, Phase.CANCELLED))
    reinstate(published, Times())
    published.deliver_all(opened(published, Phase.CHANGED))
    cancel(published)
    published.deliver_all(opened(published, Phase.CANCELLED))
    assert count(published).stale == 0


@dataclass(slots=True)
class Grudging:
    """A provider that refuses its first call, and cannot be asked; its worker is killed in the next one."""

    idempotency: Idempotency = Idempotency.NONE
    dedupes_for: timedelta = timedelta(hours=24)
    visible_after: timedelta = timedelta(0)
    members_per_call: int = 2
    refused: bool = False

    def send(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery]:
        """Refuse, then die."""
        if self.refused:
            raise Killed
        self.refused = True
        return [Delivery(member.id, Outcome.REJECTED, "no such number") for member in call.members]

    def ask(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery] | None:
        """Nobody asks it."""
        return None


def test_a_correction_that_was_overtaken_ends_though_some_of_it_was_refused(published: Product) -> None:
    """What was refused says by now something untrue itself; whoever was sent it is not sent it again."""
    published.deliver_all(published.open("sms"))
    extend(published)
    changed = opened(published, Phase.CHANGED)
    sms = with_adapter(published.parts.channels["sms"], Grudging())
    with pytest.raises(Killed):
        published.deliver(changed, published.another_courier(channels={**published.parts.channels, "sms": sms}))
    published.end_waits()
    cancel(published)
    published.deliver_all(changed)
    row = published.broadcast(changed)
    assert (row.rejected, row.unknown, row.skipped, row.recipients) == (2, 2, 1, 5)


def test_whoever_left_the_audience_before_the_end_is_told_of_it_though_it_went_out_late(published: Product) -> None:
    """They were counted while `restored` was still under way: once it is over, it goes to them too."""
    published.deliver_all(published.open("sms"))
    published.at(local("2022-02-27 10:00"))
    with published.transaction() as connection:
        newcomer = ("+8610000000099", "New", "zh-Hans", ())
        audiences.stage(connection, audiences.PEOPLE, published.parts.vault, [newcomer])
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=False)
    opened(published, Phase.STARTED)
    with published.transaction() as connection:
        conclude.finish(connection, SLUG, clock.now() - timedelta(hours=1), ACTOR, clock.now())
    restored = opened(published, Phase.RESTORED)
    assert count(published).uncorrected == 5
    published.deliver_all(restored)
    assert count(published).uncorrected == 5
    again = opened(published, Phase.RESTORED)
    published.deliver_all(again)
    assert (again != restored, published.broadcast(again).accepted) == (True, 5)


def join(product: Product, phone: str) -> None:
    """Somebody more is in the audience, and the plan has heard of it."""
    with product.transaction() as connection:
        newcomer = (phone, "New", "zh-Hans", ())
        audiences.stage(connection, audiences.PEOPLE, product.parts.vault, [newcomer])
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=True)
        advance.replan_all(connection, clock.now(), product.parts.reach)


def test_whom_a_notice_has_still_to_reach_is_not_told_as_a_newcomer(published: Product) -> None:
    """Others joined, twice, while it was under way: each of them is welcomed, and nobody is told twice."""
    notice = published.open("sms")
    join(published, "+8610000000098")
    first = published.open("sms")
    join(published, "+8610000000099")
    second = published.open("sms")
    for broadcast in (second, first, notice):
        published.deliver_all(broadcast)
    assert [published.broadcast(one).accepted for one in (notice, first, second)] == [5, 1, 1]


def test_a_message_that_expired_long_after_the_cancelling_is_a_reason(published: Product) -> None:
    """Nobody carried `cancelled` for weeks: that it expired is why they are stale, and the report says so."""
    published.deliver_all(published.open("sms"))
    cancel(published)
    cancelled = opened(published, Phase.CANCELLED)
    count(published)
    published.at(MORNING + timedelta(days=15))
    published.deliver_all(cancelled)
    found = count(published)
    assert (found.stale, found.uncorrected, sum(found.reasons.values())) == (5, 0, 5)


def test_whoever_is_stale_is_counted_however_long_nothing_ran(published: Product) -> None:
    """Called off, and then no scheduler for three weeks: who was told the plan is counted all the same."""
    published.deliver_all(published.open("sms"))
    cancel(published)
    published.at(MORNING + timedelta(days=21))
    assert count(published).stale == 5


def test_a_receipt_is_counted_however_late_it_comes(published: Product) -> None:
    """Weeks after the cancelling a provider says that somebody did not get it: they hold the plan, and are counted."""
    published.deliver_all(published.open("sms"))
    cancel(published)
    cancelled = opened(published, Phase.CANCELLED)
    published.deliver_all(cancelled)
    assert count(published).stale == 0
    published.at(MORNING + timedelta(days=21))
    with published.transaction() as connection:
        connection.execute(update(broadcasts).values(closed_at=MORNING))
        assert announcements.revised(connection, clock.now() - correcting.CONCLUDED_FOR) == []
    fail_late(published, cancelled)
    assert count(published).stale == 1
    with published.transaction() as connection:
        assert announcements.revised(connection, clock.now() - correcting.CONCLUDED_FOR) == []


def test_a_receipt_that_comes_during_a_count_is_counted_by_the_next(
    published: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at before it came is not taken for what is so."""
    published.deliver_all(published.open("sms"))
    cancel(published)
    cancelled = opened(published, Phase.CANCELLED)
    published.deliver_all(cancelled)
    real = believers.count

    def slowly(connection: Connection, beliefs: Beliefs) -> Count:
        found = real(connection, beliefs)
        monkeypatch.setattr(believers, "count", real)
        fail_late(published, cancelled)
        return found

    monkeypatch.setattr(believers, "count", slowly)
    assert count(published).stale == 0
    published.at(MORNING + timedelta(days=21))
    with published.transaction() as connection:
        connection.execute(update(broadcasts).values(closed_at=MORNING))
    assert count(published).stale == 1


def fail_late(product: Product, broadcast: str) -> None:
    """A provider says only now that its first message was not delivered."""
    product.merge_receipts()
    first = product.ledger(broadcast)[0].recipient_id
    with product.transaction() as connection:
        connection.execute(update(deliveries).values(receipt="", receipt_at=None))
        receipts.append(
            connection, "sms", "sandbox-sms", [Receipt(broadcast, first, ReceiptStatus.FAILED, clock.now())]
        )
    rounds.merge_receipts(product.parts.database)
