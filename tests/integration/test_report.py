"""The report from the database: live figures, the ledger over time, and whether the two agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from broadcaster.reporting.consistency import disagreements
from broadcaster.reporting.overview import overview
from broadcaster.reporting.report import report, standing
from broadcaster.storage import announcements, holds
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Hold, Scope
from broadcaster.storage.tables import broadcasts, staleness
from tests.support.figures import DUE, SLUG, announce, cut, plan, tell

NOW = DUE + timedelta(minutes=2)


@pytest.fixture
def told(database: Database) -> Database:
    """A closed broadcast that took a minute, and one that is under way."""
    minute: dict[str, Any] = {"opened_at": DUE, "closed_at": DUE + timedelta(minutes=1)}
    with database.begin() as connection:
        number = announce(connection)
        plan(connection, "done", state="closed", recipients=6, accepted=5, rejected=1, **minute)
        tell(connection, number, "done", [0.05, 0.4, 20, 40, 59.9])
        tell(connection, number, "done", [30], outcome="rejected", reason="no such number", first=6)
        plan(connection, "now", channel="wechat", state="open", opened_at=DUE, recipients=10)
        cut(connection, "now", recipients=10, accepted=4)
        tell(connection, number, "now", [60, 60, 90, 118])
    return database


def test_a_report_tells_how_a_broadcast_progressed(told: Database) -> None:
    """From its opening to its end; what is under way, to now."""
    with told.begin() as connection:
        progress = report(connection, SLUG, NOW)["progress"]
    accepted = [point["accepted"] for point in progress["done"]]
    assert [accepted[step] for step in (0, 1, 20, 21, 60)] == [0, 2, 2, 3, 5]
    assert progress["done"][-1]["rejected"] == 1
    assert progress["done"][-1]["at"] == "2030-05-10T02:01:00.000+00:00"
    assert progress["now"][-1] == {**progress["now"][-1], "at": "2030-05-10T02:02:00.000+00:00", "accepted": 4}


def test_a_report_tells_how_late_each_message_was(told: Database) -> None:
    """Accepted ones only, from the due time, whatever broadcast they belong to."""
    with told.begin() as connection:
        rows = report(connection, SLUG, NOW)["lateness"]
    assert {(row["channel"], row["at_most_seconds"]): row["number"] for row in rows} == {
        ("sms", 0.1): 1,
        ("sms", 0.5): 1,
        ("sms", 30.0): 1,
        ("sms", 60.0): 2,
        ("wechat", 60.0): 2,
        ("wechat", 120.0): 2,
    }


def test_counters_and_ledger_of_one_moment_agree(told: Database) -> None:
    """Also while a broadcast is under way."""
    with told.begin() as connection:
        data = report(connection, SLUG, NOW)
    assert list(disagreements(data["broadcasts"], data["progress"])) == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"accepted": 6}, "done: counters say 6 accepted, the ledger holds 5"),
        ({"recipients": 7}, "done: 7 recipients, but 6 accounted for"),
    ],
)
def test_a_counter_that_is_off_by_one_is_found(told: Database, wrong: dict[str, int], problem: str) -> None:
    """Somebody was lost, or counted twice."""
    with told.begin() as connection:
        connection.execute(update(broadcasts).where(broadcasts.c.id == "done").values(wrong))
        data = report(connection, SLUG, NOW)
        assert problem in list(disagreements(data["broadcasts"], data["progress"]))


def test_another_announcement_is_not_in_the_report(told: Database) -> None:
    """Each has its own part of the ledger."""
    with told.begin() as connection:
        number = announce(connection, "other-works")
        plan(connection, "other", "other-works", state="open", opened_at=DUE, recipients=1, accepted=1)
        tell(connection, number, "other", [1])
        data = report(connection, "other-works", NOW)
    assert list(data["progress"]) == ["other"]
    assert [row["number"] for row in data["lateness"]] == [1]


def test_the_standing_says_how_late_a_broadcast_was_opened(told: Database) -> None:
    """And how long one is overdue that nobody opened."""
    with told.begin() as connection:
        plan(connection, "forgotten", channel="banner")
        plan(connection, "later", channel="kiosk", due_at=NOW + timedelta(seconds=1))
        rows = {row["id"]: row for row in standing(connection, SLUG, NOW)["broadcasts"]}
    assert rows["forgotten"]["opened_late_seconds"] == 120
    assert rows["later"]["opened_late_seconds"] is None
    assert (rows["done"]["opened_late_seconds"], rows["done"]["lateness_seconds"]) == (0, 60)


def test_only_holds_that_concern_an_announcement_are_shown(told: Database) -> None:
    """Its own, one of its broadcasts', and one on everything; the halted first."""
    targets = [(Scope.EVERYTHING, ""), (Scope.ANNOUNCEMENT, SLUG), (Scope.ANNOUNCEMENT, "another")]
    with told.begin() as connection:
        for scope, target in targets:
            holds.put(connection, Hold(scope, target, False, "", "somebody", NOW))
        holds.put(connection, Hold(Scope.BROADCAST, "now", True, "canary: 14% failed", "scheduler", NOW))
        data = standing(connection, SLUG, NOW)
        everything = overview(connection, NOW)
    assert [(hold["kind"], hold["scope"], hold["target"]) for hold in data["holds"]] == [
        ("halted", "broadcast", "now"),
        ("paused", "everything", ""),
        ("paused", "announcement", SLUG),
    ]
    assert data["announcement"]["paused"] is True
    assert len(everything["holds"]) == 4


def test_a_halted_broadcast_does_not_pause_its_announcement(told: Database) -> None:
    """The others go on."""
    with told.begin() as connection:
        holds.put(connection, Hold(Scope.BROADCAST, "now", True, "", "scheduler", NOW))
        assert standing(connection, SLUG, NOW)["announcement"]["paused"] is False


def test_the_overview_has_every_announcement(told: Database) -> None:
    """With its figures; a draft without a plan has none."""
    with told.begin() as connection:
        announce(connection, "other-works")
        rows = {row["slug"]: row for row in overview(connection, NOW)["announcements"]}
    assert (rows[SLUG]["recipients"], rows[SLUG]["accounted"], rows[SLUG]["rejected"]) == (16, 10, 1)
    assert rows[SLUG]["broadcasts"]["open"] == 1
    assert (rows["other-works"]["recipients"], rows["other-works"]["next_due"]) == (0, None)


def test_the_overview_says_how_many_are_stale(told: Database) -> None:
    """On all channels together, as counted last; nothing where nothing untrue was told, or where it was purged."""
    with told.begin() as connection:
        for slug in ("other-works", "old-works"):
            announce(connection, slug)
        for slug, channel, number in ((SLUG, "sms", 7), (SLUG, "kiosk", 2), ("old-works", "sms", 3)):
            values = {"mark": "", "stale": number, "uncorrected": 0, "reasons": [], "took": 0.0, "counted_at": NOW}
            connection.execute(insert(staleness).values(slug=slug, channel=channel, **values))
        announcements.change(connection, "old-works", purged_at=NOW)
        rows = {row["slug"]: row["stale"] for row in overview(connection, NOW)["announcements"]}
        assert standing(connection, "old-works", NOW)["stale"] == []
        assert {row["channel"]: row["stale"] for row in standing(connection, SLUG, NOW)["stale"]} == {
            "sms": 7,
            "kiosk": 2,
        }
    assert rows == {SLUG: 9, "other-works": None, "old-works": None}
