"""An operator at the command line: who was not reached, trying them again, exports, purges, and a restored database."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from broadcaster import clock
from broadcaster.operations import conclude
from broadcaster.planning.policy import DEFAULT_CHANNELS
from broadcaster.storage import events
from tests.conftest import Servers
from tests.support.cli import Cli, Ran
from tests.support.examples import SLUG, local
from tests.support.product import ACTOR, Product

PEOPLE = 300


@pytest.fixture
def cli_of(product: Product, servers: Servers) -> Cli:
    """The command line of the product of this test, at its campaign time."""
    variables = {
        "DATABASE_URL": product.parts.database.url,
        "REDIS_URL": servers.redis,
        "BROADCASTER_CLOCK_OFFSET_FILE": str(product.offset_file),
    }
    return Cli(product.parts.settings.data, variables)


@pytest.fixture
def sent(product: Product) -> str:
    """An SMS notice that is sent; the provider refused its first call."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish()
    broadcast = product.open("sms")
    product.order(channel="sms", kind="status", status=400)
    product.deliver_all(broadcast)
    product.merge_receipts()
    return broadcast


@pytest.fixture
def over(product: Product, sent: str) -> str:
    """The same, called off, and a year later."""
    with product.transaction() as connection:
        conclude.cancel(connection, SLUG, "put off", ACTOR, clock.now())
        connection.execute(text("UPDATE broadcasts SET state = 'closed' WHERE state <> 'revoked'"))
    product.at(local("2023-02-19 10:00"))
    return sent


def refused(ran: Ran, words: str) -> None:
    """The command said why not, and exited with 1."""
    assert ran.code == 1
    assert words in ran.err
    assert "Traceback" not in ran.out + ran.err


def test_who_was_not_reached_is_counted(cli_of: Cli, sent: str) -> None:
    """For people, and for programs; of one broadcast too."""
    ran = cli_of.run("failures", SLUG)
    assert (ran.code, "sandbox-sms answered 400" in ran.out) == (0, True)
    (first, *_) = cli_of.run("failures", SLUG, "--broadcast", sent[:6], "--json").data
    assert first == {
        **{"recipients": 200, "channel": "sms", "provider": "sandbox-sms", "outcome": "rejected"},
        "reason": "sandbox-sms answered 400",
    }
    refused(cli_of.run("failures", SLUG, "--broadcast", "zzz"), "no broadcast has an id that begins with 'zzz'")
    refused(cli_of.run("failures", "elsewhere"), "there is no announcement 'elsewhere'")


def test_they_are_tried_again(cli_of: Cli, product: Product, sent: str) -> None:
    """As a broadcast of its own; a second one has to wait."""
    ran = cli_of.run("retry-failed", sent[:8], "--reason", "mended", "--json")
    assert (ran.data["retries"], ran.data["slug"]) == (sent, SLUG)
    assert product.broadcast(ran.data["broadcast"]).note == "mended"
    refused(cli_of.run("retry-failed", sent), "is being tried again")
    refused(cli_of.run("retry-failed", "zzz"), "no broadcast has an id that begins with 'zzz'")


def test_an_export_is_for_its_owner(cli_of: Cli, product: Product, sent: str, tmp_path: Path) -> None:
    """Masked unless phones are wanted, which the event log remembers."""
    path = tmp_path / "who.csv"
    ran = cli_of.run("export", SLUG, "--out", path)
    assert (ran.code, ran.out.strip()) == (0, f"{path}: {PEOPLE:,} deliveries")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "****" in path.read_text(encoding="utf-8")
    assert cli_of.run("export", SLUG, "--out", path, "--failures", "--with-phones").code == 0
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["broadcast"] for row in rows} == {sent}
    assert all(row["phone"].startswith("'+861000000") for row in rows)
    with product.transaction() as connection:
        event = events.history(connection, SLUG)[-1]
    assert (event.verb, event.details) == ("export_phones", {"out": "who.csv", "failures": True})


@pytest.mark.usefixtures("sent")
def test_an_export_that_cannot_be_written_is_explained(cli_of: Cli, tmp_path: Path) -> None:
    """A full disk, a folder that is not there, a name that says nothing."""
    refused(cli_of.run("export", SLUG, "--out", "/dev/full"), "/dev/full cannot be written: No space left on device")
    refused(cli_of.run("export", SLUG, "--out", tmp_path / "gone" / "a.csv"), "No such file or directory")
    refused(cli_of.run("export", SLUG, "--out", tmp_path / "a.doc"), "must end in .csv, .csv.gz or .parquet")
    assert list(tmp_path.glob("*.*")) == []


@pytest.mark.usefixtures("sent")
def test_an_export_goes_through_a_pipe(cli_of: Cli) -> None:
    """Nothing but rows on standard output."""
    ran = cli_of.run("export", SLUG, "--out", "/dev/stdout")
    assert ran.code == 0
    assert len(list(csv.DictReader(ran.out.splitlines()))) == PEOPLE


@pytest.mark.usefixtures("over")
def test_what_is_long_over_is_purged(cli_of: Cli) -> None:
    """First only said, then done; whoever asks afterwards is told so."""
    said = cli_of.run("purge", "--older-than", "365d", "--dry-run", "--json").data
    assert (said["dry_run"], said["announcements"][SLUG]["deliveries"]) == (True, PEOPLE)
    done = cli_of.run("purge", "--older-than", "365d", "--announcement", SLUG, "--json").data
    assert done == {**said, "dry_run": False}
    assert "no announcement is over for so long" in cli_of.run("purge", "--older-than", "1d").out
    asked = cli_of.run("ledger", "--phone", "+8610000000001", "--announcement", SLUG)
    assert (asked.code, "who was told what was purged at 2023-02-19 10:0" in asked.err) == (0, True)
    assert "0 messages" in asked.out
    assert "was purged at" in cli_of.run("failures", SLUG).err
    assert cli_of.run("status", SLUG, "--json").data["totals"]["rejected"] >= 200
    refused(cli_of.run("export", SLUG, "--out", "/dev/null"), "who was told of qingdao-2022 was purged at")


@pytest.mark.usefixtures("sent")
def test_a_running_announcement_is_not_purged(cli_of: Cli) -> None:
    """By its name, with what would end it."""
    refused(cli_of.run("purge", "--older-than", "1d", "--announcement", SLUG), "qingdao-2022 is scheduled")
    for age in ("365", "0d", "-1d", "a year"):
        refused(cli_of.run("purge", f"--older-than={age}"), f"--older-than: '{age}' is not a number of days")


def test_a_restored_database_is_held_until_somebody_says_how_far_to_trust_it(cli_of: Cli, product: Product) -> None:
    """In the zone of the announcements, or with an offset."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish()
    product.at(local("2022-02-18 12:00"))
    refused(cli_of.run("resume", "--everything", "--skip-due-before", "2022-02-18 11:00"), "no restored database")
    ran = cli_of.run("restored", "--from", "2022-02-18 03:00")
    assert (ran.code, "since 2022-02-18 03:00 CST" in ran.out) == (0, True)
    shown = cli_of.run("status", SLUG).out
    assert "HALTED restored: restored from a backup of 2022-02-17 19:00 UTC" in shown
    assert "resume --everything --skip-due-before TIME" in shown
    refused(cli_of.run("restored", "--from", "2022-02-18 03:00"), "held back as restored already")
    refused(cli_of.run("restored", "--from", "yesterday"), "--from: 'yesterday' is not a time")
    refused(cli_of.run("resume", "--everything"), "the database was restored; `broadcaster resume --everything --skip")
    refused(cli_of.run("resume", SLUG, "--skip-due-before", "2022-02-18 11:00"), "goes with --everything")
    refused(cli_of.run("resume", "--everything", "--skip-due-before", "2022-02-18 13:00"), "has not come yet")
    ran = cli_of.run("resume", "--everything", "--skip-due-before", "2022-02-18 03:00Z")
    assert (ran.code, f"{len(DEFAULT_CHANNELS)} broadcasts are skipped" in ran.out) == (0, True)
    assert cli_of.run("status", SLUG, "--json").data["holds"] == []
