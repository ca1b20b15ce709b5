"""`wechat preview`: one named person sees an article of an account, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster.announcement.source import to_yaml
from tests.channels.wechat_accounts import APPSECRET, Account, Platform, account, platform
from tests.support.cli import Cli
from tests.support.examples import ROOT

FILE = ROOT / "examples/qingdao-2022/announcement.yaml"
SECRETS = {"APPSECRET": APPSECRET, "CALLBACK_TOKEN": "a-callback-token"}


@pytest.fixture(scope="module")
def one_platform() -> Iterator[Platform]:
    """A server for the accounts of this file."""
    with platform() as found:
        yield found


@pytest.fixture
def accounts(one_platform: Platform) -> list[Account]:
    """One account that sends, and one that publishes."""
    return [account(one_platform, "mass"), account(one_platform, "publish")]


@pytest.fixture
def site(data: Path, accounts: list[Account]) -> Cli:
    """The command line of a site that has both."""
    providers = [config(f"the-{one.provider.supplier}", one) for one in accounts]
    data.mkdir()
    whole = {"name": "test", "allow_private_addresses": True, "channels": {"wechat": {"providers": providers}}}
    (data / "site.yaml").write_text(to_yaml(whole), encoding="utf-8")
    return Cli(data)


def config(name: str, one: Account) -> dict[str, Any]:
    """An account as the site has it."""
    return {
        "name": name,
        "supplier": one.provider.supplier,
        "url": one.provider.url,
        "secret": "env:APPSECRET",
        "secrets": {"callback-token": "env:CALLBACK_TOKEN"},
        "options": {"appid": "wx0123456789abcdef"},
        "language": "zh-Hans",
    }


def test_somebody_sees_it_from_every_account(site: Cli, accounts: list[Account]) -> None:
    """As it would go out; nothing is left in the accounts, and no follower was told."""
    ran = site.run("wechat", "preview", FILE, "--phase", "notice", "--to", "zhang-san", **SECRETS)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"{name}: shown to zhang-san: 公告：养老、失业、工伤保险等业务暂停" for name in ("the-mass", "the-publish")
    ]
    for one in accounts:
        books = one.behave()
        assert books["previews"] == [["zhang-san", "公告：养老、失业、工伤保险等业务暂停"]]
        assert books["drafts"]["item"] == []
        assert one.shown() == 0


def test_one_account_that_cannot_does_not_keep_the_others(site: Cli, accounts: list[Account]) -> None:
    """It says why, with what to do, and the exit code tells."""
    accounts[0].behave(whitelisted=False)
    ran = site.run("wechat", "preview", FILE, "--phase", "notice", "--to", "zhang-san", **SECRETS)
    refused, shown = ran.out.splitlines()
    assert ran.code == 1
    assert "add 203.0.113.7 to the IP whitelist of the account" in refused
    assert shown.startswith("the-publish: shown")


def test_only_from_one_account(site: Cli, accounts: list[Account]) -> None:
    """The one that is named."""
    ran = site.run("wechat", "preview", FILE, "--phase", "notice", "--to", "li", "--account", "the-mass", **SECRETS)
    assert ran.code == 0
    assert [len(one.behave()["previews"]) for one in accounts] == [1, 0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--phase", "soon"], "no phase is called 'soon'"),
        (["--phase", "notice", "--account", "another"], "no such account is called 'another'"),
    ],
)
def test_what_there_is_not_is_said(site: Cli, arguments: list[str], words: str) -> None:
    """With what there is."""
    ran = site.run("wechat", "preview", FILE, "--to", "li", *arguments, **SECRETS)
    assert ran.code == 1
    assert words in ran.err


def test_doctor_says_how_the_accounts_stand(site: Cli, accounts: list[Account]) -> None:
    """Without telling anybody."""
    accounts[1].behave(whitelisted=False)
    ran = site.run("doctor", "--json", **SECRETS)
    says = {row["says"]: row["ok"] for row in ran.data if row["what"] == "channel wechat"}
    good, bad = sorted(says, key=lambda one: not says[one])
    assert "10 calls of /cgi-bin/message/mass/sendall left today" in good
    assert "IP whitelist" in bad
    assert APPSECRET not in ran.out
