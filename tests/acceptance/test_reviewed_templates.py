"""From an announcement to templates under review, and back: what is approved says what will be sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from broadcaster.announcement.source import to_yaml
from tests.channels.vendors import KEY, OPTIONS, TOKEN, every_supplier, vendor
from tests.support.cli import Cli
from tests.support.examples import EXAMPLE, edited


def written(cli: Cli, supplier: str, file: Path = EXAMPLE) -> dict[str, Any]:
    """What the command writes, read as YAML."""
    ran = cli.run("sms", "templates", file, "--supplier", supplier)
    assert (ran.code, ran.err) == (0, "")
    found: dict[str, Any] = YAML(typ="safe").load(ran.out)
    return found


def approve(cli: Cli, supplier: str, options: dict[str, Any]) -> None:
    """Put the options into the site, with a code for each template."""
    for number, row in enumerate(options["templates"]):
        row["code"] = f"{100 + number}"
    provider = {
        "name": "vendor",
        "supplier": supplier,
        "secret": "env:SECRET",
        "secrets": {"callback-token": "env:TOKEN"},
        "options": {**OPTIONS[supplier], **options, "price_per_segment": 0.045},
    }
    cli.data.mkdir(parents=True, exist_ok=True)
    site = {"name": "city", "channels": {"sms": {"providers": [provider]}}}
    (cli.data / "site.yaml").write_text(to_yaml(site), encoding="utf-8")


@every_supplier
def test_what_is_written_is_what_check_asks_for(bare_cli: Cli, supplier: str) -> None:
    """Each message has its template and its price, `changed` in each of its forms."""
    options = written(bare_cli, supplier)
    approve(bare_cli, supplier, options)
    offers = bare_cli.run("check", EXAMPLE, "--json").data["offers"]
    assert [row["template"] for row in offers] == [row["code"] for row in options["templates"]]
    assert sum(row["phase"] == "changed" for row in offers) == 6
    [notice] = [row for row in offers if (row["phase"], row["language"]) == ("notice", "en")]
    assert (notice["segments"], notice["price"]) == (4, "0.180")
    assert "180,000.00" in bare_cli.run("check", EXAMPLE).out


def test_other_dates_need_no_other_templates(bare_cli: Cli, tmp_path: Path) -> None:
    """That is what the variables are for."""
    approve(bare_cli, "aliyun", written(bare_cli, "aliyun"))
    moved = edited(
        tmp_path / "other.yaml", ("2022-03-20 24:00", "2022-03-24 24:00"), ("resume: 2022-03-21", "resume: 2022-03-25")
    )
    assert bare_cli.run("check", moved).code == 0


def test_other_words_do(bare_cli: Cli, tmp_path: Path) -> None:
    """Every message that has them is named, with where its templates stand."""
    approve(bare_cli, "aliyun", written(bare_cli, "aliyun"))
    other = edited(tmp_path / "other.yaml", ("zh-Hans: 社保信息共享\n", "zh-Hans: 社保数据共享\n"))
    ran = bare_cli.run("check", other)
    assert ran.code == 1
    assert "channels.sms.providers[0].options.templates" in ran.err
    assert "notice zh-Hans: none of its approved templates (100) gives the text" in ran.err
    assert "notice en" not in ran.err


@pytest.mark.parametrize("supplier", ["webhook", "nobody"])
def test_a_supplier_without_reviews(bare_cli: Cli, supplier: str) -> None:
    """The error names those that have some."""
    ran = bare_cli.run("sms", "templates", EXAMPLE, "--supplier", supplier)
    assert ran.code == 1
    assert "aliyun, tencent" in ran.err


@every_supplier
def test_doctor_asks_the_account(cli: Cli, supplier: str) -> None:
    """Whether the key works and the templates are approved; a wrong key is found before anybody is to be told."""
    with vendor(supplier, at="/account") as found:
        options = found.provider.options.model_dump(mode="json", exclude_none=True)
        provider = {
            "name": "vendor",
            "supplier": supplier,
            "url": found.provider.url,
            "secret": "env:SECRET",
            "secrets": {"callback-token": "env:TOKEN"},
            "options": options,
        }
        site = {"name": "city", "allow_private_addresses": True, "channels": {"sms": {"providers": [provider]}}}
        (cli.data / "site.yaml").write_text(to_yaml(site), encoding="utf-8")
        [said] = _of_sms(cli.run("doctor", "--json", SECRET=KEY, TOKEN=TOKEN).data)
        [wrong] = _of_sms(cli.run("doctor", "--json", SECRET="another", TOKEN=TOKEN).data)
    assert (said["ok"], "the key works, 16 templates approved" in said["says"]) == (True, True)
    assert (wrong["ok"], "the secret is not that of the key" in wrong["says"]) == (False, True)


def _of_sms(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in findings if row["what"] == "channel sms"]
