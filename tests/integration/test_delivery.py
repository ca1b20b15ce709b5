"""One broadcast on its way: opened once, cut into batches, carried call by call, recorded exactly once."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import update

from broadcaster import clock
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.channels.base import Idempotency
from broadcaster.delivery import opening, rounds
from broadcaster.site import Site
from broadcaster.storage import batches, broadcasts
from broadcaster.storage.tables import batches as batch_table
from tests.support.examples import local
from tests.support.product import Killed, Product, kill, take_over

MORNING = local("2022-02-18 10:00")
FAULTS = [
    pytest.param({"kind": "status", "status": 429, "retry_after": 60}, id="429 with Retry-After"),
    pytest.param({"kind": "status", "status": 503}, id="503"),
    pytest.param({"kind": "status", "status": 500}, id="500"),
    pytest.param({"kind": "drop_before"}, id="the connection breaks before it was accepted"),
    pytest.param({"kind": "drop_after"}, id="the connection breaks after it was accepted"),
]


@pytest.fixture
def published(product: Product) -> Product:
    """The example, approved on a quiet morning before 300 people, its notice due."""
    product.at(MORNING)
    product.gather(300)
    product.publish()
    return product


def reached(product: Product, broadcast: str) -> list[str]:
    """The outcome for each recipient, in order."""
    return [row.outcome for row in product.ledger(broadcast)]


def test_one_scheduler_at_a_time_has_a_due_broadcast(published: Product) -> None:
    """What one scheduler is opening, another at the same moment does not see."""
    with published.transaction() as first, published.transaction() as second:
        mine = broadcasts.claim_due(first, clock.now(), 50)
        others = broadcasts.claim_due(second, clock.now(), 50)
    assert len(mine) == 5
    assert others == []


def test_two_schedulers_open_every_broadcast_once(published: Product) -> None:
    """However they interleave, each recipient is in one batch of each broadcast."""
    database, channels = published.parts.database, published.parts.channels
    with ThreadPoolExecutor(2) as pool:
        opened = [
            pool.submit(opening.open_due, database, channels, clock.now(), published.parts.canary) for _ in range(2)
        ]
        assert sum(one.result() for one in opened) == 5
    assert published.value("SELECT sum(recipients) FROM batches") == 300 + 3 + 2 + 3


def test_a_batch_is_claimed_by_one_worker(published: Product) -> None:
    """A second worker that is given the same batch finds it taken."""
    [batch] = published.batches(published.open("sms"))
    lease = published.courier.lease
    with published.transaction() as connection:
        assert batches.claim(connection, batch.id, clock.now(), lease)
    with published.transaction() as connection:
        assert batches.claim(connection, batch.id, clock.now(), lease) is None


def test_batches_hold_up_to_a_thousand_recipients_by_id(product: Product) -> None:
    """2,500 people are three batches whose id ranges follow each other."""
    product.at(MORNING)
    product.gather(2500)
    product.publish()
    rows = product.batches(product.open("sms"))
    assert [row.recipients for row in rows] == [1000, 1000, 500]
    assert all(earlier.last_id < later.first_id for earlier, later in pairwise(rows))


def test_everybody_is_told_once_and_accounted_for(published: Product) -> None:
    """The ledger, the counters and the public agree."""
    broadcast = published.open("sms")
    published.deliver(broadcast)
    row = published.broadcast(broadcast)
    assert (row.state, row.recipients, row.accepted) == ("closed", 300, 300)
    assert list(published.shown(broadcast).values()) == [1] * 300


def test_a_call_in_flight_at_a_kill_is_repeated_under_its_key(published: Product) -> None:
    """The next worker makes the same request, and the provider tells that it knows it; the other it never saw."""
    broadcast = published.open("sms")
    with contextlib.suppress(Killed):
        published.deliver(broadcast, published.worker("sms", kill))
    assert sorted(len(call.members) for call in published.calls(broadcast)) == [100, 200]
    published.end_waits()
    published.deliver(broadcast)
    assert published.calls(broadcast) == []
    assert published.totals()["repeats"] == 1
    assert list(published.shown(broadcast).values()) == [1] * 300


def test_without_idempotency_a_call_in_flight_at_a_kill_stays_unknown(published: Product) -> None:
    """A provider that cannot dedupe is not asked again: the members are counted as unknown, and it says why."""
    broadcast = published.open("sms")
    with contextlib.suppress(Killed):
        published.deliver(broadcast, published.worker("sms", kill, Idempotency.NONE))
    published.end_waits()
    published.deliver(broadcast, published.worker("sms", idempotency=Idempotency.NONE))
    row = published.broadcast(broadcast)
    assert (row.state, row.unknown, row.accepted) == ("closed", 200, 100)
    assert {found.reason for found in published.ledger(broadcast)} == {"", "a worker stopped during the call"}
    assert published.totals()["repeats"] == 0


def test_without_idempotency_a_broken_answer_stays_unknown(published: Product) -> None:
    """It may have been seen, so it is not sent again."""
    broadcast = published.open("sms")
    published.order(channel="sms", kind="drop_after")
    published.deliver(broadcast, published.worker("sms", idempotency=Idempotency.NONE))
    row = published.broadcast(broadcast)
    assert (row.state, row.unknown, row.accepted) == ("closed", 200, 100)
    assert list(published.shown(broadcast).values()) == [1] * 300


def test_a_worker_that_lost_its_lease_records_nothing(published: Product) -> None:
    """Frozen in a call until another carried the batch, it finds its token too old and leaves."""
    broadcast = published.open("sms")
    frozen = published.worker("sms", take_over(published, broadcast))
    published.deliver(broadcast, frozen)
    row = published.broadcast(broadcast)
    assert (row.state, row.accepted, len(published.ledger(broadcast))) == ("closed", 300, 300)
    assert list(published.shown(broadcast).values()) == [1] * 300


@pytest.mark.parametrize("fault", FAULTS)
def test_a_transient_failure_is_a_row_that_says_when_to_go_on(published: Product, fault: dict[str, object]) -> None:
    """The batch is given back with its attempt counted; nobody of the failed call is settled yet."""
    broadcast = published.open("sms")
    published.order(channel="sms", **fault)
    published.deliver(broadcast)
    [batch] = published.batches(broadcast)
    assert (batch.done, batch.attempts, batch.lease_until) == (False, 1, None)
    assert batch.next_attempt_at is not None
    assert len(published.ledger(broadcast)) <= 100
    doubtful = {id_ for row in published.calls(broadcast) for id_ in row.members}
    assert {row.recipient_id for row in published.ledger(broadcast)}.isdisjoint(doubtful)


@pytest.mark.parametrize("fault", FAULTS)
def test_after_failures_everybody_is_told_exactly_once(published: Product, fault: dict[str, object]) -> None:
    """Whatever the provider did twice in a row, the public sees one message each."""
    broadcast = published.open("sms")
    published.order(channel="sms", times=2, **fault)
    published.deliver_all(broadcast)
    assert reached(published, broadcast) == ["accepted"] * 300
    assert list(published.shown(broadcast).values()) == [1] * 300


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        pytest.param({"kind": "drop_after", "times": 1}, 1, id="one call of three failed"),
        pytest.param({"kind": "drop_after", "times": 3}, 6, id="every call failed"),
    ],
)
def test_waits_begin_anew_once_somebody_is_settled(published: Product, fault: dict[str, object], attempts: int) -> None:
    """A call that fails for the first time does not wait as long as all before it have failed; one of many does."""
    broadcast = published.open("sms")
    with published.transaction() as connection:
        connection.execute(update(batch_table).values(attempts=5))
    published.order(channel="sms", **fault)
    published.deliver(broadcast)
    [batch] = published.batches(broadcast)
    assert (batch.done, batch.attempts) == (False, attempts)


def test_retry_after_is_honoured(published: Product) -> None:
    """A provider that asks for a minute gets one, where our own back-off would begin with half a second."""
    broadcast = published.open("sms")
    published.order(channel="sms", kind="status", status=429, retry_after=60)
    published.deliver(broadcast)
    assert published.value("SELECT next_attempt_at - now() > '30 s' FROM batches WHERE next_attempt_at IS NOT NULL")


def test_a_batch_that_waits_is_not_put_on_the_queue(published: Product) -> None:
    """Only when its back-off is over does the scheduler feed it again."""
    broadcast = published.open("sms")
    published.order(channel="sms", kind="status", status=503, retry_after=60)
    published.deliver(broadcast)
    [batch] = published.batches(broadcast)
    assert batch.id not in rounds.feed(published.parts.database, clock.now(), 100)
    published.end_waits()
    assert batch.id in rounds.feed(published.parts.database, clock.now(), 100)


def test_a_refused_call_rejects_its_members(published: Product) -> None:
    """A status that no retry would change is final, with the provider's word as the reason."""
    broadcast = published.open("sms")
    published.order(channel="sms", kind="status", status=400)
    published.deliver(broadcast)
    row = published.broadcast(broadcast)
    assert (row.state, row.rejected, row.accepted) == ("closed", 200, 100)
    assert {found.reason for found in published.ledger(broadcast)} == {"", "sandbox-sms answered 400"}


def test_a_provider_can_refuse_some_of_a_call(product: Product) -> None:
    """One number that is not in service does not spoil the call for the others."""
    product.at(MORNING)
    product.gather(1000)
    product.publish()
    broadcast = product.open("sms")
    product.deliver(broadcast)
    row = product.broadcast(broadcast)
    assert (row.accepted, row.rejected) == (999, 1)
    assert "number not in service" in {found.reason for found in product.ledger(broadcast)}


def test_people_imported_after_the_opening_are_not_in_the_broadcast(published: Product) -> None:
    """They get the next one; this one's number of recipients stands."""
    broadcast = published.open("sms")
    published.gather(400)
    published.deliver(broadcast)
    row = published.broadcast(broadcast)
    assert (row.recipients, row.accepted, len(published.ledger(broadcast))) == (300, 300, 300)


def test_an_endpoint_that_left_the_site_is_skipped(published: Product) -> None:
    """Taken out of the configuration after the opening, it is not called, and the ledger says why."""
    broadcast = published.open("kiosk")
    published.at(local("2022-02-18 10:05"))
    leave(published, "hall-kiosks")
    providers = published.parts.providers()
    del providers["kiosk"]["hall-kiosks"]
    published.deliver(broadcast, published.another_courier(providers=providers))
    reasons = [row.reason for row in published.ledger(broadcast)]
    assert sorted(reasons) == ["", "", "no provider is configured for it"]
    assert published.broadcast(broadcast).skipped == 1


def test_an_endpoint_that_comes_back_after_the_opening_waits_for_the_next_broadcast(published: Product) -> None:
    """The number of recipients that a broadcast was opened with is the number that it accounts for."""
    leave(published, "bank-kiosks")
    published.at(local("2022-02-18 10:05"))
    broadcast = published.open("kiosk")
    with published.transaction() as connection:
        sync_endpoints(connection, published.parts.vault, published.parts.site, published.parts.channels, clock.now())
    published.deliver(broadcast)
    row = published.broadcast(broadcast)
    assert (row.recipients, row.accepted, len(published.ledger(broadcast))) == (2, 2, 2)


def test_what_the_queue_lost_is_put_there_again(published: Product) -> None:
    """After a flush of Redis the sweep frees what waited there, and the next tick feeds it."""
    published.open("sms")
    database = published.parts.database
    enqueued = rounds.feed(database, clock.now(), 100)
    assert rounds.feed(database, clock.now(), 100) == []
    assert rounds.forget_queue(database) == len(enqueued)
    assert rounds.feed(database, clock.now(), 100) == enqueued


def test_the_sweep_leaves_alone_what_a_worker_has(published: Product) -> None:
    """A claimed batch is nobody's to put on the queue."""
    [batch] = published.batches(published.open("sms"))
    with published.transaction() as connection:
        batches.claim(connection, batch.id, clock.now(), published.courier.lease)
        connection.execute(update(batch_table).where(batch_table.c.id == batch.id).values(enqueued_at=clock.now()))
    rounds.forget_queue(published.parts.database)
    assert batch.id not in rounds.feed(published.parts.database, clock.now(), 100)


def leave(product: Product, endpoint: str) -> None:
    """Take a kiosk endpoint out of the site."""
    kiosks = product.parts.site.channels["kiosk"]
    left = tuple(row for row in kiosks.providers if row.name != endpoint)
    channels = {**product.parts.site.channels, "kiosk": kiosks.model_copy(update={"providers": left})}
    site: Site = product.parts.site.model_copy(update={"channels": channels})
    with product.transaction() as connection:
        sync_endpoints(connection, product.parts.vault, site, product.parts.channels, clock.now())
