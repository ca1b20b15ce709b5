"""The bad-input table: whatever is wrong, the operator reads where it is and what to do, and nothing was stored."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.policy import DEFAULT_CHANNELS
from broadcaster.storage import announcements
from broadcaster.storage.database import Database
from tests.support.cli import Cli, Ran
from tests.support.examples import EXAMPLE, Edit, edited, line_of

WINDOW = "window: {start: 2022-02-26 00:00, end: 2022-03-20 24:00}"
LINKS = "links:\n"
ZONE = "zone: Asia/Shanghai\n"
TITLE = "  zh-Hans: 养老、失业、工伤保险等业务暂停\n"

OVERLAPPING = """
  - {id: bank, services: [social-insurance], access_points: [icbc], state: partial, window: {start: 2022-03-01 00:00}}
  - {id: many, services: [social-insurance], access_points: [icbc], state: partial, window: {start: 2022-03-02 00:00}}
"""

ONE_MISTAKE = [
    pytest.param((WINDOW, "window: {start: 2022-02-26 00:00"), None, "not valid YAML", id="YAML syntax error"),
    pytest.param(("severity: major", "severty: major"), "severty", "unknown field 'severty'", id="unknown field"),
    pytest.param(("severity: major", "severity: [1, 2]"), "severity", "severity", id="wrong type"),
    pytest.param(
        ("services:\n  - id: social-insurance", "services: all\nrest:\n  - id: x"),
        "services",
        "services:",
        id="a word instead of a list",
    ),
    pytest.param(
        ("kind: hall", "kind: palace"), "access_points[0].kind", "'hall'", id="a word that is not in the list"
    ),
    pytest.param((ZONE, "zone: Asia/Tsingtao\n"), "zone", "unknown time zone 'Asia/Tsingtao'", id="unknown zone"),
    pytest.param((ZONE, ""), "window.start", "'2022-02-26 00:00' has no zone", id="naive time without a zone"),
    pytest.param(
        ("start: 2022-02-26 00:00", "start: 26.2.2022"), "window.start", "such as 2022-02-26 00:00", id="no time"
    ),
    pytest.param(("start: 2022-02-26 00:00", "start: 2022-02-30 00:00"), "window.start", "day", id="no such day"),
    pytest.param((LINKS, "slug: again\nlinks:\n"), "slug", "the field is given twice", id="a field given twice"),
    pytest.param(("slug: qingdao-2022\n", ""), "slug", "the field is missing", id="missing field"),
    pytest.param(
        ("services: [work-injury-medical]", "services: [medicine]"),
        "impacts[1].services[0]",
        "'medicine' is not defined",
        id="a service that is not defined",
    ),
    pytest.param(
        (LINKS, "policy: {reminder: [{days_before: [3], channels: [pigeon]}]}\nlinks:\n"),
        "policy.reminder[0].channels[0]",
        "no channel is called 'pigeon'",
        id="a channel that is not there",
    ),
    pytest.param(
        (LINKS, "policy: {quiet_hours: {sms: 21:00}}\nlinks:\n"),
        "policy.quiet_hours.sms",
        "expected HH:MM-HH:MM",
        id="half a span of quiet hours",
    ),
]

MANY_MISTAKES: list[Edit] = [
    (WINDOW, "window: {start: 2022-02-26 00:00, end: 2022-02-20 24:00}"),
    (TITLE, ""),
    (
        "    services: [work-injury-medical]\n    access_points: [contracted-hospitals]",
        "    services: [work-injury-medical]\n    access_points: []",
    ),
    ("advice:\n", f"{OVERLAPPING}advice:\n"),
    (LINKS, "policy:\n  reminder:\n    - days_before: [-30]\nlinks:\n"),
]


def stored(database: Database) -> list[str]:
    """The slugs of the announcements in the database."""
    with database.begin() as connection:
        return [row.slug for row in announcements.all_standing(connection)]


def refused(ran: Ran) -> list[str]:
    """The errors that a command ended with; nothing else may have happened."""
    assert ran.code == 1
    assert "Traceback" not in ran.out + ran.err
    assert ran.err.startswith("error: ")
    assert ran.out == ""
    return [line.removeprefix("error: ") for line in ran.err.splitlines() if line.startswith("error: ")]


@pytest.mark.parametrize(("edit", "field", "words"), ONE_MISTAKE)
def test_a_mistake_is_named_with_its_line_and_field(
    cli: Cli, database: Database, tmp_path: Path, edit: Edit, field: str | None, words: str
) -> None:
    """`apply` says file, line and field, says what is wrong with it, and stores nothing."""
    file = edited(tmp_path / "wrong.yaml", edit)
    errors = [error for error in refused(cli.run("apply", file)) if not field or f" {field}: " in error]
    assert errors
    assert re.match(rf"{re.escape(str(file))}:\d+", errors[0])
    assert any(words in error for error in errors)
    assert stored(database) == []


def test_the_line_is_that_of_the_mistake(bare_cli: Cli, tmp_path: Path) -> None:
    """An editor that opens the file at that line shows the wrong word."""
    file = edited(tmp_path / "wrong.yaml", ("kind: hospital", "kind: clinic"))
    [error] = refused(bare_cli.run("check", file))
    assert error.startswith(f"{file}:{line_of(file, 'clinic')} access_points[5].kind: ")


def test_every_mistake_is_named_at_once(cli: Cli, database: Database, tmp_path: Path) -> None:
    """Nobody mends a file five times to learn of five mistakes."""
    file = edited(tmp_path / "wrong.yaml", *MANY_MISTAKES)
    ran = cli.run("apply", file)
    errors = "\n".join(refused(ran))
    for words in (
        "window.end: the end 2022-02-21 00:00 is not after the start 2022-02-26 00:00",
        "after the end 2022-02-21 00:00",
        "impacts[1].access_points: an impact without any",
        "impacts[4]: overlaps impact 'bank': both speak of social-insurance at icbc",
        "title: the text lacks zh-Hans",
    ):
        assert words in errors
    assert f"{len(refused(ran))} problems; nothing was stored" in ran.err
    assert stored(database) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"- a list\n", "expected fields such as", id="no fields"),
        pytest.param("slug: 社保".encode("gb18030"), "not UTF-8 text at byte 6", id="not UTF-8"),
        pytest.param(b"a: &a [*a]\n", "an alias that holds itself", id="endless"),
        pytest.param(b"x" * 1_000_001, "larger than 1,000,000 bytes", id="too large"),
        pytest.param(b"\x00\x01\x02", "not valid YAML", id="binary"),
    ],
)
def test_what_is_no_announcement_is_refused(bare_cli: Cli, tmp_path: Path, content: bytes, words: str) -> None:
    """A file of another kind gets one sentence."""
    file = tmp_path / "wrong.yaml"
    file.write_bytes(content)
    [error] = refused(bare_cli.run("check", file))
    assert str(file) in error
    assert words in error


@pytest.mark.parametrize("command", ["check", "plan", "apply", "rehearse"])
def test_a_missing_file_is_named(bare_cli: Cli, tmp_path: Path, command: str) -> None:
    """No command begins anything before it has read its file."""
    [error] = refused(bare_cli.run(command, tmp_path / "nowhere.yaml"))
    assert error == f"{tmp_path}/nowhere.yaml: cannot be read: No such file or directory"
    assert not (bare_cli.data / "services").exists()


def own_template(tmp_path: Path, text: str) -> Path:
    """A folder whose SMS notice is ours."""
    file = tmp_path / "own" / "sms" / "notice.zh-Hans.txt.j2"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("停办通知\n{{ links[0].titel }}\n", "titel", id="an undefined attribute"),
        pytest.param("停办通知\n{{ telefon }}\n", "undefined variable: 'telefon' is undefined", id="an undefined name"),
        pytest.param(
            "停办通知\n{% if false %}{{ telefon }}{% endif %}\n",
            "'telefon'",
            id="an undefined name where it is never reached",
        ),
        pytest.param("停办通知\n{% if %}\n", "syntax error", id="a syntax error"),
        pytest.param("停办通知\n{{ ''.__class__ }}\n", "", id="a way out of the sandbox"),
    ],
)
def test_a_wrong_template_is_named_with_its_line(bare_cli: Cli, tmp_path: Path, text: str, words: str) -> None:
    """`check` finds it before midnight does."""
    file = own_template(tmp_path, text)
    errors = refused(bare_cli.run("check", EXAMPLE, "--templates", tmp_path / "own"))
    assert errors[0].startswith(f"{file}:2: ")
    assert words in errors[0]


def test_a_site_with_a_wrong_template_takes_no_revision(cli: Cli, database: Database, tmp_path: Path) -> None:
    """`apply` renders everything with the site's own templates before it stores anything."""
    own_template(tmp_path, "{{ telefon }}")
    site = cli.data / "site.yaml"
    site.write_text(f"{site.read_text(encoding='utf-8')}templates: {tmp_path}/own\n", encoding="utf-8")
    assert "'telefon' is undefined" in refused(cli.run("apply", EXAMPLE))[0]
    assert stored(database) == []


def test_a_message_over_its_limit_is_named_with_its_size(cli: Cli, database: Database, tmp_path: Path) -> None:
    """Channel, phase and language, the part, its size and the limit."""
    long = edited(tmp_path / "long.yaml", (TITLE, f"  zh-Hans: {'养老保险业务暂停' * 5}\n"))
    errors = refused(cli.run("apply", long))
    found = [error for error in errors if "wechat notice zh-Hans: title has" in error]
    assert re.search(r"title has \d\d characters, the limit is 32", found[0])
    assert stored(database) == []


def test_check_names_every_message_that_is_too_long(bare_cli: Cli, tmp_path: Path) -> None:
    """Each channel measures for itself."""
    long = edited(tmp_path / "long.yaml", (TITLE, f"  zh-Hans: {'养老保险业务暂停' * 5}\n"))
    errors = refused(bare_cli.run("check", long))
    assert {error.split(": ")[1].split()[0] for error in errors} >= {"wechat", "kiosk"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--channel", "pigeon"], f"known channels: {', '.join(CHANNELS)}", id="channel"),
        pytest.param(["--phase", "morning"], "phases: notice, reminder", id="phase"),
        pytest.param(["--language", "de"], "its languages: zh-Hans, en", id="language"),
        pytest.param(["--templates", "/nowhere"], "/nowhere is not a folder", id="templates"),
    ],
)
def test_a_wrong_choice_is_answered_with_the_right_ones(
    bare_cli: Cli, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """`render` says what there is to choose from."""
    [error] = refused(bare_cli.run("render", EXAMPLE, "--out", tmp_path / "out", *arguments))
    assert words in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("- {at: 2022-03-20 24:00, do: dance}", "[0].do", id="an unknown act"),
        pytest.param("- {at: tomorrow, do: finish}", "[0].at", id="no time"),
        pytest.param("do: finish", "", id="no list"),
    ],
)
def test_a_wrong_script_starts_no_rehearsal(bare_cli: Cli, tmp_path: Path, content: str, words: str) -> None:
    """It is read before anything is started."""
    script = tmp_path / "script.yaml"
    script.write_text(content, encoding="utf-8")
    errors = refused(bare_cli.run("rehearse", EXAMPLE, "--script", script, "--data", tmp_path / "rehearsal"))
    assert any(f"{script}:1" in error and words in error for error in errors)
    assert not (tmp_path / "rehearsal").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("colour: red", "unknown field 'colour'", id="unknown field"),
        pytest.param("public_url: example.org", "public_url: not in the expected form", id="no URL"),
        pytest.param(
            "channels: {pigeon: {providers: [{name: a, url: 'http://127.0.0.1/', secret: 'env:A'}]}}",
            "no channel is called 'pigeon'",
            id="unknown channel",
        ),
        pytest.param(
            "channels: {sms: {providers: [{name: a, url: 'http://127.0.0.1/', secret: whsec_x}]}}",
            "channels.sms.providers[0].secret",
            id="a secret in the file",
        ),
    ],
)
def test_a_wrong_site_is_named_with_its_line(cli: Cli, database: Database, line: str, words: str) -> None:
    """The site's configuration is held to its form like everything else; a secret written into it is not repeated."""
    (cli.data / "site.yaml").write_text(f"name: ours\n{line}\n", encoding="utf-8")
    error = refused(cli.run("apply", EXAMPLE))[0]
    assert error.startswith(f"{cli.data}/site.yaml:2 ")
    assert words in error
    assert "whsec_x" not in error
    assert stored(database) == []


def test_check_gives_data_for_programs(bare_cli: Cli) -> None:
    """`--json` prints one document: each message with its parts and measures."""
    messages = bare_cli.run("check", EXAMPLE, "--json").data["messages"]
    assert len(messages) == len(DEFAULT_CHANNELS) * 8 * 2
    assert {"name", "size", "limit", "unit"} <= messages[0]["measures"][0].keys()
    assert json.dumps(messages)
