"""An operator plans: when each broadcast will be done, what cannot be done in time, and whom an audience reaches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from broadcaster.storage.audiences import PEOPLE
from broadcaster.storage.database import Database
from broadcaster.storage.tables import audience_counts, audience_versions, tag_sets
from tests.acceptance.test_operating import Campaign, refused
from tests.support.cli import Cli, Ran
from tests.support.examples import EXAMPLE, SLUG, local

TEN_MILLION = {"retired": 2_000_000, "enterprise": 500_000, "": 7_500_000}
"""Tag → people who have it and no other."""

SITE = """\
name: ours
channels:
  sms:
    providers:
      - {name: first, url: "http://127.0.0.1:9/sms", secret: "env:SECRET", pace: {messages_per_second: 200}}
      - {name: second, url: "http://127.0.0.1:9/sms", secret: "env:SECRET", pace: {messages_per_second: 100}}
"""

SMS_ONLY = """
policy:
  notice: []
  reminder: [{days_before: [1], at: "20:00", channels: [sms]}]
  started: []
  ongoing: []
  overrun: []
  changed: []
  restored: []
  cancelled: []
  precautions: {minimum_notice: {notice: 0 days}}
"""


@pytest.fixture
def campaign(cli: Cli, database: Database) -> Campaign:
    """A site that sends SMS through two providers, 300 messages a second together."""
    (cli.data / "site.yaml").write_text(SITE, encoding="utf-8")
    return Campaign(cli, database)


def counted(connection: Connection, sums: Mapping[str, int]) -> None:
    """Have the sums that an import of these people keeps: a plan asks for nothing else."""
    row = {"pool": PEOPLE, "number": 1, "at": local("2022-02-18 10:00"), "recipients": sum(sums.values())}
    connection.execute(insert(audience_versions).values(row))
    for tag, people in sums.items():
        statement = upsert(tag_sets).values(tags=[tag] if tag else []).returning(tag_sets.c.id)
        number = connection.execute(statement).scalar_one()
        kept = {"pool": PEOPLE, "version": 1, "language": "zh-Hans", "tag_set": number, "recipients": people}
        connection.execute(insert(audience_counts).values(kept))


def file_with(tmp_path: Path, policy: str) -> Path:
    """The example with a policy."""
    file = tmp_path / "announcement.yaml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8") + policy, encoding="utf-8")
    return file


def planned(campaign: Campaign, file: Path) -> Ran:
    """The plan of a file as data."""
    ran = campaign.cli.run("plan", file, "--json")
    assert ran.code == 0, ran.err
    return ran


def test_a_plan_says_how_many_are_told_and_until_when(campaign: Campaign, tmp_path: Path) -> None:
    """Ten million at 300 a second, from 20:00 through a silent night: one hour, and the rest from 08:00."""
    with campaign.database.begin() as connection:
        counted(connection, {"": 1_200_000})
    file = file_with(tmp_path, SMS_ONLY.replace("[1]", "[3]"))
    [row] = planned(campaign, file).data["added"]
    assert (row["recipients"], row["finished_at"]) == (1_200_000, "2022-02-24T08:06:40+08:00")
    [line] = [line for line in campaign.cli.run("plan", file).out.splitlines() if line.startswith("+")]
    assert line.split()[5:8] == ["1,200,000", "2022-02-24", "08:07"]


def test_what_cannot_be_finished_before_it_is_untrue_is_warned_of(campaign: Campaign, tmp_path: Path) -> None:
    """With the numbers from which the operator sees what to change."""
    with campaign.database.begin() as connection:
        counted(connection, TEN_MILLION)
    file = file_with(tmp_path, SMS_ONLY)
    words = (
        "sms reminder, due 2022-02-25 20:00: cannot be finished before 2022-02-26 00:00:"
        " 10,000,000 recipients at 300/s take 9 h 15 min, until 2022-02-26 16:16"
    )
    assert planned(campaign, file).data["warnings"] == [words]
    assert f"warning: {words}\n" in campaign.cli.run("plan", file).out


def test_what_is_to_be_finished_by_a_time_begins_early_enough(campaign: Campaign, tmp_path: Path) -> None:
    """The same reminder with `finish_by` has no warning any more."""
    with campaign.database.begin() as connection:
        counted(connection, TEN_MILLION)
    file = file_with(tmp_path, SMS_ONLY.replace("at:", "finish_by:"))
    found = planned(campaign, file).data
    [row] = found["added"]
    assert found["warnings"] == []
    assert (row["due_at"], row["finished_at"]) == ("2022-02-25T10:44:00+08:00", "2022-02-25T19:59:34+08:00")
    assert row["note"] == "to be finished by 02-25 20:00"


def test_a_larger_audience_moves_the_same_broadcast(campaign: Campaign, tmp_path: Path) -> None:
    """An import after the approval makes it begin earlier; it does not add another."""
    file = file_with(tmp_path, SMS_ONLY.replace("at:", "finish_by:"))
    assert campaign.cli.run("apply", file).code == 0
    assert campaign.cli.run("approve", SLUG, "--revision", "1").code == 0
    with campaign.database.begin() as connection:
        counted(connection, TEN_MILLION)
    found = planned(campaign, file).data
    assert [row["due_at"] for row in found["moved"]] == ["2022-02-25T10:44:00+08:00"]
    assert (found["added"], found["revoked"]) == ([], [])


def test_audiences_that_overlap_are_shared_out(campaign: Campaign, tmp_path: Path) -> None:
    """Each person is told by the first rule that names them."""
    rule = '{days_before: [1], at: "10:00", channels: [sms], audience: "tag:retired"}'
    both = SMS_ONLY.replace("reminder: [", f"reminder: [{rule}, ").replace("20:00", "10:00")
    with campaign.database.begin() as connection:
        counted(connection, TEN_MILLION)
    found = planned(campaign, file_with(tmp_path, both)).data["added"]
    assert {row["audience"]: row["recipients"] for row in found} == {
        "tag:retired": 2_000_000,
        "not tag:retired": 8_000_000,
    }
    assert {row["finished_at"] for row in found} == {"2022-02-25T19:15:34+08:00"}


def test_a_plan_for_nobody_says_so(campaign: Campaign, tmp_path: Path) -> None:
    """It is a warning: people may be imported later, also after the approval."""
    file = file_with(tmp_path, SMS_ONLY)
    found = planned(campaign, file).data
    words = "nobody is in the audience yet: sms reaches no one before `broadcaster audience import FILE`"
    assert ([row["recipients"] for row in found["added"]], found["warnings"]) == ([0], [words])
    campaign.cli.run("apply", file)
    approved = campaign.cli.run("approve", SLUG, "--revision", "1")
    assert (approved.code, f"warning: {words}\n" in approved.out) == (0, True)


def test_a_tag_that_nobody_has_is_warned_of_and_not_approved(campaign: Campaign, tmp_path: Path) -> None:
    """A slip of the pen would leave those people untold."""
    with campaign.database.begin() as connection:
        counted(connection, TEN_MILLION)
    slip = SMS_ONLY.replace("channels: [sms]", "channels: [sms], audience: 'tag:retierd and not tag:enterprise'")
    words = "nobody has the tag 'retierd', which policy.reminder[0].audience names"
    applied = campaign.cli.run("apply", file_with(tmp_path, slip))
    assert (applied.code, f"warning: {words}\n" in applied.out) == (0, True)
    refused(campaign.cli.run("approve", SLUG, "--revision", "1"), words)
    assert campaign.state() == "draft"


def test_a_channel_without_a_provider_is_warned_of(campaign: Campaign) -> None:
    """Before an approval refuses it."""
    assert "warning: the site has no provider for: banner, kiosk, wechat\n" in campaign.cli.run("plan", EXAMPLE).out


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        pytest.param(
            'audience: "tag:a tag:b", channels: [sms]',
            "policy.reminder[0].audience: column 7: expected `and`, `or` or the end, found 'tag:b'",
            id="no segment",
        ),
        pytest.param(
            'audience: "tag:a"',
            "policy.reminder[0].audience: an audience is of people, and these channels reach others: wechat,",
            id="no people",
        ),
        pytest.param('at: "10:00", finish_by: "12:00"', "policy.reminder[0]: `at` is when it begins", id="two times"),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused_with_its_place(
    campaign: Campaign, tmp_path: Path, rule: str, words: str
) -> None:
    """File, line and field."""
    file = file_with(tmp_path, f"policy:\n  reminder:\n    - {{days_before: [1], {rule}}}\n")
    line = len(file.read_text(encoding="utf-8").splitlines())
    refused(campaign.cli.run("check", file), f"{file}:{line} {words}")
