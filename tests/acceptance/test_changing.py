"""Changing what people were told, at the command line: the plan first, then exactly that; and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from broadcaster.operations import advance, conclude, revise
from tests.support.cli import Cli
from tests.support.examples import EXAMPLE, SLUG, edited, example, local
from tests.support.product import ACTOR, Product

LATER = ("end: 2022-03-20 24:00}\nresume: 2022-03-21 00:00", "end: 2022-03-24 24:00}\nresume: 2022-03-25 00:00")
MARK = re.compile(r"^plan ([0-9a-f]{12})", re.MULTILINE)


@pytest.fixture
def told(product: Product) -> Product:
    """The example, its notice accepted by 300 people; it is a day later."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    for channel in ("sms", "wechat", "kiosk", "banner"):
        product.deliver_all(product.open(channel))
    product.at(local("2022-02-19 10:00"))
    return product


@pytest.fixture
def operator(told: Product) -> Cli:
    """The command line beside it, at its campaign time."""
    settings = told.parts.settings
    variables = {
        "DATABASE_URL": str(settings.database_url),
        "REDIS_URL": str(settings.redis_url),
        "BROADCASTER_CLOCK_OFFSET_FILE": str(told.offset_file),
    }
    return Cli(settings.data, variables)


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The example with an end four days later."""
    return edited(tmp_path / "later.yaml", LATER)


def test_a_plan_says_who_would_be_corrected(operator: Cli, later: Path) -> None:
    """How many on each channel, in how many segments, and which posts and surfaces."""
    found = operator.run("plan", later)
    assert "window.end: 2022-03-21T00:00:00+08:00 → 2022-03-25T00:00:00+08:00" in found.out
    assert "sms: 300 hold what is no longer true; segments: 2 in zh-Hans, 4 in en, 1,200 at the most" in found.out
    assert "wechat: the posts of 3 accounts get a successor" in found.out
    assert "kiosk: published anew at once; 3 endpoints are told to fetch it" in found.out
    assert "sent already, and not changed: 4 broadcasts (banner, kiosk, sms, wechat)" in found.out


def test_the_same_plan_reads_the_same(operator: Cli, later: Path) -> None:
    """Twice in a row, for those who compare."""
    assert operator.run("plan", later).out == operator.run("plan", later).out


@pytest.mark.parametrize(("changed", "code"), [(False, 0), (True, 3)])
def test_the_exit_code_says_whether_there_is_something_to_do(
    operator: Cli, later: Path, changed: bool, code: int
) -> None:
    """Only where it is asked for."""
    file = later if changed else EXAMPLE
    assert operator.run("plan", file, "--detailed-exitcode").code == code
    assert operator.run("plan", file).code == 0


def test_exactly_what_was_shown_is_carried_out(operator: Cli, told: Product, later: Path) -> None:
    """By its mark; then there is nothing left to do."""
    mark = MARK.findall(operator.run("plan", later).out)[0]
    found = operator.run("apply", later, "--plan", mark)
    assert (found.code, "revision 2 is approved" in found.out) == (0, True)
    assert operator.run("plan", later).out == f"{SLUG}: nothing to do\n"
    with told.transaction() as connection:
        assert revise.required(connection, SLUG).approved_revision == 2


def test_a_plan_file_is_a_plan_with_its_mark(operator: Cli, later: Path, tmp_path: Path) -> None:
    """It holds the file as it was then."""
    operator.run("plan", later, "--out", tmp_path / "plan.json")
    later.unlink()
    found = operator.run("apply", tmp_path / "plan.json")
    assert (found.code, "revision 2 is approved" in found.out) == (0, True)


def test_a_plan_of_another_world_is_refused(operator: Cli, later: Path) -> None:
    """Somebody extended it in between."""
    mark = MARK.findall(operator.run("plan", later).out)[0]
    assert operator.run("extend", SLUG, "--until", "2022-03-22 24:00").code == 0
    found = operator.run("apply", later, "--plan", mark)
    assert (found.code, found.out) == (1, "")
    assert f"the plan {mark} is not what would be done now: something has changed since it was shown" in found.err
    assert "revision 3" not in operator.run("status", SLUG).out


def test_an_extension_shows_its_plan_first(operator: Cli) -> None:
    """`--dry-run` changes nothing, and names the command that does exactly that."""
    shown = operator.run("extend", SLUG, "--until", "2022-03-24 24:00", "--dry-run")
    mark = MARK.findall(shown.out)[0]
    assert f'broadcaster extend {SLUG} --until "2022-03-24 24:00" --plan {mark}' in shown.out
    found = operator.run("extend", SLUG, "--until", "2022-03-24 24:00", "--plan", mark)
    assert f"{SLUG}: revision 2 is approved, until 2022-03-24 24:00" in found.out


def test_a_revision_is_shown_as_a_file_that_is_applied(operator: Cli, tmp_path: Path) -> None:
    """After an extension, the file in version control is brought up to date with it."""
    operator.run("extend", SLUG, "--until", "2022-03-24 24:00")
    file = tmp_path / "shown.yaml"
    file.write_text(operator.run("show", SLUG).out, encoding="utf-8")
    assert operator.run("plan", file).out == f"{SLUG}: nothing to do\n"


def test_whoever_comes_second_is_told(operator: Cli, told: Product, later: Path, tmp_path: Path) -> None:
    """Two operators proposed from the same revision; the second approval needs to be insisted on."""
    other = edited(tmp_path / "other.yaml", (LATER[0], LATER[1].replace("03-24", "03-22").replace("03-25", "03-23")))
    operator.run("apply", later)
    operator.run("apply", other)
    with told.transaction() as connection:
        revise.approve(connection, SLUG, 2, ACTOR, local("2022-02-19 10:00"), told.parts.reach)
    found = operator.run("approve", SLUG, "--revision", "3")
    assert found.code == 1
    assert "revision 3 was made from revision 1; meanwhile revision 2 was approved" in found.err
    assert operator.run("approve", SLUG, "--revision", "3", "--despite-newer").code == 0


def test_a_language_in_which_people_were_told_is_not_dropped_by_mistake(operator: Cli, tmp_path: Path) -> None:
    """It has to be insisted on."""
    file = edited(tmp_path / "chinese.yaml", ("languages: [zh-Hans, en]", "languages: [zh-Hans]"))
    operator.run("apply", file)
    found = operator.run("approve", SLUG, "--revision", "2")
    assert (found.code, "people were told of qingdao-2022 in en" in found.err) == (1, True)
    assert operator.run("approve", SLUG, "--revision", "2", "--drop-languages").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("extend", SLUG, "--until", "2022-02-18 00:00"), "the end 2022-02-18 00:00 is not after the start"),
        (("extend", SLUG, "--until", "soon"), "--until: 'soon' is not a time"),
        (("extend", SLUG, "--until", "2022-03-20 24:00"), "stands like that already"),
        (("extend", "nobody", "--until", "2022-03-24 24:00"), "there is no announcement 'nobody'"),
        (("reschedule", SLUG, "--start", "2022-03-05 00:00", "--until", "2022-03-04 00:00"), "is not after the start"),
        (("reinstate", SLUG), "an announcement that is scheduled cannot reinstate"),
        (("finish", SLUG, "--at", "2022-02-19 09:00"), "an announcement that is scheduled cannot finish"),
        (("show", SLUG, "--revision", "9"), "qingdao-2022 has no revision 9"),
        (("apply", EXAMPLE, "--plan", "000000000000"), "is not what would be done now"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused(operator: Cli, arguments: tuple[str | Path, ...], said: str) -> None:
    """With the reason, and nothing is changed."""
    before = operator.run("status", SLUG, "--json").data["broadcasts"]
    found = operator.run(*arguments)
    assert (found.code, found.out, said in found.err) == (1, "", True), found.err
    assert operator.run("status", SLUG, "--json").data["broadcasts"] == before


def test_an_extension_into_the_past_is_refused(operator: Cli, told: Product) -> None:
    """In the middle of the outage."""
    told.at(local("2022-03-10 10:00"))
    with told.transaction() as connection:
        advance.advance(connection, local("2022-03-10 10:00"), told.parts.reach)
    found = operator.run("extend", SLUG, "--until", "2022-03-09 24:00")
    assert (found.code, "the planned end 2022-03-10 00:00 has passed" in found.err) == (1, True)


def test_what_is_completed_does_not_change(operator: Cli, told: Product) -> None:
    """Nor what is called off, but by reinstating it."""
    told.at(local("2022-03-10 10:00"))
    with told.transaction() as connection:
        advance.advance(connection, local("2022-03-10 10:00"), told.parts.reach)
        conclude.finish(connection, SLUG, local("2022-03-10 09:00"), ACTOR, local("2022-03-10 10:00"))
    found = operator.run("extend", SLUG, "--until", "2022-03-24 24:00")
    assert (found.code, "qingdao-2022 is completed and takes no new revision" in found.err) == (1, True)


def test_a_plan_file_that_is_none_is_refused(operator: Cli, tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "plan.json").write_text('{"plan": "0", "proposal": {"slug": 7}}', encoding="utf-8")
    found = operator.run("apply", tmp_path / "plan.json")
    assert (found.code, "this plan cannot be read" in found.err, "plan FILE --out PLAN" in found.err) == (1, True, True)


def test_a_draft_is_changed_by_its_file(cli: Cli, tmp_path: Path) -> None:
    """Nothing of it is approved: there is nothing to extend."""
    assert cli.run("apply", EXAMPLE).code == 0
    found = cli.run("extend", SLUG, "--until", "2022-03-24 24:00")
    assert (found.code, "nothing of qingdao-2022 is approved yet" in found.err) == (1, True)
    assert example().announcement.slug == SLUG
