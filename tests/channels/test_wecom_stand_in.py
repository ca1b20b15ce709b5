"""The sandbox's WeCom bots: they behave as real ones do, by themselves and behind the product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from fastapi import FastAPI

from broadcaster import logs
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS, specs_for
from broadcaster.errors import AmbiguousError, PermanentError, TransientError
from broadcaster.planning.policy import DEFAULT_CHANNELS
from broadcaster.planning.proposal import read
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind
from broadcaster.sandbox.postman import Postman
from broadcaster.sandbox.vendors import mount_vendors
from broadcaster.surfaces.document import milliseconds
from tests.channels.wecom import KEY, bot, send
from tests.conftest import Servers
from tests.support.examples import edited, example, local
from tests.support.product import Product, running_product
from tests.support.serving import address_of, bound, served

# The stand-in


@pytest.fixture
def desk() -> Iterator[tuple[Provider, Archive, FaultBook]]:
    """The stand-in of one bot, what its group read, and a book of faults."""
    socket, app = bound(), FastAPI()
    provider, archive, faults = bot(f"{address_of(socket)}/wecom/counters"), Archive(), FaultBook()
    mount_vendors(app, archive, faults, Postman(), {"wecom": {"counters": provider}})
    with served(app, socket):
        yield provider, archive, faults


def test_the_stand_in_shows_what_the_group_reads(desk: tuple[Provider, Archive, FaultBook]) -> None:
    """A repeated call once more: it dedupes nothing."""
    provider, archive, faults = desk
    send(provider)
    faults.order(Fault(channel="wecom", kind=FaultKind.DROP_AFTER, times=1))
    with pytest.raises(AmbiguousError):
        send(provider)
    assert dict(archive.shown()) == {"b" * 20: {"counters": 2}}
    [moment] = archive.moments()
    assert moment.samples[""].parts == {"text": "**公告**\n> 养老"}


def test_the_stand_in_refuses_inside_http_200(desk: tuple[Provider, Archive, FaultBook]) -> None:
    """Another key, what is too long, what is empty, and a body of another form."""
    provider, archive, _ = desk
    with pytest.raises(PermanentError, match="93000"):
        send(replace(provider, secret="another-key-of-36-letters"))
    with pytest.raises(PermanentError, match="40058"):
        send(provider, "停" * 1366)
    with pytest.raises(PermanentError, match="44004"):
        send(provider, "")
    address = f"{provider.url}/cgi-bin/webhook/send"
    answer = requests.post(address, params={"key": KEY}, data=b"[]", timeout=5)
    assert (answer.status_code, answer.json()["errcode"]) == (200, 40058)
    assert dict(archive.shown()) == {}


def test_the_stand_in_takes_twenty_a_minute(desk: tuple[Provider, Archive, FaultBook]) -> None:
    """The 21st waits."""
    provider, archive, _ = desk
    for _ in range(20):
        send(provider)
    with pytest.raises(TransientError, match="45009"):
        send(provider)
    assert dict(archive.shown()) == {"b" * 20: {"counters": 20}}


# Behind the product


@pytest.fixture
def product(tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """A site with two bots."""
    bots: list[dict[str, object]] = [
        {"name": "counters", "label": "网点通知群"},
        {"name": "hospitals", "options": {"format": "text"}},
    ]
    with running_product(tmp_path / "data", database_url, servers.redis, monkeypatch, {"wecom": bots}) as found:
        yield found


def opened(product: Product, folder: Path) -> str:
    """The notice of an announcement whose policy names the channel, opened on it."""
    named = ("# policy:\n", "policy:\n  notice:\n    - channels: [wecom]\n#\n")
    product.at(local("2022-02-18 10:00"))
    product.gather(0)
    product.publish(read(edited(folder / "announcement.yaml", named), CHANNELS))
    return product.open("wecom")


def test_every_bot_says_it_once_and_no_receipt_is_waited_for(product: Product, tmp_path: Path) -> None:
    """Each in its group, and the ledger names it."""
    broadcast = opened(product, tmp_path)
    product.deliver_all(broadcast)
    rows = {(row.provider, row.outcome, row.receipt) for row in product.ledger(broadcast)}
    assert rows == {("counters", "accepted", ""), ("hospitals", "accepted", "")}


def test_a_bot_that_gives_no_answer_is_unknown_and_never_repeated(
    product: Product, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And neither the log nor the ledger holds a key."""
    logs.configure("DEBUG")
    try:
        product.order(channel="wecom", kind=FaultKind.DROP_AFTER, times=1)
        broadcast = opened(product, tmp_path)
        product.deliver_all(broadcast)
    finally:
        logs.configure("CRITICAL")
    rows = product.ledger(broadcast)
    assert sorted(row.outcome for row in rows) == ["accepted", "unknown"]
    assert product.totals()["received"] == 2
    said = "".join(capsys.readouterr()) + "".join(row.reason for row in rows)
    assert "gave no readable answer" in said or "broke off its answer" in said
    assert not [row.secret for row in product.parts.providers()["wecom"].values() if row.secret in said]


def test_what_a_group_reads_is_on_nobodys_phone(product: Product, tmp_path: Path) -> None:
    """The sandbox's page has a phone for people."""
    product.deliver_all(opened(product, tmp_path))
    at = milliseconds(local("2022-02-18 11:00"))
    shown = requests.get(f"{product.sandbox_url}/api/shown", params={"at": at}, timeout=10).json()
    assert shown["phone"] == {"number": "", "messages": []}


def test_only_a_policy_that_names_the_channel_is_checked_for_it(tmp_path: Path) -> None:
    """Whoever has no bot need not fit into one."""
    slugs = [spec.slug for spec in specs_for(example().policy)]
    assert slugs == list(DEFAULT_CHANNELS)
    named = ("# policy:\n", "policy:\n  started:\n    - channels: [wecom]\n#\n")
    proposal = read(edited(tmp_path / "announcement.yaml", named), CHANNELS)
    assert {spec.slug for spec in specs_for(proposal.policy)} == {*DEFAULT_CHANNELS, "wecom"}


def test_a_callback_in_a_bots_name_is_somebody_elses(product: Product) -> None:
    """Bots call nobody back."""
    address = product.parts.providers()["wecom"]["counters"].callback_url
    assert [requests.request(method, address, timeout=10).status_code for method in ("GET", "POST")] == [401, 401]
