"""Live figures: the broadcasts' counters and those of their undone batches, without a look at the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, update

from broadcaster.storage import progress
from broadcaster.storage.database import Database
from broadcaster.storage.tables import batches
from tests.support.figures import DUE, SLUG, announce, call, cut, plan

NOW = DUE + timedelta(minutes=5)
AHEAD, BEHIND = timedelta(hours=1), -timedelta(hours=1)


@pytest.fixture
def opened(database: Database) -> Database:
    """An announcement with one open broadcast to 3,000 people."""
    with database.begin() as connection:
        announce(connection)
        plan(connection, "notice", state="open", opened_at=DUE, recipients=3000, accepted=990, rejected=10)
    return database


def machine(connection: Connection, batch: int, column: str, distance: timedelta) -> None:
    """Set a machine time of a batch, seen from the database's own clock."""
    connection.execute(update(batches).where(batches.c.id == batch).values({column: func.now() + distance}))


def test_what_is_recorded_of_an_undone_batch_counts_at_once(opened: Database) -> None:
    """A batch that is done has given its counters to the broadcast, and is not counted twice."""
    with opened.begin() as connection:
        cut(connection, "notice", done=True, accepted=990, rejected=10)
        cut(connection, "notice", accepted=200, unknown=5)
        cut(connection, "notice", accepted=100, skipped=1)
        (row,) = progress.rows_of(connection, SLUG, NOW)
    assert (row.accepted, row.rejected, row.unknown, row.skipped) == (1290, 10, 5, 1)
    assert row.recipients == 3000


def test_a_broadcast_without_batches_has_its_own_counters(opened: Database) -> None:
    """Nothing is lost by joining with nothing."""
    with opened.begin() as connection:
        plan(connection, "later", due_at=DUE + timedelta(days=1))
        rows = progress.rows_of(connection, SLUG, NOW)
    assert [(row.id, row.accepted, row.in_doubt, row.leased) for row in rows] == [
        ("notice", 990, 0, 0),
        ("later", 0, 0, 0),
    ]


@pytest.mark.parametrize(
    ("column", "distance", "condition"),
    [
        ("lease_until", AHEAD, "leased"),
        ("lease_until", BEHIND, "waiting"),
        ("next_attempt_at", AHEAD, "retrying"),
        ("next_attempt_at", BEHIND, "waiting"),
        ("enqueued_at", BEHIND, "enqueued"),
    ],
)
def test_a_batch_is_in_one_condition(opened: Database, column: str, distance: timedelta, condition: str) -> None:
    """By machine time: a lease or a back-off that is over holds nobody."""
    with opened.begin() as connection:
        machine(connection, cut(connection, "notice"), column, distance)
        assert progress.conditions(connection, NOW) == dict.fromkeys(progress.CONDITIONS, 0) | {condition: 1}
        (row,) = progress.rows_of(connection, SLUG, NOW)
    assert getattr(row, condition) == 1


def test_a_held_batch_waits_by_campaign_time(opened: Database) -> None:
    """Quiet hours end when the campaign's clock says so, whatever the machine's is."""
    until = NOW + timedelta(hours=8)
    with opened.begin() as connection:
        cut(connection, "notice", hold_until=until)
        cut(connection, "notice", hold_until=until + timedelta(hours=1))
        (row,) = progress.rows_of(connection, SLUG, NOW)
        assert (row.held, row.held_until) == (2, until)
        assert progress.conditions(connection, until + timedelta(hours=2))["held"] == 0


def test_the_first_retry_is_told(opened: Database) -> None:
    """When something goes on by itself."""
    with opened.begin() as connection:
        for distance in (AHEAD, 2 * AHEAD):
            machine(connection, cut(connection, "notice", attempts=4), "next_attempt_at", distance)
        (row,) = progress.rows_of(connection, SLUG, NOW)
        assert progress.most_attempts(connection) == 4
    assert (row.retrying, row.retry_at - datetime.now(UTC) < 1.5 * AHEAD) == (2, True)


def test_members_of_calls_that_were_made_are_in_doubt(opened: Database) -> None:
    """Until their outcome is recorded and the row is gone; by broadcast, and by provider."""
    with opened.begin() as connection:
        first, second = cut(connection, "notice"), cut(connection, "notice")
        call(connection, "notice", first, range(100))
        call(connection, "notice", second, range(100, 150), provider="west")
        (row,) = progress.rows_of(connection, SLUG, NOW)
        doubts = {(one.channel, one.provider): one.number for one in progress.in_doubt(connection)}
    assert row.in_doubt == 150
    assert doubts == {("sms", "east"): 100, ("sms", "west"): 50}


def test_announcements_are_summed_up_live(opened: Database) -> None:
    """Each for itself, with what comes next."""
    with opened.begin() as connection:
        announce(connection, "other-works")
        plan(connection, "other", "other-works", state="closed", recipients=7, accepted=7)
        plan(connection, "later", due_at=DUE + timedelta(days=1))
        plan(connection, "last", due_at=DUE + timedelta(days=2))
        cut(connection, "notice", accepted=10)
        found = progress.by_announcement(connection, NOW)
    assert {
        slug: (row.accepted, row.planned_broadcasts, row.open_broadcasts, row.closed_broadcasts)
        for slug, row in found.items()
    } == {
        SLUG: (1000, 2, 1, 0),
        "other-works": (7, 0, 0, 1),
    }
    assert found[SLUG].next_due == DUE + timedelta(days=1)
