"""An operator at the command line: proposing, approving, concluding, importing; and what is refused, with a reason."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from broadcaster import clock
from broadcaster.channels.registry import CHANNELS
from broadcaster.operations import advance, conclude, revise
from broadcaster.planning.proposal import read
from broadcaster.storage import announcements, events
from broadcaster.storage.database import Database
from tests.support.cli import Cli, Ran
from tests.support.examples import EXAMPLE, REACH, SLUG, edited, example, local
from tests.support.serving import bound

PEOPLE = "phone,name,language,tags\n13800138000,甲,zh-Hans,retired\n+8613800138001,B,en,\n"
BAD_PEOPLE = (
    "phone,name,language,tags\n13800138000,甲,zh-Hans,\n".encode() + b"12345,B,zh-Hans,\n"
    b"13800138002\n"
    b"13800138003,\xc1\xf5,zh-Hans,\n"
    b"138 0013 8000,A again,zh-Hans,\n"
    b"13800138004,C,Chinese,\n"
    b"=cmd,D,en,\n"
    b"13800138005,E,en,\n"
)


class Campaign:
    """An announcement at the command line, and the campaign time of its commands."""

    def __init__(self, cli: Cli, database: Database) -> None:
        self.offset_file = cli.data / "clock-offset"
        self.cli = Cli(cli.data, {**cli.variables, "BROADCASTER_CLOCK_OFFSET_FILE": str(self.offset_file)})
        self.database = database
        self.at("2022-02-18 10:00")

    def at(self, instant: str) -> None:
        """Let it be `instant`, and let the clock do its part."""
        clock.move_to(local(instant), self.offset_file)
        with self.database.begin() as connection:
            advance.advance(connection, local(instant), REACH)

    def proposed(self) -> None:
        """Have the example as a draft."""
        with self.database.begin() as connection:
            revise.propose(connection, example(), "test", local("2022-02-18 10:00"))

    def approved(self) -> None:
        """Have the example approved."""
        self.proposed()
        with self.database.begin() as connection:
            revise.approve(connection, SLUG, 1, "test", local("2022-02-18 10:00"), REACH)

    def finished(self) -> None:
        """Have the example's outage begin, and end as planned."""
        self.approved()
        self.at("2022-03-21 00:10")
        with self.database.begin() as connection:
            conclude.finish(connection, SLUG, local("2022-03-21 00:00"), "test", local("2022-03-21 00:10"))

    def state(self) -> str:
        """The announcement's state."""
        with self.database.begin() as connection:
            standing = announcements.find(connection, SLUG)
        assert standing
        return str(standing.state)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.database.begin() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608 - ours


@pytest.fixture
def campaign(cli: Cli, database: Database) -> Campaign:
    """The example's file and a site that can reach every channel; nothing applied yet."""
    return Campaign(cli, database)


def refused(ran: Ran, words: str) -> None:
    """The command said why not, and exited with 1."""
    assert ran.code == 1
    assert words in ran.err
    assert "Traceback" not in ran.out + ran.err


def test_a_file_becomes_a_revision_and_a_plan(campaign: Campaign) -> None:
    """Applying stores it, approving makes its broadcasts rows."""
    assert campaign.cli.run("apply", EXAMPLE).code == 0
    assert campaign.cli.run("approve", SLUG, "--revision", "1").code == 0
    assert (campaign.state(), campaign.count("broadcasts")) == ("scheduled", 40)


def test_applying_alone_plans_nothing(campaign: Campaign) -> None:
    """A proposed revision is a draft that nobody hears of."""
    campaign.cli.run("apply", EXAMPLE)
    assert (campaign.state(), campaign.count("broadcasts")) == ("draft", 0)


def test_the_same_file_twice_is_nothing_to_do(campaign: Campaign) -> None:
    """Neither a second revision nor a broadcast more."""
    campaign.approved()
    ran = campaign.cli.run("apply", EXAMPLE)
    assert (ran.code, ran.out) == (0, "qingdao-2022: nothing to do\n")
    assert (campaign.count("revisions"), campaign.count("broadcasts")) == (1, 40)


def test_a_plan_of_the_same_file_is_nothing_to_do(campaign: Campaign) -> None:
    """`plan` compares with what stands."""
    campaign.approved()
    assert campaign.cli.run("plan", EXAMPLE).out == "qingdao-2022: nothing to do\n"


def test_a_plan_shows_the_facts_that_change(campaign: Campaign, tmp_path: Path) -> None:
    """An end three days later is a fact; it moves nothing before it is approved."""
    campaign.approved()
    later = edited(
        tmp_path / "later.yaml",
        ("end: 2022-03-20 24:00", "end: 2022-03-23 24:00"),
        ("resume: 2022-03-21 00:00", "resume: 2022-03-24 00:00"),
    )
    ran = campaign.cli.run("plan", later)
    assert "window.end: 2022-03-21T00:00:00+08:00 → 2022-03-24T00:00:00+08:00" in ran.out
    assert campaign.count("revisions") == 1


def test_approving_twice_is_refused(campaign: Campaign) -> None:
    """The second operator learns that it is done."""
    campaign.approved()
    refused(campaign.cli.run("approve", SLUG, "--revision", "1"), "revision 1 of qingdao-2022 is approved")
    assert campaign.count("broadcasts") == 40


def test_an_outage_that_is_over_cannot_be_approved(campaign: Campaign) -> None:
    """Nobody could be told in time; the operator is pointed to a rehearsal."""
    campaign.at("2022-03-21 00:00")
    campaign.proposed()
    ran = campaign.cli.run("approve", SLUG, "--revision", "1")
    refused(ran, "the planned end 2022-03-21 00:00 has passed")
    assert "broadcaster rehearse FILE" in ran.err


def test_a_revision_that_is_not_there_is_refused(campaign: Campaign) -> None:
    """The message names the newest."""
    campaign.approved()
    ran = campaign.cli.run("approve", SLUG, "--revision", "7")
    refused(ran, "qingdao-2022 has no revision 7")
    assert "the newest is 1" in ran.err


def test_a_channel_without_a_provider_is_refused(campaign: Campaign) -> None:
    """A site that cannot send SMS approves no policy that wants SMS."""
    (campaign.cli.data / "site.yaml").write_text("name: ours\n", encoding="utf-8")
    campaign.proposed()
    refused(
        campaign.cli.run("approve", SLUG, "--revision", "1"), "the site has no provider for: banner, kiosk, sms, wechat"
    )
    assert campaign.state() == "draft"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["approve", "nowhere", "--revision", "1"], id="approve"),
        pytest.param(["status", "nowhere"], id="status"),
        pytest.param(["finish", "nowhere"], id="finish"),
        pytest.param(["cancel", "nowhere"], id="cancel"),
    ],
)
def test_an_unknown_slug_is_answered_with_the_known_ones(campaign: Campaign, command: list[str]) -> None:
    """A slip of the pen is seen at once."""
    campaign.proposed()
    ran = campaign.cli.run(*command)
    refused(ran, "there is no announcement 'nowhere'")
    assert "known: qingdao-2022" in ran.err


def test_a_draft_cannot_be_finished(campaign: Campaign) -> None:
    """Nothing has begun."""
    campaign.proposed()
    ran = campaign.cli.run("finish", SLUG)
    refused(ran, "an announcement that is draft cannot finish")
    assert "possible now: approve, cancel" in ran.err


def test_an_outage_that_has_not_started_cannot_be_finished(campaign: Campaign) -> None:
    """Before the start there is nothing to restore."""
    campaign.approved()
    refused(campaign.cli.run("finish", SLUG), "an announcement that is scheduled cannot finish")


def test_nobody_says_in_advance_that_service_is_back(campaign: Campaign) -> None:
    """Completion is a fact, not a plan."""
    campaign.approved()
    campaign.at("2022-03-01 10:00")
    ran = campaign.cli.run("finish", SLUG, "--at", "2022-03-20 24:00")
    refused(ran, "2022-03-21 00:00 has not come yet")
    assert campaign.state() == "in_progress"


def test_service_was_not_back_before_it_stopped(campaign: Campaign) -> None:
    """A finish before the start is a slip of the pen."""
    campaign.approved()
    campaign.at("2022-03-01 10:00")
    refused(campaign.cli.run("finish", SLUG, "--at", "2022-02-25 10:00"), "is before the outage started")


def test_finishing_lets_restored_go_out(campaign: Campaign) -> None:
    """A person's word completes the announcement and plans `restored` on every channel."""
    campaign.approved()
    campaign.at("2022-03-21 00:10")
    ran = campaign.cli.run("finish", SLUG, "--at", "2022-03-20 24:00", "--json")
    assert campaign.state() == "completed"
    assert {row["phase"] for row in ran.data["added"]} == {"restored"}


def test_a_completed_announcement_cannot_be_cancelled(campaign: Campaign) -> None:
    """What is over cannot be called off."""
    campaign.finished()
    refused(campaign.cli.run("cancel", SLUG), "an announcement that is completed cannot cancel")


def test_a_completed_announcement_takes_no_revision(campaign: Campaign, tmp_path: Path) -> None:
    """A new outage gets a new slug."""
    campaign.finished()
    changed = edited(tmp_path / "changed.yaml", ("severity: major", "severity: minor"))
    refused(campaign.cli.run("apply", changed), "is completed and takes no new revision")


def test_a_time_that_is_none_is_refused(campaign: Campaign) -> None:
    """With an example of one that is."""
    campaign.approved()
    campaign.at("2022-03-01 10:00")
    refused(campaign.cli.run("finish", SLUG, "--at", "yesterday"), "such as 2022-02-26 00:00")


def test_cancelling_revokes_the_plan(campaign: Campaign) -> None:
    """Nobody was told yet, so nobody needs to hear of it."""
    campaign.approved()
    ran = campaign.cli.run("cancel", SLUG, "--reason", "put off", "--json")
    assert campaign.state() == "cancelled"
    assert {row["state"] for row in ran.data["added"]} == {"skipped"}
    assert len(ran.data["revoked"]) == 40


def test_every_deed_is_in_the_event_log(campaign: Campaign) -> None:
    """Who did what when, with the reason that was given."""
    campaign.cli.run("apply", EXAMPLE)
    campaign.cli.run("approve", SLUG, "--revision", "1")
    campaign.cli.run("cancel", SLUG, "--reason", "put off")
    with campaign.database.begin() as connection:
        found = events.history(connection, SLUG)
    assert [row.verb for row in found] == ["propose", "approve", "cancel"]
    assert all(row.actor for row in found)
    assert found[-1].details == {"reason": "put off"}


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["plan", EXAMPLE, "--json"], id="plan"),
        pytest.param(["apply", EXAMPLE, "--json"], id="apply"),
        pytest.param(["approve", SLUG, "--revision", "2", "--json"], id="approve"),
        pytest.param(["status", SLUG, "--json"], id="status"),
        pytest.param(["doctor", "--json"], id="doctor"),
    ],
)
def test_json_is_one_document(campaign: Campaign, tmp_path: Path, command: list[str | Path]) -> None:
    """Programs read standard output and nothing else."""
    campaign.approved()
    second = read(edited(tmp_path / "second.yaml", ("severity: major", "severity: minor")), CHANNELS)
    with campaign.database.begin() as connection:
        revise.propose(connection, second, "test", local("2022-02-18 11:00"))
    ran = campaign.cli.run(*command)
    assert ran.code == 0
    assert isinstance(ran.data, (dict, list))


def people(tmp_path: Path, content: bytes) -> Path:
    """A file of people."""
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    return file


def test_people_are_imported(campaign: Campaign, tmp_path: Path) -> None:
    """Each counted as added, changed, removed or unchanged, and the version that this made."""
    file = people(tmp_path, PEOPLE.encode())
    first = "2 added, 0 changed, 0 removed, 0 unchanged, 0 merged, 0 rejected; version 1 has 2 people\n"
    assert campaign.cli.run("audience", "import", file).out == first
    people(tmp_path, PEOPLE.replace("甲", "乙").encode())
    second = "0 added, 1 changed, 0 removed, 1 unchanged, 0 merged, 0 rejected; version 2 has 2 people\n"
    assert campaign.cli.run("audience", "import", file).out == second
    assert not (tmp_path / "people.rejects.csv").exists()


def test_bad_rows_are_left_out_and_counted_by_reason(campaign: Campaign, tmp_path: Path) -> None:
    """The good rows are in, and each reason has its number."""
    ran = campaign.cli.run("audience", "import", people(tmp_path, BAD_PEOPLE), "--json")
    assert (ran.code, ran.data["added"], ran.data["merged"], ran.data["rejected"]) == (0, 2, 1, 5)
    assert ran.data["reasons"] == {
        "not a valid phone number": 1,
        "N columns, but the header has N": 1,
        "not UTF-8 text": 1,
        "the language is not a BCP 47 tag such as zh-Hans or en": 1,
        "not a phone number": 1,
    }
    assert campaign.count("recipients") == 2


def test_the_rejects_file_has_line_and_reason(campaign: Campaign, tmp_path: Path) -> None:
    """It is its owner's alone, and no spreadsheet runs what stands in it."""
    campaign.cli.run("audience", "import", people(tmp_path, BAD_PEOPLE))
    file = tmp_path / "people.rejects.csv"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "3", "4", "5", "7", "8"]
    assert "not UTF-8 text" in lines[3]
    assert "'=cmd" in lines[5]


def test_strict_fails_when_a_row_was_rejected(campaign: Campaign, tmp_path: Path) -> None:
    """For scripts that must not go on then; the good rows are in all the same."""
    assert campaign.cli.run("audience", "import", people(tmp_path, BAD_PEOPLE), "--strict").code == 1
    assert campaign.cli.run("audience", "import", people(tmp_path, PEOPLE.encode()), "--strict").code == 0


def test_a_file_that_would_remove_most_people_is_refused(campaign: Campaign, tmp_path: Path) -> None:
    """Unless the operator says which of the two things they mean."""
    campaign.cli.run("audience", "import", people(tmp_path, PEOPLE.encode()))
    file = people(tmp_path, b"phone\n13900000000\n")
    refused(campaign.cli.run("audience", "import", file), "2 of the 2 in the audience are not in it")
    refused(campaign.cli.run("audience", "import", file, "--add", "--replace"), "exclude each other")
    assert "version 2 has 3 people" in campaign.cli.run("audience", "import", file, "--add").out
    assert "2 removed" in campaign.cli.run("audience", "import", file, "--replace").out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"name,language\nA,en\n", "people.csv:1: the column `phone` is missing", id="no phone column"),
        pytest.param(b"", "people.csv:1: the column `phone` is missing", id="empty"),
        pytest.param(b'phone\n"' + b"1" * 200_000, "people.csv:2", id="a field without an end"),
        pytest.param(b"phone\n", "there is nobody in it", id="only a header"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is not a text file", id="a picture"),
        pytest.param(b"PK\x03\x04" + b"\xff" * 500, "not an XLSX file", id="broken XLSX"),
    ],
)
def test_a_file_that_is_no_audience_is_refused(campaign: Campaign, tmp_path: Path, content: bytes, words: str) -> None:
    """Nothing of it is imported."""
    ran = campaign.cli.run("audience", "import", people(tmp_path, content))
    refused(ran, words)
    assert "unexpected" not in ran.err
    assert campaign.count("recipients") == 0


def test_a_missing_audience_is_named(campaign: Campaign, tmp_path: Path) -> None:
    """Before anything else is done."""
    refused(campaign.cli.run("audience", "import", tmp_path / "nobody.csv"), "nobody.csv: there is no such file")
    refused(campaign.cli.run("audience", "import", tmp_path), "this is a folder, not a file")


def closed_port() -> int:
    """A port that nobody answers at."""
    with bound() as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("command", [["status", SLUG], ["apply", EXAMPLE], ["migrate"]])
def test_an_unreachable_postgres_is_named_without_its_password(cli: Cli, command: list[str | Path]) -> None:
    """The address, what to look at, and no traceback."""
    port = closed_port()
    ran = cli.run(*command, DATABASE_URL=f"postgresql://clerk:hunter2@127.0.0.1:{port}/plan")
    refused(ran, f"Postgres at 127.0.0.1:{port} does not answer")
    assert "hint: is it running, and is DATABASE_URL right?" in ran.err
    assert "hunter2" not in ran.out + ran.err


def test_doctor_finds_an_unreachable_broker(cli: Cli) -> None:
    """It says which part does not answer and exits with 1; the parts that do are still told."""
    port = closed_port()
    ran = cli.run("doctor", REDIS_URL=f"redis://:hunter2@127.0.0.1:{port}/0")
    assert (ran.code, "Traceback" in ran.err) == (1, False)
    assert f"127.0.0.1:{port}" in ran.out
    assert "is REDIS_URL right?" in ran.out
    assert "tables up to date" in ran.out
    assert "hunter2" not in ran.out + ran.err


def test_status_keeps_planned_revised_and_actual_times_apart(campaign: Campaign, tmp_path: Path) -> None:
    """Extended before the end, and finished early: nothing of it is forgotten."""
    campaign.approved()
    campaign.at("2022-03-20 15:00")
    later = edited(
        tmp_path / "later.yaml",
        ("end: 2022-03-20 24:00", "end: 2022-03-24 24:00"),
        ("resume: 2022-03-21 00:00", "resume: 2022-03-25 00:00"),
    )
    with campaign.database.begin() as connection:
        now = local("2022-03-20 15:00")
        number = revise.propose(connection, read(later, CHANNELS), "test", now)
        assert number == 2
        revise.approve(connection, SLUG, number, "test", now, REACH)
    campaign.at("2022-03-22 18:00")
    with campaign.database.begin() as connection:
        conclude.finish(connection, SLUG, local("2022-03-22 18:00"), "test", local("2022-03-22 18:00"))
    started, planned_end = "2022-02-26T00:00:00+08:00", "2022-03-21T00:00:00+08:00"
    revised = {"revision": 2, "approved_at": "2022-03-20T15:00:00+08:00", "start": started}
    assert campaign.cli.run("status", SLUG, "--json").data["times"] == {
        "planned": {"start": started, "end": planned_end},
        "revised": [revised | {"end": "2022-03-25T00:00:00+08:00"}],
        "actual": {"start": started, "end": "2022-03-22T18:00:00+08:00", "cancelled": None},
    }
    shown = campaign.cli.run("status", SLUG).out
    assert "planned  2022-02-26 00:00 – 2022-03-21 00:00" in shown
    assert "revised  2022-02-26 00:00 – 2022-03-25 00:00 · revision 2, approved 2022-03-20 15:00" in shown
    assert "actual   2022-02-26 00:00 – 2022-03-22 18:00" in shown


def test_doctor_looks_at_operators(cli: Cli) -> None:
    """One whose secret is not there cannot be asked; a site without any is worth knowing."""
    assert "duty-desk: http://127.0.0.1:9/operators/duty-desk" in cli.run("doctor").out
    (cli.data / "secrets/operators-duty-desk").unlink()
    ran = cli.run("doctor", "--json")
    [wrong] = [row for row in ran.data if row["ok"] is False]
    assert (ran.code, wrong["what"]) == (1, "operator")
    assert "operators-duty-desk: the secret cannot be read" in wrong["says"]
    site = cli.data / "site.yaml"
    site.write_text("name: bare\n", encoding="utf-8")
    assert "none; nobody is asked whether a planned end holds" in cli.run("doctor").out


def test_doctor_finds_an_unreachable_postgres(cli: Cli) -> None:
    """The same for the database."""
    port = closed_port()
    ran = cli.run("doctor", DATABASE_URL=f"postgresql://clerk:hunter2@127.0.0.1:{port}/plan")
    assert (ran.code, "Traceback" in ran.err) == (1, False)
    assert f"Postgres at 127.0.0.1:{port} does not answer" in ran.out
    assert "hunter2" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("not an address", "DATABASE_URL is not a database address", id="no address"),
        pytest.param("sqlite:///x.db", "DATABASE_URL names sqlite, but only Postgres will do", id="another database"),
    ],
)
def test_an_address_of_another_kind_is_refused(cli: Cli, url: str, words: str) -> None:
    """With the form that is expected."""
    refused(cli.run("migrate", DATABASE_URL=url), words)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["check"], id="a missing argument"),
        pytest.param(["approve", SLUG], id="a missing option"),
        pytest.param(["approve", SLUG, "--revision", "one"], id="no number"),
        pytest.param(["check", EXAMPLE, "--loud"], id="an unknown option"),
        pytest.param(["chekc", EXAMPLE], id="an unknown command"),
        pytest.param(["rehearse", EXAMPLE, "--recipients", "-1"], id="a number out of range"),
    ],
)
def test_wrong_usage_exits_with_two(bare_cli: Cli, arguments: list[str | Path]) -> None:
    """As every command line does; nothing was begun."""
    ran = bare_cli.run(*arguments)
    assert ran.code == 2
    assert "Usage:" in ran.err
    assert not bare_cli.data.exists()


INTERRUPTED_LIBRARY = """
from broadcaster.cli.failures import explained
from broadcaster.errors import UnreachableError
def command():
    try:
        try:
            raise KeyboardInterrupt
        finally:
            raise ValueError("interrupted in the middle")
    except ValueError as error:
        raise UnreachableError("Postgres does not answer") from error
explained(command)
"""


def test_an_interrupt_is_one_also_when_a_library_hides_it() -> None:
    """A driver that is interrupted in a query complains of something else; the operator still reads `stopped`."""
    ran = subprocess.run([sys.executable, "-c", INTERRUPTED_LIBRARY], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (130, "stopped\n")


COMMANDS = [
    [], ["check"], ["render"], ["plan"], ["apply"], ["approve"], ["status"], ["report"], ["finish"], ["cancel"],
    ["pause"], ["halt"], ["resume"], ["audience"], ["audience", "import"], ["rehearse"], ["up"], ["doctor"],
    ["migrate"], ["audience", "versions"], ["audience", "count"], ["audience", "suppress"], ["audience", "unsuppress"],
    ["audience", "suppressions"], ["keys"], ["keys", "show"], ["keys", "rotate"], ["keys", "reseal"], ["keys", "drop"],
    ["keys", "reindex"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "broadcaster")
def test_every_command_explains_itself_with_an_example(bare_cli: Cli, command: list[str]) -> None:
    """`--help` shows a line that can be copied, or the commands there are."""
    ran = bare_cli.run(*command, "--help")
    assert ran.code == 0
    assert "Example" in ran.out or "Commands" in ran.out
