"""Template messages at the platform: what is sent, what each answer means, and what the stand-in holds senders to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from broadcaster.channels.callback import Callback, ReceiptStatus
from broadcaster.channels.followers.message import finished
from broadcaster.channels.official import wire
from broadcaster.channels.official.client import Client
from broadcaster.errors import (
    AmbiguousError,
    DeliveryError,
    PermanentError,
    SpoiltError,
    TransientError,
)
from broadcaster.rendering.message import Message
from broadcaster.sandbox.faults import FaultKind
from tests.channels.http_server import Answer, LocalServer, Received
from tests.channels.samples import address
from tests.channels.template_accounts import (
    OPENID,
    TEMPLATE,
    Account,
    account,
    accounts,
    approved,
    template_options,
)
from tests.channels.wechat_accounts import APPSECRET, TOKEN, Platform
from tests.support.polling import eventually

GONE, AWAY = address(TEMPLATE, "999"), address(TEMPLATE, "888")
PROBE = TEMPLATE.suppliers["official"].probe


@pytest.fixture(scope="module")
def one_platform() -> Iterator[Platform]:
    """A server for the accounts of this file."""
    with accounts() as found:
        yield found


@pytest.fixture
def bureau(one_platform: Platform) -> Account:
    """An account that has the templates for the example."""
    return account(one_platform)


def failure(found: Account, openid: str = OPENID, **fields: Any) -> DeliveryError:
    """How a call fails; whatever it says, no secret and no openid is in it, and nobody was shown anything."""
    with pytest.raises(DeliveryError) as caught:
        found.send(found.to(openid, **fields))
    told = f"{caught.value.message} {caught.value.hint} {caught.value!r} {caught.value.__cause__!r}"
    assert not [word for word in (APPSECRET, TOKEN, openid) if word in told]
    assert found.shown_to(openid) == 0
    return caught.value


def test_what_goes_over_the_wire(server: LocalServer, bureau: Account) -> None:
    """One follower, the template's id, a value for each keyword in raw UTF-8, the page behind it, and our mark."""
    said: dict[str, Any] = {"access_token": "t", "expires_in": 7200, "errcode": 0, "msgid": 3214000007}
    server.answer = Answer(body=json.dumps(said).encode())
    found = replace(bureau, provider=replace(bureau.provider, url=server.url)).send()
    assert (found.outcome, found.reference) == ("accepted", "3214000007")
    request = server.received[-1]
    assert urlsplit(request.path).path == "/cgi-bin/message/template/send"
    assert dict(parse_qsl(urlsplit(request.path).query)) == {"access_token": "t"}
    assert b"\\u" not in request.body
    payload = json.loads(request.body)
    assert payload["touser"] == OPENID
    assert payload["url"] == bureau.sample.link
    assert payload["client_msg_id"][:20] == bureau.sample.broadcast
    assert len(payload["client_msg_id"]) == 32
    values = {name: field["value"] for name, field in payload["data"].items()}
    assert values == {
        "thing1": "养老、失业、工伤保险等业务",
        "thing2": "已经暂停",
        "time3": "2022年2月26日 00:00",
        "time4": "2022年3月21日 00:00",
        "phone_number5": "12333",
    }


def test_without_a_page_nothing_opens(server: LocalServer, bureau: Account) -> None:
    """The platform is told no address that there is none of."""
    server.answer = Answer(body=b'{"access_token": "t", "expires_in": 7200, "errcode": 0, "msgid": 1}')
    elsewhere = replace(bureau, provider=replace(bureau.provider, url=server.url))
    elsewhere.send(elsewhere.to(OPENID, link=None))
    assert "url" not in json.loads(server.received[-1].body)


def test_a_follower_reads_the_message_once_however_often_it_is_sent(bureau: Account) -> None:
    """The same call is the same `client_msg_id`: the same answer, and nothing shown again."""
    assert bureau.send() == bureau.send()
    assert bureau.shown_to() == 1
    assert bureau.behave()["repeats"] == 1


def test_a_mark_is_known_for_one_follower_only(bureau: Account) -> None:
    """Two calls of one broadcast are two; so are two followers under one mark."""
    other = address(TEMPLATE, "002")
    bureau.send(replace(bureau.to(other), key=bureau.sample.key))
    bureau.send()
    assert (bureau.shown_to(), bureau.shown_to(other)) == (1, 1)


@pytest.mark.parametrize(("openid", "code"), [(GONE, 43004), ("oShort", 40003)])
def test_who_cannot_be_told_says_nothing_against_the_account(bureau: Account, openid: str, code: int) -> None:
    """Refused for good, and no reason to leave the account alone."""
    error = failure(bureau, openid)
    assert isinstance(error, SpoiltError)
    assert f"({code})" in error.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40037, PermanentError),
        (47003, PermanentError),
        (48001, PermanentError),
        (45009, TransientError),
        (45011, TransientError),
        (40001, TransientError),
        (42001, TransientError),
        (-1, AmbiguousError),
        (43019, SpoiltError),
        (43101, SpoiltError),
        (48002, SpoiltError),
        (50005, SpoiltError),
    ],
)
def test_each_code_of_the_platform_has_its_class(
    server: LocalServer, bureau: Account, code: int, kind: type[DeliveryError]
) -> None:
    """With words for people; what concerns one reader is told apart from what concerns the account."""

    def answer(request: Received) -> Answer:
        if request.path.startswith(wire.STABLE_TOKEN):
            return Answer(body=b'{"access_token": "%d", "expires_in": 7200}' % len(server.received))
        return Answer(body=json.dumps({"errcode": code, "errmsg": "words"}).encode())

    server.answer = answer
    error = failure(replace(bureau, provider=replace(bureau.provider, url=server.url)))
    assert type(error) is kind
    assert f"({code})" in error.message
    assert "words" not in error.message


def test_a_mark_that_the_platform_calls_known_was_accepted(server: LocalServer, bureau: Account) -> None:
    """Mass sends are answered so; its documents leave open whether template messages are."""
    said = {"access_token": "t", "expires_in": 7200, "errcode": 45065, "msgid": 8}
    server.answer = lambda request: Answer(
        body=json.dumps({**said, "errcode": 0} if request.path.startswith(wire.STABLE_TOKEN) else said).encode()
    )
    found = replace(bureau, provider=replace(bureau.provider, url=server.url)).send()
    assert (found.outcome, found.reference) == ("accepted", "8")


@pytest.mark.parametrize("order", ["revoked", "expired"])
def test_a_token_that_is_none_any_more_is_fetched_anew(bureau: Account, order: str) -> None:
    """Once, and nobody notices."""
    bureau.send()
    bureau.behave(tokens=order)
    assert bureau.send(bureau.to(address(TEMPLATE, "002"))).outcome == "accepted"


def test_a_busy_platform_is_tried_again_under_the_same_mark(bureau: Account) -> None:
    """Perhaps it had taken the message; its mark settles it."""
    bureau.behave(busy=1)
    made = bureau.to(OPENID)
    with pytest.raises(AmbiguousError):
        bureau.send(made)
    assert bureau.send(made).outcome == "accepted"
    assert bureau.shown_to() == 1


def test_when_the_days_calls_are_used_up_nobody_was_told(bureau: Account) -> None:
    """It is left alone for a while."""
    bureau.behave(a_day=1)
    bureau.send()
    error = failure(bureau, address(TEMPLATE, "002"))
    assert isinstance(error, TransientError)
    assert (error.retry_after, "(45009)" in error.message) == (3600, True)


def test_words_that_no_template_gives_go_to_nobody(bureau: Account) -> None:
    """And the platform is not asked: it would put them into another frame."""
    [member] = bureau.sample.members
    message = bureau.sample.messages[member.language]
    other = Message(TEMPLATE.slug, message.phase, message.language, {"text": "服务已停"}, ())
    error = failure(bureau, messages={member.language: other})
    assert isinstance(error, PermanentError)
    assert "gives the text that is to be sent" in error.message


def test_the_stand_in_holds_values_to_their_kinds(bureau: Account) -> None:
    """As the platform does: 21 characters are too many for a `thing`, a keyword must not be missing."""
    client = Client(bureau.provider, bureau.transport)
    row = approved()[0]
    good = {
        "thing1": {"value": "a" * 20},
        "thing2": {"value": "b"},
        "time3": {"value": "2022年2月26日 00:00"},
        "time4": {"value": "2022-03-21 00:00"},
        "phone_number5": {"value": "12333"},
    }

    def code(**changed: object) -> int:
        payload = {"touser": OPENID, "template_id": row["template_id"], "client_msg_id": "", "data": good, **changed}
        return client.post(wire.SEND_TEMPLATE, payload).code

    assert code() == 0
    assert code(template_id="another-template-of-somebody-else") == 40037
    assert code(data={**good, "thing1": {"value": "a" * 21}}) == 47003
    assert code(data={**good, "time3": {"value": "2022年2月26日0时"}}) == 47003
    assert code(data={name: value for name, value in good.items() if name != "thing2"}) == 47003


@pytest.mark.parametrize(("openid", "status"), [(OPENID, "delivered"), (AWAY, "failed")])
def test_an_event_says_what_became_of_it(one_platform: Platform, server: LocalServer, openid: str, status: str) -> None:
    """In the name of the follower, under the `msgid` of the answer; who takes no messages was not reached."""
    found = account(one_platform, server)
    sent = found.send(found.to(openid))
    eventually(lambda: len(server.received) == 1, "an event has come")
    [request] = server.received
    query = dict(parse_qsl(urlsplit(request.path).query))
    heard = TEMPLATE.suppliers["official"].hear(Callback("POST", query, request.headers, request.body), found.provider)
    [receipt] = heard.receipts
    assert heard.answer == b"success"
    assert (receipt.address, receipt.reference, str(receipt.status)) == (openid, sent.reference, status)


@pytest.mark.parametrize(("said", "status"), [("failed: system failed", "failed"), ("success", "delivered")])
def test_the_platform_may_fail_by_itself(
    one_platform: Platform, server: LocalServer, said: str, status: ReceiptStatus
) -> None:
    """Whatever is no success is a failure."""
    found = account(one_platform, server)
    found.behave(status=said)
    found.send()
    eventually(lambda: len(server.received) == 1, "an event has come")
    query = dict(parse_qsl(urlsplit(server.received[0].path).query))
    callback = Callback("POST", query, server.received[0].headers, server.received[0].body)
    [receipt] = TEMPLATE.suppliers["official"].hear(callback, found.provider).receipts
    assert receipt.status == status


def test_a_lost_answer_is_in_doubt_until_the_mark_settles_it(bureau: Account) -> None:
    """The follower has it; made again, it is the same message."""
    bureau.order(kind=FaultKind.DROP_AFTER)
    with pytest.raises(AmbiguousError):
        bureau.send()
    assert bureau.send().outcome == "accepted"
    assert bureau.shown_to() == 1


def test_looking_at_an_account_holds_its_templates_against_the_site(bureau: Account) -> None:
    """Each by its id and its text; and says what is left of today."""
    assert PROBE
    said = PROBE(bureau.provider, bureau.transport)
    assert said.startswith(f"{len(approved())} templates as configured; 100000 calls of /cgi-bin/message/template/send")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"template_id": "another-template-of-somebody-else"}, "the account has no template another-template-of"),
        ({"text": "服务：{{thing1.DATA}}"}, "has another text at the platform"),
    ],
)
def test_a_template_that_differs_at_the_platform_is_found(bureau: Account, fields: dict[str, str], says: str) -> None:
    """Before anybody is told."""
    assert PROBE
    options = template_options(templates=[{**approved()[0], **fields}])
    with pytest.raises(PermanentError, match=says):
        PROBE(replace(bureau.provider, options=options), bureau.transport)


def test_blank_lines_of_a_template_are_no_lines() -> None:
    """Where a message leaves one out, nothing stands in its place."""
    assert finished("a：b\n\n  c：d  \n", "zh-Hans") == "a：b\nc：d"
