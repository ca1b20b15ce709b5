"""`endpoint …`: registering partners, and what can be done with one, as an operator does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook

from broadcaster.channels.webhook.schema import document
from broadcaster.storage.database import Database
from tests.channels.http_server import Answer, LocalServer, local_server
from tests.support.cli import Cli
from tests.support.examples import ROOT

PUBLIC = "https://partner.example/outages"


@pytest.fixture
def bank() -> Iterator[LocalServer]:
    """A bank's own server."""
    with local_server() as running:
        yield running


def add(cli: Cli, url: str, *options: str, name: str = "bank") -> str:
    """Register an endpoint; gives its secret."""
    ran = cli.run("endpoint", "add", name, "--url", url, *options, "--json")
    assert ran.code == 0, ran.err
    return str(ran.data["secret"])


def strict(cli: Cli) -> Cli:
    """The same command line, for a site that allows no private addresses."""
    site = cli.data / "site.yaml"
    text = site.read_text(encoding="utf-8")
    site.write_text(text.replace("allow_private_addresses: true", "allow_private_addresses: false"), encoding="utf-8")
    return cli


def test_an_endpoint_is_registered_tested_and_listed(cli: Cli, bank: LocalServer) -> None:
    """Its secret is shown once, and verifies what the test sends."""
    ran = cli.run("endpoint", "add", "bank", "--url", bank.url, "--label", "工商银行", "--language", "zh-Hans")
    assert ran.code == 0, ran.err
    secret = next(line.removeprefix("secret: ") for line in ran.out.splitlines() if line.startswith("secret: "))
    tested = cli.run("endpoint", "test", "bank")
    assert "bank: accepted the test" in tested.out
    (request,) = bank.received
    event = Webhook(secret).verify(request.body, request.headers)
    assert (event["type"], event["data"]["endpoint"]) == ("endpoint.test", "bank")
    body = document()["webhooks"]["endpoint.test"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    Draft202012Validator({**body, "components": document()["components"]}).validate(event)
    listed = cli.run("endpoint", "list")
    assert ("工商银行" in listed.out, "works" in listed.out) == (True, True)


def test_a_secret_is_shown_once_and_kept_sealed(cli: Cli, bank: LocalServer, database: Database) -> None:
    """No other command says it again, no log has it, and the database has nobody's plain secret."""
    secrets = [add(cli, bank.url), cli.run("endpoint", "rotate", "bank", "--json").data["secret"]]
    said = "".join(
        ran.out + ran.err
        for ran in (
            cli.run("endpoint", "list", "--json"),
            cli.run("endpoint", "list"),
            cli.run("endpoint", "test", "bank", BROADCASTER_LOG_LEVEL="DEBUG"),
            cli.run("endpoint", "disable", "bank"),
        )
    )
    with database.begin() as connection:
        for table in ("endpoints", "events"):
            said += str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())  # noqa: S608 - the test's own words
    for secret in secrets:
        assert secret not in said
        assert secret.removeprefix("whsec_") not in said


def test_two_secrets_count_until_the_old_one_ends(cli: Cli, bank: LocalServer) -> None:
    """A second rotation meanwhile would lock out whoever has not taken up the first."""
    old = add(cli, bank.url)
    rotated = cli.run("endpoint", "rotate", "bank", "--keep-hours", "48", "--json")
    cli.run("endpoint", "test", "bank")
    (request,) = bank.received
    for secret in (old, rotated.data["secret"]):
        assert Webhook(secret).verify(request.body, request.headers)
    again = cli.run("endpoint", "rotate", "bank")
    assert (again.code, "still counts until" in again.err, "--at-once" in again.err) == (1, True, True)
    assert cli.run("endpoint", "rotate", "bank", "--at-once").code == 0


def test_a_test_says_what_came_back(cli: Cli, bank: LocalServer) -> None:
    """And exits with 1 when that was no success."""
    add(cli, bank.url)
    bank.answer = Answer(302, headers={"location": "http://169.254.169.254/"})
    ran = cli.run("endpoint", "test", "bank")
    assert (ran.code, "bank answered 302" in ran.err) == (1, True)
    assert len(bank.received) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Bank", "--url", PUBLIC], "'Bank' is no name"),
        (["bank", "--url", "ftp://partner.example/"], "--url: it is not a usable URL"),
        (["bank", "--url", "https://"], "--url: it is not a usable URL"),
        (["bank", "--url", "https://partner.example:99999/"], "--url: it is not a usable URL"),
        (["bank", "--url", "https://user:pass@partner.example/"], "--url: it holds a name or a password"),
        (["bank", "--url", "http://169.254.169.254/latest"], "--url: its address is private"),
        (["bank", "--url", "http://localhost:8000/"], "--url: its address is private"),
        (["bank", "--url", "http://10.1.2.3/"], "--url: its address is private"),
        (["bank", "--url", PUBLIC, "--event", "outage.finished"], "--event: there is no event 'outage.finished'"),
        (["bank", "--url", PUBLIC, "--event", "outage.restored"], "--event: only what takes back other events"),
        (["bank", "--url", PUBLIC, "--language", "Chinese"], "--language: 'Chinese' is no language tag"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(cli: Cli, arguments: list[str], says: str) -> None:
    """With what is wrong, and nothing stored."""
    ran = strict(cli).run("endpoint", "add", *arguments)
    assert (ran.code, says in ran.err) == (1, True), ran.err
    assert "pass@" not in ran.err
    assert cli.run("endpoint", "list", "--json").data == []


def test_a_name_is_taken_once(cli: Cli, bank: LocalServer) -> None:
    """Another endpoint of a partner has another name."""
    add(cli, bank.url)
    ran = cli.run("endpoint", "add", "bank", "--url", bank.url)
    assert (ran.code, "there is an endpoint bank already" in ran.err) == (1, True)


@pytest.mark.parametrize(
    "command", [["test"], ["rotate"], ["disable"], ["enable"], ["replay", "--since", "2022-01-01T00:00Z"]]
)
def test_an_unknown_endpoint_is_named(cli: Cli, command: list[str]) -> None:
    """Whatever is to be done with it."""
    ran = cli.run("endpoint", command[0], "nobody", *command[1:])
    assert (ran.code, "there is no endpoint nobody" in ran.err) == (1, True)


def test_disabled_and_enabled(cli: Cli, bank: LocalServer) -> None:
    """Each once; the list says why."""
    add(cli, bank.url)
    assert cli.run("endpoint", "enable", "bank").code == 1
    assert cli.run("endpoint", "disable", "bank", "--reason", "moves").code == 0
    assert "moves" in cli.run("endpoint", "list").out
    assert cli.run("endpoint", "disable", "bank").code == 1
    assert cli.run("endpoint", "replay", "bank", "--since", "2022-01-01T00:00Z").code == 1
    assert cli.run("endpoint", "enable", "bank").code == 0
    assert [row["enabled"] for row in cli.run("endpoint", "list", "--json").data] == [True]


def test_an_announcement_that_does_not_name_the_channel_is_named(cli: Cli, bank: LocalServer, tmp_path: Path) -> None:
    """Whoever registers a partner learns that this outage tells them nothing."""
    source = (ROOT / "examples/qingdao-2022/announcement.yaml").read_text(encoding="utf-8")
    start = source.replace("2022-", "2032-")
    file = tmp_path / "announcement.yaml"
    at_once = ("notice", "started", "changed", "overrun", "restored", "cancelled")
    rules = "".join(f"  {phase}:\n    - channels: [sms]\n" for phase in at_once)
    file.write_text(f"{start}\npolicy:\n{rules}  reminder: []\n  ongoing: []\n", encoding="utf-8")
    assert cli.run("apply", file).code == 0
    assert cli.run("approve", "qingdao-2022", "--revision", "1").code == 0
    ran = cli.run("endpoint", "add", "bank", "--url", bank.url, "--json")
    assert ran.data["not_named_in"] == ["qingdao-2022"]


def test_the_schema_that_is_printed_is_the_published_one(cli: Cli) -> None:
    """Whoever integrates gets it from either."""
    published = json.loads((ROOT / "docs/webhooks.openapi.json").read_text(encoding="utf-8"))
    assert cli.run("endpoint", "schema").data == published


@pytest.mark.parametrize("when", ["yesterday", "2022-03-01 08:00"])
def test_a_replay_needs_an_instant(cli: Cli, bank: LocalServer, when: str) -> None:
    """Endpoints have no time zone of their own: the offset is written."""
    add(cli, bank.url)
    ran = cli.run("endpoint", "replay", "bank", "--since", when)
    assert (ran.code, "is no instant" in ran.err) == (1, True)
