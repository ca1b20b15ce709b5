"""What a site says of official accounts: its README's example is one, and what is wrong is said with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from broadcaster.channels.registry import CHANNELS
from broadcaster.errors import InputError
from broadcaster.site import Site, read_site
from tests.support.examples import ROOT

README = ROOT / "broadcaster/channels/official/README.md"
ACCOUNT = """
name: test
channels:
  wechat:
    providers:
      - name: bureau
        supplier: mass
        secret: env:APPSECRET
        secrets: {callback-token: "env:TOKEN"}
        options: {appid: wx0123456789abcdef}
"""


def read_text(folder: Path, text: str) -> Site:
    """The site that a text describes."""
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return read_site(path, CHANNELS)


def test_the_example_has_three_accounts(tmp_path: Path) -> None:
    """Both ways, each with an address that is the platform's own."""
    found = re.search(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found
    accounts = read_text(tmp_path, f"name: test\n{found.group(1)}").providers("wechat")
    assert [(row.name, row.supplier, row.url) for row in accounts] == [
        ("bureau", "mass", None),
        ("hotline", "mass", None),
        ("portal", "publish", None),
    ]
    assert [(row.quota.per_day, row.quota.per_month) for row in accounts] == [(1, 4), (1, None), (None, None)]


@pytest.mark.parametrize(
    ("there", "instead", "problem"),
    [
        ("appid: wx0123456789abcdef", "tag: 2", "options.appid: the field is missing"),
        ("appid: wx0123456789abcdef", "appid: gh_0123456789", "options.appid"),
        ("appid: wx0123456789abcdef", "appid: wx0123456789abcdef, superseded: linked", "options.superseded"),
        ("appid: wx0123456789abcdef", "appid: wx0123456789abcdef, tag: -1", "options.tag"),
        ("appid: wx0123456789abcdef", "appid: wx0123456789abcdef, mode: safe", "options.mode"),
        ('callback-token: "env:TOKEN"', "", "the secret 'callback-token' is missing"),
        ('callback-token: "env:TOKEN"', 'callback-token: "env:T", token: "env:T"', "no secret is called 'token' there"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, there: str, instead: str, problem: str) -> None:
    """Before anything is called."""
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, ACCOUNT.replace(there, instead))
    assert problem in str(caught.value)


def test_who_publishes_has_no_tag(tmp_path: Path) -> None:
    """It is for followers."""
    with pytest.raises(InputError, match=re.escape("options.tag")):
        read_text(
            tmp_path, ACCOUNT.replace("supplier: mass", "supplier: publish").replace("abcdef}", "abcdef, tag: 2}")
        )
