"""WeCom group bots: what they are posted, what the code in an answer means, and that their key is seen nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from fastapi import FastAPI

from broadcaster import logs
from broadcaster.channels.base import Call, Delivery, Idempotency, Member, Outcome
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.channels.wecom.adapter import WecomOptions
from broadcaster.channels.wecom.wire import Format, plain
from broadcaster.errors import AmbiguousError, DeliveryError, PermanentError, TransientError
from broadcaster.planning.proposal import read
from broadcaster.rendering.message import Message
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind
from broadcaster.sandbox.postman import Postman
from broadcaster.sandbox.vendors import mount_vendors
from tests.channels.http_server import Answer, LocalServer, local_server
from tests.channels.samples import call
from tests.conftest import Servers
from tests.support.examples import edited, local
from tests.support.product import Product, running_product
from tests.support.serving import address_of, bound, served

CHANNEL = CHANNELS["wecom"]
WECOM = CHANNEL.suppliers["wecom"]
KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
TRANSPORT = Transport(allow_private=True)
OK = Answer(200, b'{"errcode":0,"errmsg":"ok"}')


def bot(url: str, form: Format = Format.MARKDOWN, key: str = KEY) -> Provider:
    """The bot of a group."""
    options = WecomOptions(format=form)
    return Provider("counters", url, key, label="网点通知群", timeout=5.0, supplier="wecom", options=options)


def call_with(text: str) -> Call:
    """A call to one group."""
    whole = call(CHANNELS["banner"])
    message = Message("wecom", whole.phase, "zh-Hans", {"text": text}, ())
    members = (Member(7, "counters", "zh-Hans"),)
    return replace(whole, channel="wecom", members=members, messages={"zh-Hans": message})


def send(provider: Provider, text: str = "**公告**\n> 养老") -> Delivery:
    """Make a call; what became of its one member."""
    [found] = WECOM.adapter.send(call_with(text), provider, TRANSPORT)
    return found


# What it is posted


def test_a_message_is_posted_as_markdown_under_the_key(server: LocalServer) -> None:
    """In raw UTF-8: an escape would count as six bytes of the limit."""
    server.answer = OK
    assert send(bot(server.url)) == Delivery(7, Outcome.ACCEPTED)
    (request,) = server.received
    assert (request.method, request.path) == ("POST", f"/cgi-bin/webhook/send?key={KEY}")
    assert request.body.decode() == '{"msgtype": "markdown", "markdown": {"content": "**公告**\\n> 养老"}}'


def test_a_group_that_reads_along_in_wechat_gets_plain_text(server: LocalServer) -> None:
    """Which shows no Markdown: the marks are gone, and a link is its name and its address."""
    server.answer = OK
    send(bot(server.url, Format.TEXT), "**公告：暂停**\n> 养老\n[查看详情](https://hrss.example/a_b)")
    said = json.loads(server.received[0].body)
    assert said == {"msgtype": "text", "text": {"content": "公告：暂停\n养老\n查看详情 https://hrss.example/a_b"}}


@pytest.mark.parametrize("text", ["1 > 0", "2 * 3 ** 4 [5]", "> a\nb > c"])
def test_what_is_no_mark_stays(text: str) -> None:
    """But for two asterisks, which no sentence has."""
    assert plain(text) == text.replace("**", "").removeprefix("> ")


def test_its_limit_is_that_of_both_forms() -> None:
    """2,048 bytes of UTF-8: 682 Chinese characters, and 2,048 letters."""
    [fits], [over] = (CHANNEL.spec.measure({"text": "停" * count}) for count in (682, 683))
    assert (fits.size, fits.limit, fits.unit, fits.over, over.over) == (2046, 2048, "bytes", False, True)


# What an answer means


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (45009, TransientError, "takes nothing now (errcode 45009)"),
        (45033, TransientError, "takes nothing now (errcode 45033)"),
        (-1, TransientError, "takes nothing now (errcode -1)"),
        (40058, PermanentError, "too long"),
        (44004, PermanentError, "empty"),
        (93000, PermanentError, "the key is none of a bot"),
        (93008, PermanentError, "not in the group any more"),
        (12345, PermanentError, "it refused the message (errcode 12345)"),
    ],
)
def test_an_error_stands_inside_http_200(server: LocalServer, code: int, kind: type[DeliveryError], words: str) -> None:
    """And each has its class; what WeCom says of it may hold the key, and is not repeated."""
    server.answer = Answer(200, json.dumps({"errcode": code, "errmsg": f"invalid, hint: [{KEY}]"}).encode())
    with pytest.raises(DeliveryError) as caught:
        send(bot(server.url))
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert KEY not in f"{caught.value!r} {caught.value.message} {caught.value.hint}"


def test_too_many_messages_are_said_a_minute_later(server: LocalServer) -> None:
    """The limit is by the minute."""
    server.answer = Answer(200, b'{"errcode":45009,"errmsg":"api freq out of limit"}')
    with pytest.raises(TransientError) as caught:
        send(bot(server.url))
    assert caught.value.retry_after == 60


@pytest.mark.parametrize(
    "body", [b"", b"ok", b"<html>", b"[]", b"{}", b'{"errcode": "0"}', b'{"errcode": true}', b"\xff"]
)
def test_a_success_that_says_no_code_is_ambiguous(server: LocalServer, body: bytes) -> None:
    """A page of somebody else: whether the bot said it, nobody knows."""
    server.answer = Answer(200, body)
    with pytest.raises(AmbiguousError, match="cannot be read"):
        send(bot(server.url))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(503), TransientError),
        (Answer(500), AmbiguousError),
        (Answer(404), PermanentError),
        (Answer(302, headers={"location": "https://elsewhere.example"}), PermanentError),
        (Answer(drop=True), AmbiguousError),
    ],
    ids=["503", "500", "404", "302", "dropped"],
)
def test_a_failure_without_a_code_is_classed_by_its_status(
    server: LocalServer, answer: Answer, kind: type[DeliveryError]
) -> None:
    """And never tells the address, in which the key stands."""
    server.answer = answer
    with pytest.raises(DeliveryError) as caught:
        send(bot(server.url))
    assert type(caught.value) is kind
    assert KEY not in f"{caught.value!r} {caught.value.message} {caught.value.hint}"


def test_a_bot_can_be_asked_nothing_and_dedupes_nothing(server: LocalServer) -> None:
    """So what is lost stays unknown, and no group is told twice."""
    assert WECOM.adapter.idempotency is Idempotency.NONE
    with pytest.raises(AmbiguousError, match="cannot be asked"):
        WECOM.adapter.ask(call_with("x"), bot(server.url), TRANSPORT)
    with local_server() as gone:
        pass
    with pytest.raises(TransientError):
        send(bot(gone.url))


@pytest.mark.parametrize(
    "secret", ["", "short", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}", f"{KEY}&a=b"]
)
def test_what_is_no_key_is_found_when_the_site_is_read(secret: str) -> None:
    """Such as the whole address; what is said of it does not repeat it."""
    said = WECOM.wrong_secret(secret)
    assert said
    assert KEY not in said
    assert WECOM.wrong_secret(KEY) is None
    assert KEY not in repr(bot("https://x.example"))


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


def test_a_callback_in_a_bots_name_is_somebody_elses(product: Product) -> None:
    """Bots call nobody back."""
    address = product.parts.providers()["wecom"]["counters"].callback_url
    assert [requests.request(method, address, timeout=10).status_code for method in ("GET", "POST")] == [401, 401]
