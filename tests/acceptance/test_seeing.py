"""An operator looks: how everything stands, how a broadcast goes, and what came of it in the end."""

from __future__ import annotations

import re
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from broadcaster import clock
from broadcaster.storage import announcements, holds
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Hold, Scope
from broadcaster.storage.tables import batches, broadcasts
from tests.support.cli import Cli
from tests.support.figures import SLUG, announce, cut, plan, tell
from tests.support.polling import eventually

REASON = "canary: 14% failed"


@pytest.fixture
def campaign(cli: Cli, database: Database) -> Cli:
    """A broadcast that is over, one that is under way and halted, and one to come."""
    now = clock.now().replace(microsecond=0)
    with database.begin() as connection:
        number = announce(connection)
        over: dict[str, Any] = {"opened_at": now - timedelta(hours=1), "closed_at": now - timedelta(minutes=59)}
        plan(
            connection, "a" * 20, due_at=over["opened_at"], state="closed", recipients=3, accepted=2, rejected=1, **over
        )
        tell(connection, number, "a" * 20, [0, 0], at=over["closed_at"])
        tell(
            connection,
            number,
            "a" * 20,
            [0],
            first=3,
            at=over["closed_at"],
            outcome="rejected",
            reason="no such number",
        )
        plan(connection, "b" * 20, due_at=now, opened_at=now, state="open", phase="started", recipients=1000)
        cut(connection, "b" * 20, accepted=2)
        tell(connection, number, "b" * 20, [0, 0], at=now)
        plan(connection, "c" * 20, due_at=now + timedelta(days=1), phase="reminder")
        holds.put(connection, Hold(Scope.BROADCAST, "b" * 20, True, REASON, "scheduler", now))
    return cli


def test_without_a_slug_every_announcement_is_shown(campaign: Cli) -> None:
    """With what is halted above it."""
    ran = campaign.run("status")
    assert ran.code == 0
    assert f"HALTED broadcast {'b' * 20}: {REASON}" in ran.out
    assert re.search(rf"^{SLUG} +scheduled +1 ", ran.out, re.MULTILINE)
    (found,) = campaign.run("status", "--json").data["announcements"]
    assert (found["slug"], found["accounted"], found["broadcasts"]["planned"]) == (SLUG, 5, 1)


def test_nothing_to_see_is_said(cli: Cli) -> None:
    """An empty table would look like a fault."""
    assert "no announcement yet" in cli.run("status").out
    assert cli.run("status", "--json").data["announcements"] == []


def test_a_broadcast_under_way_has_live_figures(campaign: Cli) -> None:
    """What an undone batch has recorded counts; everything that the table shows is in the data."""
    data = campaign.run("status", SLUG, "--json").data
    rows = {row["phase"]: row for row in data["broadcasts"]}
    assert (rows["started"]["accepted"], rows["started"]["accounted"], rows["started"]["batches"]["waiting"]) == (
        2,
        2,
        1,
    )
    assert data["holds"][0]["reason"] == REASON
    assert {"channel": "sms", "provider": "sandbox-sms", "state": "closed"} in data["circuits"]
    assert data["seconds_since_tick"] is None
    table = campaign.run("status", SLUG).out
    assert "THE SCHEDULER NEVER RAN" in table
    assert re.search(r"^b{8} .* started +sms +open +0.2% +1,000 +2 ", table, re.MULTILINE)


def test_watching_follows_what_happens_until_it_is_stopped(campaign: Cli, database: Database) -> None:
    """The table is drawn again with what came in meanwhile; Ctrl-C ends it like any command."""

    def output() -> str:
        return (campaign.data / "output").read_text(encoding="utf-8", errors="replace")

    with campaign.running("status", SLUG, "--watch") as process:
        eventually(lambda: "0.2%" in output(), "it shows what stands")
        with database.begin() as connection:
            connection.execute(update(batches).values(accepted=500))
        eventually(lambda: "50.0%" in output(), "it shows what came in")
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in output()


def test_a_report_is_a_page_with_pictures(campaign: Cli, tmp_path: Path) -> None:
    """Checked against the ledger while something is under way; the reasons are on it."""
    page = tmp_path / "out" / "report.html"
    ran = campaign.run("report", SLUG, "--out", page)
    assert (ran.code, ran.err) == (0, "")
    assert "1,003 recipients, 4 accepted, 1 rejected" in ran.out
    text = page.read_text(encoding="utf-8")
    assert [word for word in ("no such number", REASON, "✓ consistent", "still under way") if word not in text] == []
    assert [name for name in ("told", "progress", "outcomes", "lateness") if f'<h2 id="{name}">' not in text] == []


def test_a_report_as_data_has_what_the_page_shows(campaign: Cli) -> None:
    """And no page is written unless it is asked for."""
    data = campaign.run("report", SLUG, "--json").data
    assert data["reasons"] == [{"channel": "sms", "outcome": "rejected", "reason": "no such number", "number": 1}]
    assert data["progress"]["a" * 20][-1]["accepted"] == 2
    assert data["lateness"] == [
        {"channel": "sms", "at_most_seconds": 0.1, "number": 2},
        {"channel": "sms", "at_most_seconds": 60.0, "number": 2},
    ]
    assert (data["consistent"], data["problems"]) == (True, [])


def test_a_report_that_does_not_add_up_fails(campaign: Cli, database: Database, tmp_path: Path) -> None:
    """On the page, on the terminal, and by its exit code."""
    with database.begin() as connection:
        connection.execute(update(broadcasts).where(broadcasts.c.id == "a" * 20).values(accepted=3, rejected=0))
    page = tmp_path / "report.html"
    ran = campaign.run("report", SLUG, "--out", page)
    assert ran.code == 1
    assert f"INCONSISTENT  {'a' * 20}: counters say 3 accepted, the ledger holds 2" in ran.out
    assert "✗ NOT consistent" in page.read_text(encoding="utf-8")


def test_a_report_after_a_purge_has_totals_and_no_verdict(campaign: Cli, database: Database, tmp_path: Path) -> None:
    """A ledger that is gone on purpose is no contradiction."""
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM deliveries")
        announcements.change(connection, SLUG, purged_at=clock.now())
    page = tmp_path / "report.html"
    ran = campaign.run("report", SLUG, "--out", page)
    assert (ran.code, "1,003 recipients" in ran.out) == (0, True)
    text = page.read_text(encoding="utf-8")
    assert [word for word in ("Not checked", "was purged at") if word not in text] == []
    assert '<h2 id="outcomes">' in text


@pytest.mark.parametrize("command", [["status", "nowhere"], ["report", "nowhere"]])
def test_what_is_not_there_is_explained(cli: Cli, command: list[str]) -> None:
    """No page is written about it."""
    ran = cli.run(*command)
    assert (ran.code, ran.out) == (1, "")
    assert "nowhere" in ran.err
    assert "Traceback" not in ran.err
