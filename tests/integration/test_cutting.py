"""Cutting: an audience becomes batches as they are wanted, whole, in order, and each recipient once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import pytest
from sqlalchemy import text

from broadcaster import clock
from broadcaster.audience.generated import generated_people
from broadcaster.channels.registry import CHANNELS
from broadcaster.delivery import opening, rounds
from broadcaster.planning.phase import Phase
from broadcaster.planning.policy import Immediate
from broadcaster.planning.proposal import Proposal
from broadcaster.storage import audiences
from tests.support.changing import counted, move
from tests.support.examples import example, local
from tests.support.polling import PATIENCE, eventually
from tests.support.product import Product

MANY = 2600
"""Three batches of people."""


@pytest.fixture
def morning(product: Product) -> Product:
    """The quiet morning on which everything is announced."""
    product.at(local("2022-02-18 10:00"))
    product.gather(MANY)
    return product


def told_by_sms(audience: str) -> Proposal:
    """The example, whose notice goes by SMS to an audience only."""
    proposal = example()
    notice = (Immediate(channels=("sms",), audience=audience),)
    return proposal.model_copy(update={"policy": proposal.policy.model_copy(update={"notice": notice})})


def test_opening_writes_no_batch_of_a_large_audience(morning: Product) -> None:
    """It takes the size from the counts of the import; the rounds that follow cut."""
    morning.publish()
    opening.open_due(morning.parts.database, morning.parts.channels, clock.now(), morning.parts.canary)
    sms = "SELECT id FROM broadcasts WHERE channel = 'sms' AND state = 'open'"
    broadcast = str(morning.value(sms))
    assert morning.broadcast(broadcast).recipients == MANY
    assert morning.batches(broadcast) == []


def test_ranges_follow_each_other_without_a_gap(morning: Product) -> None:
    """A batch begins right after the one before it."""
    morning.publish()
    rows = morning.batches(morning.open("sms"))
    assert [row.recipients for row in rows] == [1000, 1000, 600]
    assert all(later.first_id == earlier.last_id + 1 for earlier, later in pairwise(rows))


def test_no_more_is_cut_than_can_be_carried_soon(morning: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest follows when batches are done; the broadcast is not over before."""
    monkeypatch.setattr("broadcaster.delivery.rounds.CUT_AHEAD", 2)
    morning.publish()
    broadcast = morning.open("sms")
    assert len(morning.batches(broadcast)) == 2
    morning.deliver(broadcast)
    assert morning.broadcast(broadcast).state == "open"
    morning.cut()
    morning.deliver(broadcast)
    row = morning.broadcast(broadcast)
    assert (row.state, row.accepted + row.rejected) == ("closed", MANY)
    assert set(morning.shown(broadcast).values()) == {1}


def test_a_narrow_audience_gets_only_its_own(morning: Product) -> None:
    """Every third generated person is retired; whoever is not has no delivery at all."""
    morning.publish(told_by_sms("tag:retired"))
    broadcast = morning.open("sms")
    morning.deliver_all(broadcast)
    retired = len(range(0, MANY, 3))
    assert morning.broadcast(broadcast).recipients == retired == len(morning.ledger(broadcast))


def test_an_audience_with_nobody_in_it_is_over_at_once(morning: Product) -> None:
    """Nobody reads French here: the broadcast is opened, cut and closed."""
    morning.publish(told_by_sms("language:fr"))
    broadcast = morning.open("sms")
    morning.cut()
    opening.close_finished(morning.parts.database, clock.now())
    row = morning.broadcast(broadcast)
    assert (row.state, row.recipients) == ("closed", 0)


def test_an_import_in_the_middle_changes_nothing_of_what_is_open(
    morning: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half is cut when a smaller audience is imported: the broadcast still reaches those of its own version."""
    monkeypatch.setattr("broadcaster.delivery.rounds.CUT_AHEAD", 1)
    morning.publish()
    broadcast = morning.open("sms")
    with morning.transaction() as connection:
        audiences.stage(connection, audiences.PEOPLE, morning.parts.vault, generated_people(10))
        audiences.merge(connection, audiences.PEOPLE, "smaller", clock.now(), keep_others=False)
    morning.deliver_all(broadcast)
    while morning.broadcast(broadcast).state == "open":
        morning.cut()
        morning.deliver_all(broadcast)
    assert len(morning.ledger(broadcast)) == morning.broadcast(broadcast).recipients == MANY


def test_a_round_that_breaks_off_leaves_no_gap(morning: Product) -> None:
    """The cursor moves in the transaction that writes the batches, or not at all."""
    morning.publish()
    opening.open_due(morning.parts.database, morning.parts.channels, clock.now(), morning.parts.canary)
    broken = {**CHANNELS}
    del broken["sms"]
    with pytest.raises(KeyError):
        rounds.cut(morning.parts.database, broken, morning.parts.canary, clock.now())
    assert sum(row.recipients for row in morning.batches(morning.open("sms"))) == MANY


@contextmanager
def held_up_while_looking(morning: Product, rounds_at_once: int) -> Iterator[None]:
    """Rounds that have begun to look for recipients, and look on when the block is over."""
    looking = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(rounds_at_once) as threads:
        with morning.transaction() as connection:
            connection.execute(text("LOCK TABLE recipients IN ACCESS EXCLUSIVE MODE"))
            under_way = [threads.submit(morning.cut) for _ in range(rounds_at_once)]
            eventually(lambda: morning.value(looking) == rounds_at_once, "every round looks for recipients")
            yield
        for one in under_way:
            one.result(PATIENCE)


def test_looking_for_recipients_keeps_nobody_from_the_broadcast(morning: Product) -> None:
    """Workers that finish a batch add to the broadcast's counters meanwhile."""
    morning.publish()
    opening.open_due(morning.parts.database, morning.parts.channels, clock.now(), morning.parts.canary)
    with held_up_while_looking(morning, 1), morning.transaction() as connection:
        free = connection.execute(text("SELECT id FROM broadcasts WHERE state = 'open' FOR UPDATE NOWAIT")).all()
    assert free
    assert sum(row.recipients for row in morning.batches(morning.open("sms"))) == MANY


def test_two_schedulers_at_once_cut_everybody_once(morning: Product) -> None:
    """Both have found the same recipients; whoever comes second writes nothing."""
    morning.publish()
    opening.open_due(morning.parts.database, morning.parts.channels, clock.now(), morning.parts.canary)
    with held_up_while_looking(morning, 2):
        pass
    rows = morning.batches(morning.open("sms"))
    assert [row.recipients for row in rows] == [1000, 1000, 600]
    assert all(later.first_id == earlier.last_id + 1 for earlier, later in pairwise(rows))


def test_a_correction_that_is_overtaken_takes_nobody_else(morning: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end is moved again in its middle: whoever it has not come to is left to the correction that is true."""
    morning.publish()
    morning.deliver_all(morning.open("sms"))
    monkeypatch.setattr("broadcaster.delivery.rounds.CUT_AHEAD", 2)
    move(morning, end=local("2022-03-25 00:00"))
    first = morning.open("sms", Phase.CHANGED)
    morning.courier.deliver(morning.batches(first)[0].id)
    move(morning, end=local("2022-03-29 00:00"))
    second = morning.open("sms", Phase.CHANGED)
    assert (morning.broadcast(first).cut, morning.broadcast(first).recipients) == (True, 2000)
    morning.deliver(first)
    while not morning.broadcast(second).cut:
        morning.deliver_all(second)
    opening.close_finished(morning.parts.database, clock.now())
    assert [morning.broadcast(one).state for one in (first, second)] == ["closed", "closed"]
    assert (morning.broadcast(first).accepted, morning.broadcast(first).skipped) == (1000, 1000)
    assert morning.broadcast(second).accepted == told_by_notice(morning)
    assert counted(morning).stale == 0


def told_by_notice(product: Product) -> int:
    """How many the notice was accepted for by SMS."""
    rows = "SELECT accepted FROM broadcasts WHERE channel = 'sms' AND phase = 'notice' AND state = 'closed'"
    return int(product.value(rows))
