"""WeCom group bots: what they are posted, what the code in an answer means, and that their key is seen nowhere."""

from __future__ import annotations

import json

import pytest

from broadcaster.channels.base import Delivery, Outcome
from broadcaster.channels.wecom.wire import Format, plain
from broadcaster.errors import AmbiguousError, DeliveryError, PermanentError, TransientError
from tests.channels.http_server import Answer, LocalServer
from tests.channels.wecom import CHANNEL, KEY, OK, WECOM, bot, send

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
