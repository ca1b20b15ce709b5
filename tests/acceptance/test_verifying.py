"""An operator asks whether what shows is what should show."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from broadcaster import clock
from broadcaster.announcement.source import to_yaml
from broadcaster.clock import OFFSET_FILE_VARIABLE
from broadcaster.operations import conclude
from tests.support.cli import Cli
from tests.support.examples import EXAMPLE, SLUG, local
from tests.support.polling import eventually
from tests.support.product import ACTOR, Product


@pytest.fixture
def operator(product: Product) -> Cli:
    """The command line beside a running product, with the example approved."""
    product.at(local("2022-02-18 10:00"))
    product.gather(0)
    product.publish()
    found = product.parts.settings
    variables = {"DATABASE_URL": str(found.database_url), "REDIS_URL": str(found.redis_url)}
    return Cli(found.data, {**variables, OFFSET_FILE_VARIABLE: str(product.offset_file)})


def test_what_shows_is_confirmed(operator: Cli, product: Product) -> None:
    """Every address, with exit code 0; `status` says so afterwards."""
    eventually(lambda: operator.run("verify", SLUG).code == 0, "all is confirmed")
    rows = operator.run("verify", "--all", "--json").data["addresses"]
    assert [(row["channel"], row["endpoint"], row["result"]) for row in rows] == [
        ("banner", "public", "confirmed"),
        ("kiosk", "public", "confirmed"),
    ]
    assert "the public address confirmed 2022-02-18" in operator.run("status", SLUG).out
    with product.transaction() as connection:
        conclude.cancel(connection, SLUG, "", ACTOR, clock.now())
    assert "the public address not read back yet" in operator.run("status", SLUG).out


def test_status_names_the_screens_that_lack_the_change(operator: Cli) -> None:
    """None of them has looked."""
    text = operator.run("status", SLUG).out
    assert "kiosk: bank-kiosks, hall-kiosks, hospital-kiosks have never said who they are" in text
    data = operator.run("status", SLUG, "--json").data
    assert [row["channel"] for row in data["surfaces"]] == ["banner", "kiosk"]
    assert data["posts"] == []


def test_an_address_that_shows_something_else_is_an_error(operator: Cli) -> None:
    """A partner's page that has never heard of it; exit code 1, with what differs."""
    site = operator.data / "site.yaml"
    text = site.read_text(encoding="utf-8")
    found = YAML(typ="safe", pure=True).load(text)
    bank = next(row for row in found["channels"]["kiosk"]["providers"] if row["name"] == "bank-kiosks")
    bank["shows"] = f"{found['public_url']}/healthz"
    site.write_text(to_yaml(found), encoding="utf-8")
    ran = operator.run("verify", SLUG)
    assert ran.code == 1
    assert "bank-kiosks" in ran.out
    assert "it is no document of the surface kiosk" in ran.out
    assert "shows something else" in operator.run("status", SLUG).out


def test_an_address_that_does_not_answer_is_an_error(cli: Cli) -> None:
    """Nobody is at the public address."""
    assert cli.run("apply", EXAMPLE).code == 0
    ran = cli.run("verify", SLUG)
    assert ran.code == 1
    assert ran.out.count("not reached") == 2


@pytest.mark.parametrize("arguments", [[], [SLUG, "--all"], ["nowhere"]])
def test_it_must_be_clear_what_to_verify(cli: Cli, arguments: list[str]) -> None:
    """One announcement that exists, or all."""
    ran = cli.run("verify", *arguments)
    assert ran.code == 1
    assert ran.out == ""
