"""An operator asks: who is in a segment, and what one person was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.storage.database import Database
from tests.acceptance.test_operating import PEOPLE, Campaign
from tests.support.cli import Cli
from tests.support.examples import SLUG


@pytest.fixture
def peopled(cli: Cli, tmp_path: Path) -> Cli:
    """A site whose audience is two people."""
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE, encoding="utf-8")
    assert cli.run("audience", "import", file).code == 0
    return cli


def test_the_people_of_a_segment_are_counted(peopled: Cli) -> None:
    """In words, and as data."""
    assert peopled.run("audience", "count", "tag:retired and not language:en").out == "1 person\n"
    assert peopled.run("audience", "count", "--json").data == {"segment": "everyone", "people": 2}


def test_a_segment_that_cannot_be_read_is_explained(peopled: Cli) -> None:
    """With the column, and what was expected there."""
    ran = peopled.run("audience", "count", "tag:retired tag:vip")
    assert (ran.code, ran.out) == (1, "")
    assert "column 13: expected `and`, `or` or the end" in ran.err


def test_a_tag_that_nobody_has_is_an_error(peopled: Cli) -> None:
    """A slip of the pen must not count as an empty segment."""
    ran = peopled.run("audience", "count", "tag:retierd")
    assert ran.code == 1
    assert "nobody has the tag 'retierd'" in ran.err


def test_a_person_who_was_told_nothing_has_an_empty_ledger(peopled: Cli) -> None:
    """The number is shown masked."""
    ran = peopled.run("ledger", "--phone", "13800138000")
    assert (ran.code, "13800138000" in ran.out) == (0, False)
    assert "+86138****8000, 0 messages" in ran.out


@pytest.mark.parametrize(
    ("phone", "says"),
    [("12", "not a valid phone number"), ("13911112222", "nobody in the audience has the number +86139****2222")],
)
def test_a_number_that_is_not_there_is_explained(peopled: Cli, phone: str, says: str) -> None:
    """Whether it is no number, or nobody's; never with the number in full."""
    ran = peopled.run("ledger", "--phone", phone)
    assert ran.code == 1
    assert says in ran.err
    assert "Traceback" not in ran.err


@pytest.fixture
def campaign(cli: Cli, database: Database) -> Campaign:
    """The example's file and a site that can reach every channel; nothing applied yet."""
    return Campaign(cli, database)


def test_a_paused_announcement_says_so_until_it_is_resumed(campaign: Campaign) -> None:
    """Pausing twice, or resuming what is not paused, is explained."""
    campaign.approved()
    assert campaign.cli.run("pause", SLUG).code == 0
    assert campaign.cli.run("status", SLUG, "--json").data["announcement"]["paused"] is True
    assert "held back already" in campaign.cli.run("pause", SLUG).err
    assert campaign.cli.run("resume", SLUG).code == 0
    assert "not paused" in campaign.cli.run("resume", SLUG).err
