"""Contradictions: a file or template that tells another time or number than the facts is refused with both places."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.storage import announcements
from broadcaster.storage.database import Database
from tests.acceptance.test_operating import Campaign, refused
from tests.support.cli import Cli
from tests.support.examples import EXAMPLE, SLUG, Edit, edited, line_of

BEFORE = "      zh-Hans: 急需办理的业务，请在暂停前办完。\n"
BEFORE_EN = "      en: Please finish urgent business before the suspension begins.\n"

CONTRADICTIONS = [
    pytest.param(
        (BEFORE, "      zh-Hans: 请在2月26日24时前办完。\n"),
        "advice[0].text.zh-Hans: “2月26日24时” is no time of the announcement",
        "window.start",
        id="24:00 of the wrong day",
    ),
    pytest.param(
        (BEFORE, "      zh-Hans: 请在2022年2月25日（星期四）24时前办完。\n"),
        "advice[0].text.zh-Hans: “2022年2月25日（星期四）24时”: that day is a Friday, not a Thursday",
        "window.start",
        id="wrong weekday",
    ),
    pytest.param(
        (BEFORE_EN, "      en: Please call 12345 before the suspension begins.\n"),
        "advice[0].text.en: “12345” is no number of the contacts",
        "contacts[0].value",
        id="a number that is not in the contacts",
    ),
    pytest.param(
        (BEFORE_EN, "      en: Please finish by 24:00 on 25 February.\n"),
        "advice[0].text.zh-Hans: lacks “24:00 on 25 February”, which en tells",
        "advice[0].text.en",
        id="a language that lacks a time",
    ),
]
NAMING_THE_START: list[Edit] = [
    (BEFORE, "      zh-Hans: 请在2月26日0时前办完。\n"),
    (BEFORE_EN, "      en: Please finish by 00:00 on 26 February.\n"),
]
REINSTATED = "- {at: 2022-02-21 10:00, do: reinstate, start: 2022-03-01 00:00, until: 2022-03-20 24:00}\n"


@pytest.mark.parametrize(("edit", "says", "against"), CONTRADICTIONS)
def test_check_refuses_a_text_that_contradicts_the_facts(
    bare_cli: Cli, tmp_path: Path, edit: Edit, says: str, against: str
) -> None:
    """With the line of the text, and behind it the line of the fact."""
    file = edited(tmp_path / "outage.yaml", edit)
    ran = bare_cli.run("check", file)
    assert (ran.code, ran.out) == (1, "")
    (error,) = [line for line in ran.err.splitlines() if says in line]
    assert error.startswith(f"error: {file}:")
    assert f": {file}:" in error
    assert f" {against}" in error.partition(says)[2]


def test_a_contradicting_file_is_not_stored(cli: Cli, database: Database, tmp_path: Path) -> None:
    """`apply` and `check --json` say the same as `check`, and nothing else."""
    file = edited(tmp_path / "outage.yaml", (BEFORE, "      zh-Hans: 请在2月26日24时前办完。\n"))
    line = line_of(file, "2月26日24时")
    for ran in (cli.run("check", file, "--json"), cli.run("apply", file)):
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f"error: {file}:{line} advice[0].text.zh-Hans: “2月26日24时” is no time of the")
    with database.begin() as connection:
        assert list(announcements.all_standing(connection)) == []


def test_render_refuses_a_template_that_contradicts_the_facts(bare_cli: Cli, tmp_path: Path) -> None:
    """A date left over from another outage: the line of the template, and the line of the window it contradicts."""
    template = tmp_path / "templates/sms/_call.zh-Hans.txt.j2"
    template.parent.mkdir(parents=True)
    template.write_text("咨询电话：{{ hotline }}。\n停机至3月21日24时。\n", encoding="utf-8")
    out = tmp_path / "out"
    ran = bare_cli.run("render", EXAMPLE, "--out", out, "--templates", template.parents[1], "--language", "zh-Hans")
    assert ran.code == 1
    assert ran.err.startswith(f"error: {template}:2: “3月21日24时” is no time of the announcement; ")
    assert f"{EXAMPLE}:{line_of(EXAMPLE, 'window:')} window.end" in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not out.exists()


def test_a_rehearsal_of_a_contradiction_is_refused(data: Path, tmp_path: Path) -> None:
    """Before anything is played: nobody could propose it either."""
    file = edited(tmp_path / "outage.yaml", (BEFORE, "      zh-Hans: 请在2月26日24时前办完。\n"))
    ran = Cli(data).run("rehearse", file, "--data", data, "--recipients", "10")
    assert ran.code == 1
    assert f"error: {file}:{line_of(file, '2月26日24时')} advice[0].text.zh-Hans: “2月26日24时” is no time" in ran.err
    assert not (data / "report.json").exists()


def test_an_act_that_would_make_a_contradiction_is_refused_before_the_rehearsal(data: Path, tmp_path: Path) -> None:
    """A text that names the start is true of the file, and not of what the script makes of it."""
    file = edited(tmp_path / "outage.yaml", *NAMING_THE_START)
    script = tmp_path / "script.yaml"
    script.write_text("- {at: 2022-02-20 10:00, do: cancel}\n" + REINSTATED, encoding="utf-8")
    ran = Cli(data).run("rehearse", file, "--script", script, "--data", data, "--recipients", "10")
    assert ran.code == 1
    assert "“2月26日0时” is no time of the announcement" in ran.err
    assert not (data / "report.json").exists()


def test_what_is_reinstated_is_read_back_too(cli: Cli, database: Database, tmp_path: Path) -> None:
    """Bare it agrees, with another start it does not: then it stays cancelled."""
    campaign = Campaign(cli, database)
    file = edited(tmp_path / "outage.yaml", *NAMING_THE_START)
    assert campaign.cli.run("apply", file).code == 0
    assert campaign.cli.run("approve", SLUG, "--revision", "1").code == 0
    assert campaign.cli.run("cancel", SLUG).code == 0
    times = ("--start", "2022-03-01 00:00", "--until", "2022-03-20 24:00")
    refused(campaign.cli.run("reinstate", SLUG, *times), "“2月26日0时” is no time of the announcement")
    assert campaign.state() == "cancelled"
    assert campaign.cli.run("reinstate", SLUG).code == 0
    assert campaign.state() == "scheduled"
