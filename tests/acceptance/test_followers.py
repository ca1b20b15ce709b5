"""An operator tells the followers of a service account: brings them in, looks them up, and lets them be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from broadcaster.announcement.source import to_yaml
from broadcaster.embedded import discard
from tests.acceptance.test_operating import refused
from tests.support.cli import Cli
from tests.support.examples import EXAMPLE, SLUG
from tests.support.followers import APPID, SECRETS, VARIABLES, file_of, followed_file, openid

FOLLOWER = openid(1)
SHOWN = f"oV****{FOLLOWER[-4:]}"
CHANNEL = ("--channel", "followers")


@pytest.fixture
def peopled(cli: Cli, tmp_path: Path) -> Cli:
    """A site with ten followers."""
    file = file_of(tmp_path / "followers.csv", map(openid, range(10)), ["no,one,,"])
    ran = cli.run("audience", "import", file, *CHANNEL)
    assert ran.out.startswith("10 added, 0 changed, 0 removed, 0 unchanged, 0 merged, 1 rejected; version 1 has 10")
    assert "1 × not an openid" in ran.out
    return cli


def test_followers_are_counted_by_themselves(peopled: Cli) -> None:
    """With their own tags and versions; nobody has a phone yet."""
    assert peopled.run("audience", "count", *CHANNEL).out == "10 people\n"
    assert peopled.run("audience", "count", "tag:pensioner", *CHANNEL).out == "4 people\n"
    assert peopled.run("audience", "count").out == "0 people\n"
    refused(peopled.run("audience", "count", "tag:pensioner"), "nobody has the tag 'pensioner'")
    [version] = peopled.run("audience", "versions", *CHANNEL, "--json").data
    assert (version["source"], version["recipients"]) == ("followers.csv", 10)
    assert peopled.run("audience", "versions").out == "nobody was imported yet\n"


def test_a_follower_is_suppressed_and_lifted(peopled: Cli, tmp_path: Path) -> None:
    """By openid, which is shown masked; a phone is none."""
    said = peopled.run("audience", "suppress", FOLLOWER, *CHANNEL, "--reason", "asked for it").out
    assert said == f"{SHOWN}: nothing more is sent on followers\n"
    assert peopled.run("audience", "unsuppress", FOLLOWER, *CHANNEL).out.startswith(f"{SHOWN}: may be written to again")
    refused(peopled.run("audience", "suppress", "13800138000", *CHANNEL), "not an openid")
    refused(peopled.run("audience", "suppress", FOLLOWER), "not a phone number")
    path = tmp_path / "left.csv"
    path.write_text(f"openid,reason\n{FOLLOWER},by letter\nx,\n", encoding="utf-8")
    ran = peopled.run("audience", "suppress", "--file", path, *CHANNEL, "--json")
    assert (ran.data["new"], ran.data["rejected"]) == (1, 1)


def test_a_follower_is_looked_up_by_openid(peopled: Cli) -> None:
    """Nothing was told yet; somebody whom nobody knows is an error, and no lookup is by two addresses."""
    assert peopled.run("ledger", "--openid", FOLLOWER, "--json").data == []
    refused(
        peopled.run("ledger", "--openid", openid(77)),
        "nobody in the audience has the openid oV****0077, and nobody had it",
    )
    refused(peopled.run("ledger", "--openid", "x"), "--openid: not an openid")
    for addresses in ([], ["--openid", FOLLOWER, "--phone", "13800138000"]):
        refused(peopled.run("ledger", *addresses), "give one of --phone, --openid")


def _site(cli: Cli, templates: list[dict[str, Any]]) -> None:
    """A site with the one account."""
    account = {
        "name": "service-account",
        "supplier": "official",
        "secret": "env:FOLLOWERS_SECRET",
        "secrets": SECRETS,
        "options": {"appid": APPID, "templates": templates},
    }
    cli.data.mkdir(parents=True, exist_ok=True)
    site = {"name": "city", "channels": {"followers": {"providers": [account]}}}
    (cli.data / "site.yaml").write_text(to_yaml(site), encoding="utf-8")


def test_what_is_written_is_what_check_asks_for(bare_cli: Cli, tmp_path: Path) -> None:
    """With ids, the templates give every message; without one of them, `check` says which it cannot say."""
    file = followed_file(tmp_path / "outage.yaml")
    ran = bare_cli.run("wechat", "templates", file)
    assert (ran.code, ran.err) == (0, "")
    templates = YAML(typ="safe").load(ran.out)["templates"]
    for number, row in enumerate(templates):
        row["template_id"] = f"template-number-{number:04}"
    _site(bare_cli, templates)
    checked = bare_cli.run("check", file, "--json", **VARIABLES)
    assert (checked.code, checked.err) == (0, "")
    offers = [row for row in checked.data["offers"] if row["provider"] == "service-account"]
    assert {row["template"] for row in offers} == {row["template_id"] for row in templates}
    _site(bare_cli, templates[1:])
    lacking = bare_cli.run("check", file, **VARIABLES)
    assert lacking.code == 1
    assert "service-account cannot say it" in lacking.err
    assert "`broadcaster wechat templates FILE` writes the templates that the account needs" in lacking.err


def test_an_announcement_that_tells_no_followers_needs_no_templates(bare_cli: Cli) -> None:
    """The default policy does not name the channel."""
    refused(bare_cli.run("wechat", "templates", EXAMPLE), "no phase of its policy goes to followers")


@pytest.mark.rehearsal
@pytest.mark.timeout(600)
def test_a_campaign_tells_followers_on_the_platforms_own_format(tmp_path: Path) -> None:
    """With real workers, queues and callbacks: everybody has every message once, and each is reported."""
    data = tmp_path / "data"
    file = followed_file(tmp_path / "outage.yaml")
    ran = Cli(data).run("rehearse", file, "--data", data, "--recipients", "60", "--vendors")
    report = json.loads((data / "report.json").read_text(encoding="utf-8"))
    discard(data)
    assert (ran.code, report["consistent"], report["problems"]) == (0, True, [])
    told = [row for row in report["broadcasts"] if row["channel"] == "followers" and row["accepted"]]
    assert {row["phase"] for row in told} == {"notice", "started", "restored"}
    assert [(row["accepted"], row["delivered"]) for row in told] == [(60, 60)] * 3
    assert report["announcement"]["slug"] == SLUG
