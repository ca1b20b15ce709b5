"""Purging: who was told what of an announcement that is long over is forgotten; its totals and its events are kept."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from broadcaster import clock
from broadcaster.channels.registry import CHANNELS
from broadcaster.errors import StateError
from broadcaster.operations import conclude, purging
from broadcaster.operations.purging import Purge, Wish
from broadcaster.reporting.report import report
from broadcaster.reporting.surfaces import false_times
from broadcaster.storage import (
    announcements,
    audiences,
    broadcasts,
    events,
    ledger,
    merging,
    partitions,
    receipts,
    screens,
)
from broadcaster.storage.receipts import Receipt, ReceiptStatus
from broadcaster.storage.screens import Fetch
from tests.support.examples import SLUG, local
from tests.support.polling import eventually
from tests.support.product import ACTOR, Product

PEOPLE = 300
YEAR = timedelta(days=365)


@pytest.fixture
def over(product: Product) -> Product:
    """The example, whose notice was sent by SMS and which was called off then; a year and a day later."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish()
    for channel in ("sms", "kiosk"):
        product.deliver_all(product.open(channel))
    product.merge_receipts()
    looked = "SELECT bool_and(seq > 0) FROM screens WHERE channel = 'kiosk'"
    eventually(lambda: bool(product.value(looked)), "the kiosks that were told to look have done it")
    with product.transaction() as connection:
        conclude.cancel(connection, SLUG, "put off", ACTOR, clock.now())
        connection.execute(
            text("UPDATE broadcasts SET state = 'closed', closed_at = opened_at WHERE state <> 'revoked'")
        )
    product.at(local("2023-02-19 10:00"))
    return product


def purge(product: Product, slug: str | None = None, older_than: timedelta = YEAR) -> Purge:
    """Purge, as an operator does."""
    return purging.purge(product.parts.database, Wish(older_than, slug), CHANNELS, ACTOR, clock.now())


def preview(product: Product, slug: str | None = None) -> Purge:
    """Ask what a purge would do."""
    with product.transaction() as connection:
        return purging.preview(connection, Wish(YEAR, slug), CHANNELS, clock.now())


def counts(product: Product) -> dict[str, int]:
    """How many rows the tables have that a purge is about."""
    tables = ("deliveries", "batches", "calls", "receipts", "waiting_receipts", "revisions", "broadcasts")
    return {table: int(product.value(f"SELECT count(*) FROM {table}")) for table in tables}  # noqa: S608 - ours


def part_exists(product: Product) -> bool:
    """Whether the example has a part of the ledger."""
    return bool(product.value("SELECT to_regclass('deliveries_1') IS NOT NULL"))


def test_details_go_and_totals_stay(over: Product) -> None:
    """The part of the ledger is dropped; counters, revisions and events are as before."""
    sms = over.value("SELECT id FROM broadcasts WHERE channel = 'sms' AND accepted > 0")
    before, totals = counts(over), over.broadcast(sms)
    found = purge(over)
    after = counts(over)
    details = found.announcements[SLUG]
    assert (details.deliveries, details.batches, details.receipts) == (
        *(before["deliveries"], before["batches"], int(totals.delivered + totals.failed) + 3),
    )
    assert [after[table] for table in ("deliveries", "batches", "calls", "receipts", "waiting_receipts")] == [0] * 5
    assert [after[table] for table in ("revisions", "broadcasts")] == [before["revisions"], before["broadcasts"]]
    row = over.broadcast(sms)
    assert (row.recipients, row.accepted, row.delivered) == (PEOPLE, totals.accepted, totals.delivered)
    assert not part_exists(over)
    with over.transaction() as connection:
        standing = announcements.find(connection, SLUG)
        event = events.history(connection, SLUG)[-1]
    assert standing
    assert standing.purged_at is not None
    assert (event.verb, event.actor, event.details["deliveries"]) == ("purge", ACTOR, before["deliveries"])


def test_what_is_asked_afterwards_is_answered(over: Product) -> None:
    """Nothing is known of anybody, and nothing fails."""
    sms = over.value("SELECT id FROM broadcasts WHERE channel = 'sms' AND accepted > 0")
    purge(over)
    with over.transaction() as connection:
        assert ledger.told(connection, 10, SLUG) == ledger.told(connection, 10, None) == []
        assert (ledger.failures(connection, SLUG), dict(ledger.outcomes(connection, sms))) == ([], {})
        data = report(connection, SLUG, clock.now())
    assert data["announcement"]["purged_at"]
    assert data["totals"]["accepted"] > 0
    assert data["reasons"] == []


def test_a_dry_run_says_the_same_and_deletes_nothing(over: Product) -> None:
    """Exactly what a purge then does."""
    before = counts(over)
    said = preview(over)
    assert counts(over) == before
    assert purge(over) == said
    assert preview(over) == Purge()


def test_a_second_purge_finds_nothing(over: Product) -> None:
    """And says so, when it is asked for one announcement."""
    purge(over)
    assert purge(over) == Purge()
    with pytest.raises(StateError, match="was purged already"):
        purge(over, SLUG)


def test_what_is_not_over_for_so_long_is_kept(over: Product) -> None:
    """A day is missing."""
    over.at(local("2023-02-18 09:00"))
    assert purge(over).announcements == {}
    with pytest.raises(StateError, match="less than 365 days ago"):
        purge(over, SLUG)
    assert part_exists(over)


def test_a_running_announcement_is_refused(product: Product) -> None:
    """By its name, and whatever its age; a purge of what is old leaves it alone."""
    product.at(local("2022-02-18 10:00"))
    product.gather(3)
    product.publish()
    product.at(local("2024-02-18 10:00"))
    with pytest.raises(StateError, match="qingdao-2022 is scheduled: only what is completed or cancelled"):
        purge(product, SLUG)
    assert purge(product).announcements == {}
    assert counts(product)["broadcasts"] > 0
    assert part_exists(product)


def test_an_announcement_with_something_left_to_send_is_kept(over: Product) -> None:
    """Such as the news that it was called off."""
    with over.transaction() as connection:
        connection.execute(text("UPDATE broadcasts SET state = 'open' WHERE phase = 'cancelled' AND channel = 'sms'"))
    found = purge(over)
    assert (found.announcements, list(found.kept)) == ({}, [SLUG])
    assert preview(over).kept == found.kept
    with pytest.raises(StateError, match="cannot be purged: 1 of its broadcasts"):
        purge(over, SLUG)


def test_an_announcement_that_is_not_there_is_refused(over: Product) -> None:
    """With those that are."""
    with pytest.raises(StateError, match="there is no announcement 'elsewhere'"):
        purge(over, "elsewhere")


def test_a_purge_that_was_cut_off_is_brought_to_its_end(over: Product) -> None:
    """Between putting it down and dropping the part, or in the middle of that."""
    with over.transaction() as connection:
        connection.execute(text("UPDATE announcements SET purged_at = now()"))
    purge(over)
    assert not part_exists(over)


def test_a_detachment_that_was_cut_off_is_brought_to_its_end(over: Product) -> None:
    """Postgres leaves it half done."""
    with over.transaction() as connection:
        connection.execute(text("UPDATE announcements SET purged_at = now()"))
    with reading_the_ledger(over), over.parts.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("SET lock_timeout = '200ms'"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            partitions.drop_partition(connection, 1)
        connection.invalidate()
    assert over.value("SELECT bool_or(inhdetachpending) FROM pg_inherits")
    purge(over)
    assert not part_exists(over)


@contextmanager
def reading_the_ledger(product: Product) -> Iterator[None]:
    """Somebody reads it, as an export does."""
    with product.transaction() as reader:
        reader.execute(text("SELECT count(*) FROM deliveries"))
        yield


def test_a_receipt_that_comes_after_the_purge_harms_nothing(over: Product) -> None:
    """It waits for nothing, and goes with the next purge but one month."""
    sms = over.value("SELECT id FROM broadcasts WHERE channel = 'sms' AND accepted > 0")
    purge(over)
    with over.transaction() as connection:
        receipts.append(connection, "sms", "sandbox-sms", [Receipt(sms, 10, ReceiptStatus.FAILED, clock.now())])
        merging.merge(connection)
    assert (counts(over)["receipts"], counts(over)["waiting_receipts"]) == (1, 0)
    with over.transaction() as connection:
        connection.execute(text("UPDATE receipts SET received_at = now() - interval '31 days'"))
    purge(over)
    assert counts(over)["receipts"] == 0


def test_receipts_that_never_found_a_delivery_go_after_a_month(over: Product) -> None:
    """The younger ones wait on."""
    purge(over)
    with over.transaction() as connection:
        rows = [Receipt("0" * 20, number, ReceiptStatus.FAILED, clock.now()) for number in range(5)]
        receipts.append(connection, "sms", "sandbox-sms", rows)
        merging.merge(connection)
        connection.execute(
            text("UPDATE waiting_receipts SET since = now() - interval '31 days' WHERE recipient_id < 3")
        )
    assert preview(over).waiting_receipts == 3
    assert purge(over).waiting_receipts == 3
    assert counts(over)["waiting_receipts"] == 2


def test_former_recipients_go_when_no_broadcast_needs_them(over: Product) -> None:
    """While one does that is not purged, everybody of its version stays; afterwards only the newest version does."""
    with over.transaction() as connection:
        audiences.stage(connection, audiences.PEOPLE, over.parts.vault, [("+8613800138000", "", "en", [])])
        audiences.merge(connection, audiences.PEOPLE, "test", clock.now(), keep_others=False)
    over.at(local("2023-02-18 09:00"))
    assert purge(over).recipients == 0
    over.at(local("2023-02-19 10:00"))
    assert preview(over).recipients == PEOPLE
    assert purge(over).recipients == PEOPLE
    assert over.value("SELECT count(*) FROM recipients WHERE pool = ''") == 1
    assert over.value("SELECT array_agg(DISTINCT version) FROM audience_counts WHERE pool = ''") == [2]
    assert over.value("SELECT count(*) FROM audience_versions WHERE pool = ''") == 2


def test_what_recipients_got_on_days_long_past_goes(over: Product) -> None:
    """Nobody asks for it any more."""
    with over.transaction() as connection:
        for day in ("2023-02-18", "2023-01-01"):
            connection.execute(
                text("INSERT INTO recipient_quotas VALUES ('sms', 'sandbox-sms', CAST(:day AS date), 1, 2)"),
                {"day": day},
            )
    assert preview(over).quota_days == purge(over).quota_days == 1
    assert over.value("SELECT count(*) FROM recipient_quotas") == 1


def test_what_screens_fetched_goes_with_the_last_announcement_that_it_was_about(over: Product) -> None:
    """Which document a screen has now is known all the same."""
    with over.transaction() as connection:
        [approved, cancelled] = events.change_numbers(connection)
        at = clock.now()
        fetches = [Fetch("kiosk", "hall-kiosks", seq, at, at, at, at) for seq in (approved, cancelled)]
        screens.note(connection, fetches)
        assert "kiosk" in false_times(connection, SLUG, at)
    kept = over.value("SELECT count(*) FROM screen_fetches")
    assert kept > len(fetches)
    assert (preview(over).screen_fetches, purge(over).screen_fetches) == (kept, kept)
    with over.transaction() as connection:
        screens.note(connection, fetches)
        assert screens.fetches(connection, 0) == {}
        assert false_times(connection, SLUG, at) == {}
        assert max(row.seq for row in screens.standing(connection, "kiosk")) == cancelled


def test_others_go_on_writing_meanwhile(over: Product) -> None:
    """The purge waits for whoever reads the ledger; nobody waits for the purge."""
    with over.transaction() as connection:
        announcements.create(connection, "another", "Asia/Shanghai", clock.now())
        number = connection.execute(text("SELECT number FROM announcements WHERE slug = 'another'")).scalar_one()
    with ThreadPoolExecutor(1) as pool:
        with reading_the_ledger(over):
            purging_ = pool.submit(purge, over)
            pending = "SELECT coalesce(bool_or(inhdetachpending), false) FROM pg_inherits"
            eventually(lambda: bool(over.value(pending)), "the purge waits for the reader")
            with over.transaction() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
                connection.execute(
                    text(
                        "INSERT INTO deliveries (announcement, broadcast_id, recipient_id, revision, outcome, at)"
                        " VALUES (:number, 'b', 1, 1, 'accepted', now())"
                    ),
                    {"number": number},
                )
            assert not purging_.done()
        purging_.result()
    assert over.value("SELECT count(*) FROM deliveries") == 1


def test_broadcasts_of_a_purged_announcement_are_still_there(over: Product) -> None:
    """With when they were opened and closed."""
    purge(over)
    with over.transaction() as connection:
        rows = [row for row in broadcasts.rows_of(connection, SLUG) if row.opened_at]
    assert all(row.closed_at for row in rows)
    assert len(rows) >= 2
