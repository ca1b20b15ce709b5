"""A database restored from yesterday sends nothing again: it is held back, says why, and goes on without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from broadcaster import clock
from broadcaster.channels.registry import CHANNELS
from broadcaster.delivery import opening, rounds
from broadcaster.errors import StateError
from broadcaster.operations import advance, holding, restoring, watching
from broadcaster.operations.holding import Target
from broadcaster.operations.restoring import GoneOn
from broadcaster.planning.broadcast import PERHAPS_SENT
from broadcaster.planning.phase import Phase
from broadcaster.planning.policy import DEFAULT_CHANNELS
from broadcaster.storage import broadcasts, events, holds, receipts, suppressions
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Hold, Scope
from broadcaster.storage.receipts import Receipt, ReceiptStatus
from broadcaster.storage.tables import broadcasts as broadcast_table
from broadcaster.storage.tables import recipients
from tests.conftest import Servers
from tests.support.backups import Restore, backed_up
from tests.support.examples import SLUG, local
from tests.support.product import ACTOR, Product

PEOPLE = 50
MANY = 2500
"""Three batches."""


def tick(product: Product, batches: int = 500) -> bool:
    """What the scheduler does each second, and then the workers; whether anything might be sent."""
    database, now = product.parts.database, clock.now()
    if not watching.keep_watch(database, product.parts.settings.data, now):
        return False
    with product.transaction() as connection:
        advance.advance(connection, now, product.parts.reach)
        advance.replan_all(connection, now, product.parts.reach)
    opening.open_due(database, product.parts.channels, now, product.parts.canary)
    rounds.cut(database, CHANNELS, product.parts.canary, now)
    for batch in rounds.feed(database, now, batches):
        product.courier.deliver(batch)
    opening.close_finished(database, now)
    return True


def run_to(product: Product, instant: str, hours: int = 1) -> None:
    """Let the campaign run on to an instant, with a tick every so many hours."""
    until = local(instant)
    while clock.now() < until:
        product.at(min(clock.now() + timedelta(hours=hours), until))
        tick(product)


@contextmanager
def on(product: Product, url: str) -> Iterator[Product]:
    """The product of the same data folder and sandbox, on another database."""
    parts = replace(product.parts, database=Database(url))
    try:
        yield replace(product, parts=parts, courier=parts.courier())
    finally:
        parts.database.close()


@contextmanager
def backup_of(product: Product, servers: Servers) -> Iterator[Restore]:
    """A backup as it is now."""
    with backed_up(servers.postgres, product.parts.database.url, product.parts.settings.data) as restore:
        yield restore


def go_on(product: Product, until: str | None = None) -> GoneOn:
    """Let everything go on, as an operator does; the old database may have sent until now when nothing else is said."""
    end = local(until) if until else clock.now()
    return restoring.go_on(product.parts.database, CHANNELS, product.parts.reach, end, ACTOR, clock.now())


def declare(product: Product) -> None:
    """Say that the database was restored."""
    with product.transaction() as connection:
        restoring.restored(connection, clock.now(), ACTOR, clock.now())


def shown_twice(product: Product) -> dict[str, int]:
    """Broadcast → how many saw it more than once."""
    with product.transaction() as connection:
        ids = list(connection.execute(select(broadcast_table.c.id)).scalars())
    twice = {id_: sum(times > 1 for times in product.shown(id_).values()) for id_ in ids}
    return {id_: number for id_, number in twice.items() if number}


def standing(product: Product) -> list[Hold]:
    """What is held back."""
    with product.transaction() as connection:
        return holds.standing(connection)


@pytest.fixture
def campaign(product: Product) -> Product:
    """The example on the morning of its notice, approved, before a few people."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish()
    return product


def test_the_drill(campaign: Product, servers: Servers) -> None:
    """Backed up in the middle of a broadcast; more is sent; restored: held back, and nobody is told anything twice."""
    campaign.gather(MANY)
    assert tick(campaign, batches=1)
    sms = campaign.open("sms")
    with backup_of(campaign, servers) as restore:
        tick(campaign)
        run_to(campaign, "2022-02-23 12:00")
        before = campaign.totals()["received"]
        with on(campaign, restore()) as restored:
            # Held back, whatever is due; and it says why.
            assert not tick(restored)
            assert not tick(restored)
            (hold,) = standing(restored)
            assert (hold.scope, hold.halted) == (Scope.RESTORED, True)
            assert hold.reason == (
                "this database is older than what this installation did until 2022-02-23 04:00 UTC:"
                " was a backup restored?"
            )
            assert campaign.totals()["received"] == before
            # Going on, without what may have gone out.
            gone = go_on(restored, "2022-02-23 12:00")
            assert tick(restored)
            assert campaign.totals()["received"] == before
            row = restored.broadcast(sms)
            assert row.state == "closed"
            assert row.accepted + row.rejected + row.unknown == row.recipients == MANY
            assert (row.unknown > 1000, gone.recipients >= row.unknown, gone.broadcasts > 0) == (True, True, True)
            # What comes later is sent, once.
            run_to(restored, "2022-02-26 12:00")
            assert campaign.totals()["received"] > before
            assert shown_twice(restored) == {}


def test_messages_that_came_to_be_planned_after_the_backup_are_not_sent_again(
    campaign: Product, servers: Servers
) -> None:
    """The plan of an overrun grows as it lasts: what was planned and sent since the backup is worked out once more."""
    run_to(campaign, "2022-03-20 20:00", hours=24)
    with backup_of(campaign, servers) as restore:
        run_to(campaign, "2022-03-23 12:00")
        before = campaign.totals()["received"]
        with on(campaign, restore()) as restored:
            campaign.at(local("2022-03-23 13:00"))
            assert not tick(restored)
            go_on(restored, "2022-03-23 12:00")
            tick(restored)
            assert (campaign.totals()["received"], shown_twice(restored)) == (before, {})
            run_to(restored, "2022-03-24 12:00")
            assert campaign.totals()["received"] > before
            assert shown_twice(restored) == {}


@pytest.fixture
def held(campaign: Product, servers: Servers) -> Iterator[Product]:
    """The campaign restored from a backup that was made when its notice was due, and held back."""
    with backup_of(campaign, servers) as restore, on(campaign, restore()) as restored:
        tick(campaign)
        with restored.transaction() as connection:
            restoring.restored(connection, clock.now(), ACTOR, clock.now())
        yield restored


def test_what_was_not_begun_is_skipped_and_stays_so(held: Product) -> None:
    """Planning again does not bring it back; an outage that is called off is said on its channel all the same."""
    held.at(local("2022-02-18 12:00"))
    gone = go_on(held, "2022-02-18 11:00")
    with held.transaction() as connection:
        advance.replan_all(connection, clock.now(), held.parts.reach)
        rows = [row for row in broadcasts.rows_of(connection, SLUG) if row.due_at <= local("2022-02-18 11:00")]
        assert {(row.state, row.reason) for row in rows} == {("skipped", PERHAPS_SENT)}
        assert len(rows) == gone.broadcasts == len(DEFAULT_CHANNELS)
        assert "sms" in broadcasts.told_channels(connection, SLUG)
        said = [row for row in events.history(connection, SLUG) if row.details.get("reason") == PERHAPS_SENT]
    assert len(said) == len(DEFAULT_CHANNELS)


def test_what_is_due_later_is_sent(held: Product) -> None:
    """Only the time that the backup does not know is left out."""
    held.at(local("2022-02-18 12:00"))
    go_on(held, "2022-02-18 09:00")
    tick(held)
    assert held.broadcast(held.open("sms")).accepted > 0


def test_a_broadcast_that_was_begun_is_cut_to_its_end_and_settled(campaign: Product, servers: Servers) -> None:
    """Also what is not cut yet, what is in a call, and who opted out: everybody is accounted for."""
    product = campaign
    product.gather(MANY)
    opening.open_due(product.parts.database, product.parts.channels, clock.now(), product.parts.canary)
    sms = product.value("SELECT id FROM broadcasts WHERE state = 'open' AND channel = 'sms'")
    with product.transaction() as connection:
        row = connection.execute(select(recipients).where(recipients.c.pool == "").limit(1)).one()
        phone, _ = product.parts.vault.open(row.handle, row.sealed)
        suppressions.write(connection, product.parts.vault, [(phone, "asked us")], "", ACTOR, clock.now())
        restoring.restored(connection, clock.now(), ACTOR, clock.now())
    go_on(product)
    found = product.broadcast(sms)
    assert (found.state, found.unknown, found.skipped, found.recipients) == ("closed", MANY - 1, 1, MANY)
    assert len(product.ledger(sms)) == MANY
    assert product.totals()["received"] == 0


def test_a_receipt_still_settles_what_a_restore_left_in_doubt(held: Product) -> None:
    """The provider knows what the database does not."""
    held.at(local("2022-02-18 12:00"))
    with held.transaction() as connection:
        holds.lift(connection, Scope.RESTORED, "")
    opening.open_due(held.parts.database, held.parts.channels, clock.now(), held.parts.canary)
    sms = held.value("SELECT id FROM broadcasts WHERE state = 'open' AND channel = 'sms'")
    someone = held.value("SELECT min(id) FROM recipients WHERE pool = ''")
    with held.transaction() as connection:
        restoring.restored(connection, clock.now(), ACTOR, clock.now())
        word = Receipt(sms, someone, ReceiptStatus.DELIVERED, clock.now())
        receipts.append(connection, "sms", "sandbox-sms", [word])
    rounds.merge_receipts(held.parts.database)
    go_on(held, "2022-02-18 11:00")
    held.merge_receipts()
    assert held.broadcast(sms).accepted == 1


def test_going_on_can_be_cut_off_and_done_again(held: Product) -> None:
    """The hold is lifted last."""
    opening.open_due(held.parts.database, held.parts.channels, clock.now(), held.parts.canary)
    with pytest.raises(KeyError):
        restoring.go_on(held.parts.database, {}, held.parts.reach, clock.now(), ACTOR, clock.now())
    assert [row.scope for row in standing(held)] == [Scope.RESTORED]
    go_on(held)
    assert (standing(held), held.broadcast(held.open("sms")).unknown) == ([], PEOPLE)


def test_a_pause_of_everything_ends_with_it(held: Product) -> None:
    """Whoever goes on after a restore lets everything go on."""
    with held.transaction() as connection:
        holding.hold(connection, Target(Scope.EVERYTHING), "", ACTOR, clock.now(), halted=False)
    go_on(held)
    assert standing(held) == []


def test_an_ordinary_resume_does_not_end_it(held: Product) -> None:
    """Somebody must say until when the old database may have sent."""
    with held.transaction() as connection, pytest.raises(StateError) as caught:
        holding.resume(connection, Target(Scope.EVERYTHING), ACTOR, clock.now())
    assert "--skip-due-before" in (caught.value.hint or "")


def test_nothing_of_it_is_sent_meanwhile(held: Product) -> None:
    """By a scheduler, or by a worker that has a batch already."""
    opening.open_due(held.parts.database, held.parts.channels, clock.now(), held.parts.canary)
    with held.transaction() as connection:
        connection.exec_driver_sql(
            "INSERT INTO batches (broadcast_id, first_id, last_id, recipients)"
            " SELECT id, 1, 100000, 50 FROM broadcasts WHERE state = 'open' AND channel = 'sms'"
        )
    before = held.totals()["received"]
    held.deliver(held.open("sms"))
    assert (rounds.feed(held.parts.database, clock.now(), 500), held.totals()["received"]) == ([], before)


@pytest.mark.parametrize(
    ("do", "says"),
    [
        (lambda product: go_on(product, "2022-02-18 10:01"), "2022-02-18 02:01 UTC has not come yet"),
        (declare, "held back as restored already"),
    ],
)
def test_what_does_not_fit_is_refused(held: Product, do: object, says: str) -> None:
    """A time to come, or saying it twice."""
    assert callable(do)
    with pytest.raises(StateError, match=says):
        do(held)


def test_nothing_is_skipped_where_nothing_was_restored(campaign: Product) -> None:
    """A slip of the pen in a running installation."""
    with pytest.raises(StateError, match="no restored database is held back"):
        go_on(campaign, "2022-02-18 10:00")


def test_a_backup_from_the_future_is_refused(campaign: Product) -> None:
    """Nothing is held back for it."""
    with campaign.transaction() as connection, pytest.raises(StateError, match="has not come yet"):
        restoring.restored(connection, clock.now() + timedelta(hours=1), ACTOR, clock.now())
    assert standing(campaign) == []


def test_phases_that_follow_the_restore_are_true(held: Product) -> None:
    """The outage begins while it is held back: afterwards people are told that it has begun, not that it will."""
    held.at(local("2022-02-26 09:00"))
    go_on(held, "2022-02-25 18:00")
    tick(held)
    with held.transaction() as connection:
        told = {row.phase for row in broadcasts.rows_of(connection, SLUG) if row.accepted}
    assert told == {Phase.STARTED}
