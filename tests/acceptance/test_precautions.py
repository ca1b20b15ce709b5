"""An operator's dates: what is warned of, what is refused, and how a refusal is lifted."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.storage.database import Database
from tests.acceptance.test_operating import Campaign, refused
from tests.support.cli import Cli
from tests.support.examples import EXAMPLE, SLUG, Edit, edited, line_of

PAYS = """
policy:
  precautions:
    payment_days: [5, 15, last]
    levels: {payment_days: LEVEL}
"""
WORDS = (
    "policy.precautions.payment_days: the outage covers 3 payment days: Mon 2022-02-28, Sat 2022-03-05, Tue 2022-03-15"
    " (move the outage, or move the payment and tell it with an advice `payment_moved`)"
)
HOLIDAY: list[Edit] = [
    ("start: 2022-02-26 00:00", "start: 2022-01-30 22:00"),
    ("deadline: 2022-02-25 24:00", "deadline: 2022-01-30 22:00"),
]
"""The example begins in the night before Spring Festival, as people leave for home."""


@pytest.fixture
def campaign(cli: Cli, database: Database) -> Campaign:
    """The example, eight days before its start, on a site that can reach every channel."""
    return Campaign(cli, database)


def paying(tmp_path: Path, level: str) -> Path:
    """The example on payment days, with the level of that rule."""
    file = tmp_path / "announcement.yaml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8") + PAYS.replace("LEVEL", level), encoding="utf-8")
    return file


def test_the_example_is_told_without_a_warning(campaign: Campaign) -> None:
    """But of the audience, which nobody has imported."""
    checked = campaign.cli.run("check", EXAMPLE)
    assert (checked.code, "warning" in checked.out + checked.err) == (0, False)
    found = campaign.cli.run("plan", EXAMPLE, "--json").data
    assert ([words for words in found["warnings"] if "audience" not in words], found["errors"]) == ([], [])


def test_a_warning_is_told_everywhere_and_stops_nothing(campaign: Campaign, tmp_path: Path) -> None:
    """With file and line, as long as there is a file."""
    file = paying(tmp_path, "warning")
    said = f"{file}:{line_of(file, 'payment_days: [')} {WORDS}"
    for command in ("check", "plan", "apply"):
        ran = campaign.cli.run(command, file)
        assert (ran.code, f"warning: {said}\n" in ran.out) == (0, True), command
    approved = campaign.cli.run("approve", SLUG, "--revision", "1")
    assert (approved.code, f"warning: {WORDS}\n" in approved.out) == (0, True)
    assert campaign.state() == "scheduled"


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
def test_warnings_are_data_too(campaign: Campaign, tmp_path: Path, command: str) -> None:
    """For programs."""
    file = paying(tmp_path, "warning")
    ran = campaign.cli.run(command, file, "--json")
    assert f"{file}:{line_of(file, 'payment_days: [')} {WORDS}" in ran.data["warnings"]


def test_an_approval_gives_them_as_data(campaign: Campaign, tmp_path: Path) -> None:
    """The same words, without a line: what is approved is no file any more."""
    campaign.cli.run("apply", paying(tmp_path, "warning"))
    assert WORDS in campaign.cli.run("approve", SLUG, "--revision", "1", "--json").data["warnings"]


def test_an_error_refuses(campaign: Campaign, tmp_path: Path) -> None:
    """`plan` shows it, `check` and `apply` stop, and nothing is stored."""
    file = paying(tmp_path, "error")
    said = f"{file}:{line_of(file, 'payment_days: [')} {WORDS}"
    refused(campaign.cli.run("check", file), said)
    refused(campaign.cli.run("apply", file), said)
    planned = campaign.cli.run("plan", file)
    assert (planned.code, f"error: {said}\n" in planned.err, "40 to add" in planned.out) == (0, True, True)
    assert campaign.cli.run("plan", file, "--json").data["errors"] == [said]
    assert campaign.count("revisions") == 0


def test_another_policy_lifts_the_refusal(campaign: Campaign, tmp_path: Path) -> None:
    """The file says so, and so does every later reader of it."""
    refused(campaign.cli.run("apply", paying(tmp_path, "error")), WORDS)
    assert campaign.cli.run("apply", paying(tmp_path, "off")).code == 0
    approved = campaign.cli.run("approve", SLUG, "--revision", "1")
    assert (approved.code, "payment" in approved.out) == (0, False)


def test_what_was_proposed_in_time_is_not_approved_too_late(campaign: Campaign, tmp_path: Path) -> None:
    """A draft that waits for five days has used up its notice."""
    file = tmp_path / "announcement.yaml"
    asked = "\npolicy:\n  precautions: {minimum_notice: {notice: 5 days}, levels: {minimum_notice: error}}\n"
    file.write_text(EXAMPLE.read_text(encoding="utf-8") + asked, encoding="utf-8")
    assert campaign.cli.run("apply", file).code == 0
    campaign.at("2022-02-23 10:00")
    words = "policy.precautions.minimum_notice.notice: the outage is first told of Wed 2022-02-23 10:0"
    refused(campaign.cli.run("approve", SLUG, "--revision", "1"), words)
    assert campaign.state() == "draft"


@pytest.mark.parametrize("level", ["error", "warning"])
def test_what_was_cancelled_is_not_reinstated_too_late(campaign: Campaign, tmp_path: Path, level: str) -> None:
    """Nothing of it was told before it was called off: it is first told of now."""
    file = tmp_path / "announcement.yaml"
    asked = f"\npolicy:\n  precautions: {{minimum_notice: {{notice: 5 days}}, levels: {{minimum_notice: {level}}}}}\n"
    file.write_text(EXAMPLE.read_text(encoding="utf-8") + asked, encoding="utf-8")
    for arguments in (["apply", file], ["approve", SLUG, "--revision", "1"], ["cancel", SLUG]):
        assert campaign.cli.run(*arguments).code == 0
    campaign.at("2022-02-23 10:00")
    ran = campaign.cli.run("reinstate", SLUG)
    words = "policy.precautions.minimum_notice.notice: the outage is first told of Wed 2022-02-23 10:0"
    if level == "warning":
        assert (ran.code, f"warning: {words}" in ran.out, campaign.state()) == (0, True, "scheduled")
        return
    refused(ran, words)
    assert campaign.state() == "cancelled"
    campaign.at("2022-02-18 12:00")
    assert campaign.cli.run("reinstate", SLUG).code == 0


def test_a_start_that_is_moved_needs_notice_again(campaign: Campaign, tmp_path: Path) -> None:
    """Also when its approval is asked for: the public still knows the old one."""
    campaign.approved()
    with campaign.database.begin() as connection:
        connection.exec_driver_sql("UPDATE broadcasts SET state = 'closed' WHERE phase = 'notice'")
    campaign.at("2022-02-23 10:00")
    file = edited(tmp_path / "announcement.yaml", ("start: 2022-02-26 00:00", "start: 2022-02-24 00:00"))
    text = file.read_text(encoding="utf-8").replace("2022-02-25 24:00", "2022-02-23 24:00")
    file.write_text(text, encoding="utf-8")
    words = "policy.precautions.minimum_notice.changed: the new start is told Wed 2022-02-23 10:0"
    for arguments in (["plan", file], ["apply", file], ["approve", SLUG, "--revision", "2"]):
        ran = campaign.cli.run(*arguments)
        assert (ran.code, words in ran.out) == (0, True), arguments


def test_an_extension_is_held_to_them_too(campaign: Campaign, tmp_path: Path) -> None:
    """It would bring service back at Tomb-sweeping: the dry run says so, and it is not done."""
    file = tmp_path / "announcement.yaml"
    asked = "\npolicy:\n  precautions: {levels: {holidays: error}}\n"
    file.write_text(EXAMPLE.read_text(encoding="utf-8") + asked, encoding="utf-8")
    assert campaign.cli.run("apply", file).code == 0
    assert campaign.cli.run("approve", SLUG, "--revision", "1").code == 0
    words = (
        "policy.precautions.levels.holidays: service returns Mon 2022-04-04 00:00, a public holiday (Tomb-sweeping Day)"
    )
    extended = ("extend", SLUG, "--until", "2022-04-03 24:00")
    tried = campaign.cli.run(*extended, "--dry-run")
    assert (tried.code, f"error: {words}" in tried.err) == (0, True)
    refused(campaign.cli.run(*extended), words)
    assert campaign.count("revisions") == 1


def test_a_holiday_is_told_by_its_name(campaign: Campaign, tmp_path: Path) -> None:
    """Weeks before, while the dates can be changed."""
    campaign.at("2022-01-10 10:00")
    ran = campaign.cli.run("plan", edited(tmp_path / "announcement.yaml", *HOLIDAY))
    assert (
        "policy.precautions.levels.holidays: the outage starts Sun 2022-01-30 22:00, the last working day before 7 days"
        " off (Spring Festival, Mon 2022-01-31 to Sun 2022-02-06)"
    ) in ran.out


def test_a_year_that_nobody_knows_yet_is_said(campaign: Campaign, tmp_path: Path) -> None:
    """As a warning, whatever is asked of holidays: what was not looked at, and what to do about it."""
    file = tmp_path / "announcement.yaml"
    text = EXAMPLE.read_text(encoding="utf-8").replace(" 2022-", " 2099-")
    file.write_text(text + "policy:\n  precautions: {levels: {holidays: error}}\n", encoding="utf-8")
    ran = campaign.cli.run("check", file)
    words = (
        "policy.precautions.calendar: the public holidays of 2099 are not known for CN, nor the weekends that are"
        " worked for them: its days count as plain weekdays and weekends (look at the State Council's decree, which"
        " comes out in the autumn before; once `chinesecalendar` has it, upgrade that; `calendar: none` considers none,"
        " and does not warn)"
    )
    assert (ran.code, words in ran.out) == (0, True)
