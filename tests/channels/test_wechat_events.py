"""What the platform says of its own accord: believed when it is signed and fresh, and read without any danger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from broadcaster import clock
from broadcaster.channels.callback import Callback, ForgedError, Heard, ReceiptStatus
from broadcaster.channels.official.crypto import seal, signature
from broadcaster.channels.official.events import ARTICLES, hears
from broadcaster.channels.official.options import AES_KEY, CALLBACK_TOKEN, MassOptions
from broadcaster.channels.provider import Provider
from broadcaster.errors import InputError
from broadcaster.sandbox.faults import FaultKind
from tests.channels.http_server import LocalServer, Received
from tests.channels.wechat_accounts import APPID, APPSECRET, KEY, TOKEN, Account, Platform, account, platform
from tests.support.polling import eventually

PLAIN = Provider(
    "bureau", "http://127.0.0.1:9", APPSECRET, options=MassOptions(appid=APPID), secrets={CALLBACK_TOKEN: TOKEN}
)
hear = hears(ARTICLES)
SAFE = replace(PLAIN, secrets={CALLBACK_TOKEN: TOKEN, AES_KEY: KEY})
SENT = """<xml><ToUserName><![CDATA[gh_4d00ed8d6399]]></ToUserName>
<FromUserName><![CDATA[oV5CrjpxgaGXNHIQigzNlgLTnwic]]></FromUserName><CreateTime>1481013459</CreateTime>
<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[MASSSENDJOBFINISH]]></Event><MsgID>1000001625</MsgID>
<Status><![CDATA[{status}]]></Status><TotalCount>100</TotalCount><FilterCount>80</FilterCount>
<SentCount>{sent}</SentCount><ErrorCount>5</ErrorCount></xml>"""
PUBLISHED = """<xml><ToUserName><![CDATA[gh_4d00ed8d6399]]></ToUserName>
<FromUserName><![CDATA[oV5CrjpxgaGXNHIQigzNlgLTnwic]]></FromUserName><CreateTime>1481013459</CreateTime>
<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[PUBLISHJOBFINISH]]></Event><PublishEventInfo>
<publish_id>2247503051</publish_id><publish_status>{status}</publish_status><article_id><![CDATA[b5O2OUs25]]></article_id>
<article_detail><count>1</count><item><idx>1</idx><article_url><![CDATA[ARTICLE_URL]]></article_url></item>
</article_detail></PublishEventInfo></xml>"""


def signed(body: str, *, age: float = 0, token: str = TOKEN, sealed: str | None = None, **query: str) -> Callback:
    """A request as the platform sends it, so many seconds ago; with what is `sealed` signed too."""
    timestamp, nonce = str(int((clock.machine_now() - timedelta(seconds=age)).timestamp())), "1372623149"
    known = {"signature": signature(token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    if sealed is not None:
        known |= {"msg_signature": signature(token, timestamp, nonce, sealed), "encrypt_type": "aes"}
    return Callback("POST", {**known, **query}, {}, body.encode())


def enclosed(xml: str, appid: str = APPID) -> Callback:
    """An event in the safe mode."""
    sealed = seal(KEY, appid, xml.encode())
    return signed(f"<xml><ToUserName>gh</ToUserName><Encrypt>{sealed}</Encrypt></xml>", sealed=sealed)


def status_of(found: Heard) -> ReceiptStatus | None:
    """What the one receipt says; None when there is none."""
    assert (found.answer, found.media_type.partition(";")[0]) == (b"success", "text/plain")
    return found.receipts[0].status if found.receipts else None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("send success", "delivered"),
        ("sendsuccess", "delivered"),
        ("send fail", "failed"),
        ("err(20001)", "failed"),
        ("err(99999)", "failed"),
        ("", "failed"),
    ],
)
def test_a_mass_send_ended_well_or_not(said: str, status: str) -> None:
    """Whatever the platform objects to, numbers that nobody knows included."""
    assert status_of(hear(signed(SENT.format(status=said, sent=75)), PLAIN)) == status


def test_a_mass_send_that_reached_nobody_failed() -> None:
    """Everybody may have had their four this month."""
    assert status_of(hear(signed(SENT.format(status="send success", sent=0)), PLAIN)) is ReceiptStatus.FAILED


@pytest.mark.parametrize(
    ("said", "status"), [(0, "delivered"), (1, None), *((number, "failed") for number in range(2, 7))]
)
def test_a_publication_ended_well_or_not_or_not_yet(said: int, status: str | None) -> None:
    """1 is under way."""
    assert status_of(hear(signed(PUBLISHED.format(status=said)), PLAIN)) == status


@pytest.mark.parametrize(("xml", "reference"), [(SENT, "1000001625"), (PUBLISHED, "2247503051\nb5O2OUs25")])
def test_a_receipt_names_the_account_and_what_the_platform_calls_the_delivery(xml: str, reference: str) -> None:
    """For it knows neither our broadcasts nor our recipients."""
    [receipt] = hear(signed(xml.format(status="0", sent=1)), PLAIN).receipts
    assert (receipt.broadcast_id, receipt.recipient_id) == ("", 0)
    assert (receipt.address, receipt.reference) == ("bureau", reference)
    assert receipt.at.isoformat() == "2016-12-06T08:37:39+00:00"


def test_other_events_are_taken_and_say_nothing() -> None:
    """Followers come and write; the platform must not bring that again."""
    xml = "<xml><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hello]]></Content></xml>"
    assert status_of(hear(signed(xml), PLAIN)) is None


def test_the_safe_mode_says_the_same() -> None:
    """Sealed for this account, and signed over what is sealed."""
    xml = SENT.format(status="send success", sent=75)
    assert hear(enclosed(xml), SAFE).receipts == hear(signed(xml), PLAIN).receipts


def test_the_address_is_proved_by_an_echo() -> None:
    """When an administrator enters it; not to somebody who does not know the token."""
    found = hear(replace(signed("", echostr="5927782489442352469"), method="GET"), PLAIN)
    assert found.answer == b"5927782489442352469"
    with pytest.raises(ForgedError):
        hear(replace(signed("", token="another", echostr="1"), method="GET"), PLAIN)


GOOD = SENT.format(status="send success", sent=75)


@pytest.mark.parametrize(
    "callback",
    [
        signed(GOOD, token="another"),
        signed(GOOD, signature=""),
        signed(GOOD, signature="é"),
        signed(GOOD, timestamp="1"),
        signed(GOOD, nonce="2"),
        signed(GOOD, age=301),
        signed(GOOD, age=-3600),
        Callback("POST", {}, {}, GOOD.encode()),
        *(
            signed(GOOD, timestamp=odd, signature=signature(TOKEN, odd, "1372623149"))
            for odd in ("", "soon", "-5", "1e9", "9" * 30, "٣")
        ),
    ],
)
def test_what_the_platform_did_not_just_send_is_refused(callback: Callback) -> None:
    """Another token, nothing signed, an address of five minutes ago, a time that is none."""
    with pytest.raises(ForgedError):
        hear(callback, PLAIN)


@pytest.mark.parametrize(
    "callback",
    [
        signed(GOOD),
        signed(enclosed(GOOD).body.decode(), sealed="another"),
        enclosed(GOOD, appid="wxanother"),
        signed("<xml><Encrypt>AAAA</Encrypt></xml>", sealed="AAAA"),
        replace(enclosed(GOOD), body=enclosed(GOOD).body),
    ],
    ids=["plain", "not signed", "for another account", "noise", "another body"],
)
def test_in_the_safe_mode_only_what_is_sealed_is_believed(callback: Callback) -> None:
    """The plain mode does not sign the body."""
    with pytest.raises(ForgedError):
        hear(callback, SAFE)


def test_a_key_that_is_none_is_the_operators_to_mend() -> None:
    """And is not shown."""
    provider = replace(SAFE, secrets={CALLBACK_TOKEN: TOKEN, AES_KEY: "too-short"})
    with pytest.raises(InputError, match="no EncodingAESKey") as caught:
        hear(enclosed(GOOD), provider)
    assert "too-short" not in str(caught.value)


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        ('<!DOCTYPE xml [<!ENTITY a "b">]><xml><Event>&a;</Event></xml>', "declares a document type"),
        ('<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><E>&a;</E></xml>', "declares a document type"),
        ('<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x"><xml/>', "declares a document type"),
        ("<xml>&a;</xml>", "not XML"),
        ("<xml><Event>", "not XML"),
        ("", "not XML"),
        ("{}", "not XML"),
        ('<?xml version="1.0" encoding="nonsense"?><xml/>', "not XML"),
        ("<a>" * 50 + "</a>" * 50, "nested too deeply"),
    ],
)
def test_xml_that_could_do_harm_is_not_read(xml: str, why: str) -> None:
    """No entities, nothing from elsewhere, no endless nesting; sealed or not."""
    for callback, provider in ((signed(xml), PLAIN), (enclosed(xml), SAFE)):
        with pytest.raises(InputError, match=why):
            hear(callback, provider)


@pytest.fixture(scope="module")
def one_platform() -> Iterator[Platform]:
    """A server for the accounts of this file."""
    with platform() as found:
        yield found


def heard(request: Received, found: Account) -> Heard:
    """What an event of the stand-in says."""
    query = dict(parse_qsl(urlsplit(request.path).query))
    return hear(Callback("POST", query, request.headers, request.body), found.provider)


@pytest.mark.parametrize("safe", [False, True], ids=["plain", "safe"])
@pytest.mark.parametrize("way", ["mass", "publish"])
def test_the_stand_in_says_what_became_of_an_article(
    one_platform: Platform, server: LocalServer, way: str, safe: bool
) -> None:
    """Under the reference that its answer gave."""
    found = account(one_platform, way, server, safe=safe)
    sent = found.send()
    eventually(lambda: len(server.received) == 1, "an event has come")
    [receipt] = heard(server.received[0], found).receipts
    assert (receipt.reference.split("\n")[0], receipt.status) == (sent.reference, ReceiptStatus.DELIVERED)
    assert (b"<Encrypt>" in server.received[0].body) == safe


@pytest.mark.parametrize("orders", [{"mass_verdict": "err(20008)"}, {"publish_verdict": 4}])
def test_an_article_that_the_platform_stops_fails(
    one_platform: Platform, server: LocalServer, orders: dict[str, object]
) -> None:
    """After it was accepted; nobody is shown it."""
    found = account(one_platform, next(iter(orders)).partition("_")[0], server)
    found.behave(**orders)
    found.send()
    eventually(lambda: len(server.received) == 1, "an event has come")
    assert heard(server.received[0], found).receipts[0].status is ReceiptStatus.FAILED
    assert found.shown() == 0


@pytest.mark.parametrize(("word", "status"), [("confirmed", "delivered"), ("refused", "failed")])
def test_a_protected_account_waits_for_its_administrator(
    one_platform: Platform, server: LocalServer, word: str, status: str
) -> None:
    """Accepted, and neither shown nor heard of until somebody has decided."""
    found = account(one_platform, "mass", server)
    found.behave(protected=True)
    sent = found.send()
    assert (found.shown(), server.received) == (0, [])
    found.behave(**{word: sent.reference})
    eventually(lambda: len(server.received) == 1, "an event has come")
    assert heard(server.received[0], found).receipts[0].status == status
    assert found.shown() == (1 if status == "delivered" else 0)


def test_an_event_may_come_twice(one_platform: Platform, server: LocalServer) -> None:
    """It says the same, and is told apart by nothing."""
    found = account(one_platform, "mass", server)
    found.order(kind=FaultKind.RECEIPTS_TWICE, seconds=0.05)
    found.send()
    eventually(lambda: len(server.received) == 2, "both have come")
    first, second = (heard(one, found).receipts for one in server.received)
    assert first == second
