"""An operator looks after the audience and its keys: versions, people who opted out, keys that change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broadcaster.storage.database import Database
from tests.acceptance.test_operating import PEOPLE, refused
from tests.support.cli import Cli

PHONE, SHOWN = "13800138000", "+86138****8000"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of two people."""
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="utf-8")
    return path


@pytest.fixture
def peopled(cli: Cli, file: Path) -> Cli:
    """A site whose audience is two people."""
    assert cli.run("audience", "import", file).code == 0
    return cli


def test_versions_are_listed(cli: Cli, file: Path) -> None:
    """With their file, and what each changed."""
    assert cli.run("audience", "versions").out == "nobody was imported yet\n"
    cli.run("audience", "import", file)
    file.write_text("\n".join(PEOPLE.splitlines()[:2]), encoding="utf-8")
    cli.run("audience", "import", file)
    counts = [{name: row[name] for name in COUNTS} for row in cli.run("audience", "versions", "--json").data]
    assert counts == [
        {"number": 1, "source": "people.csv", "recipients": 2, "added": 2, "changed": 0, "removed": 0},
        {"number": 2, "source": "people.csv", "recipients": 1, "added": 0, "changed": 0, "removed": 1},
    ]
    assert cli.run("audience", "versions").out.count("people.csv") == 2


COUNTS = ("number", "source", "recipients", "added", "changed", "removed")


def test_a_disk_that_is_full_is_said(cli: Cli, file: Path, database: Database) -> None:
    """In the words of Postgres, and that nothing was changed."""
    with database.begin() as connection:
        connection.exec_driver_sql(FULL_DISK)
    refused(cli.run("audience", "import", file), "did not take it: could not extend file: No space left on device")
    with database.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM recipients").scalar() == 0


FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk AFTER INSERT ON recipients FOR EACH STATEMENT EXECUTE FUNCTION full_disk()
"""


def test_a_person_is_suppressed_and_lifted(peopled: Cli) -> None:
    """Shown masked, counted without anybody's number."""
    assert peopled.run("audience", "suppressions").out == "nobody is suppressed\n"
    ran = peopled.run("audience", "suppress", PHONE, "--channel", "sms", "--reason", "asked for it")
    assert ran.out == f"{SHOWN}: nothing more is sent on sms\n"
    assert peopled.run("audience", "suppress", PHONE, "--channel", "sms").out == f"{SHOWN}: suppressed already\n"
    assert peopled.run("audience", "suppressions", "--json").data == [
        {"channel": "sms", "reason": "asked for it", "people": 1}
    ]
    assert peopled.run("audience", "unsuppress", PHONE).out == f"{SHOWN}: may be written to again on sms\n"
    refused(peopled.run("audience", "unsuppress", PHONE), f"{SHOWN} is not suppressed")


def test_a_list_of_people_is_suppressed(peopled: Cli, tmp_path: Path) -> None:
    """From a file of any format that an import takes."""
    path = tmp_path / "opted-out.csv"
    path.write_bytes("phone,reason\n13800138000,搬家\n13900139000,\nnobody,\n".encode("gb18030"))
    ran = peopled.run("audience", "suppress", "--file", path, "--json")
    assert (ran.data["new"], ran.data["known"], ran.data["rejected"]) == (2, 0, 1)
    listed = {(row["reason"], row["people"]) for row in peopled.run("audience", "suppressions", "--json").data}
    assert listed == {("搬家", 1), ("", 1)}
    assert PHONE not in peopled.run("audience", "suppressions").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param([], "give one number or openid, or --file FILE with many", id="neither"),
        pytest.param([PHONE, "--file", "list.csv"], "give one number or openid, or --file FILE with many", id="both"),
        pytest.param(["12"], "not a valid phone number", id="no number"),
        pytest.param([PHONE, "--channel", "fax"], "'fax' reaches no people", id="no channel"),
        pytest.param([PHONE, "--reason", "call 13800138000"], "the reason holds a number", id="a telling reason"),
        pytest.param(["--file", "nowhere.csv"], "nowhere.csv: there is no such file", id="no file"),
    ],
)
def test_what_cannot_be_suppressed_is_explained(cli: Cli, arguments: list[str], words: str) -> None:
    """Before anything is done."""
    refused(cli.run("audience", "suppress", *arguments), words)


def test_keys_are_rotated_and_the_old_one_dropped(peopled: Cli, file: Path) -> None:
    """From one key to the next, without anybody being lost or any key being shown."""
    before = json.loads((peopled.data / "keys.json").read_text(encoding="ascii"))
    said = [peopled.run("keys", "rotate").out, peopled.run("keys", "show").out]
    assert "key 2 seals from now on" in said[0]
    assert "restart" in said[0]
    refused(peopled.run("keys", "drop", "1"), "rows need key 1")
    said += [peopled.run("keys", "reseal").out, peopled.run("keys", "drop", "1").out]
    assert "key 1 is no longer needed: `broadcaster keys drop 1`" in said[2]
    assert "key 1 is gone" in said[3]
    sealing = peopled.run("keys", "show", "--json").data["sealing"]
    assert [(row["key"], row["state"]) for row in sealing] == [(2, "seals")]
    assert "0 added, 0 changed, 0 removed, 2 unchanged" in peopled.run("audience", "import", file).out
    assert not any(key in text for text in said for key in (before["index"], before["seal"]["1"]))


def test_the_index_key_is_replaced(peopled: Cli, file: Path) -> None:
    """Everybody is found under the new one."""
    before = json.loads((peopled.data / "keys.json").read_text(encoding="ascii"))
    assert "there is another index key" in peopled.run("keys", "reindex").out
    after = json.loads((peopled.data / "keys.json").read_text(encoding="ascii"))
    assert (after["index"] != before["index"], after["seal"]) == (True, before["seal"])
    assert peopled.run("ledger", "--phone", PHONE).code == 0
    assert "2 unchanged" in peopled.run("audience", "import", file).out


def test_with_other_keys_nothing_is_done(peopled: Cli, database: Database) -> None:
    """A keyring that was lost and made anew must not be written with."""
    (peopled.data / "keys.json").unlink()
    refused(
        peopled.run("audience", "suppress", PHONE), "the keyring is not the one that this database was written with"
    )
    with database.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM suppressions").scalar() == 0
