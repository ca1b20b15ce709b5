"""SMS through Kannel: what it is sent, what its answers mean, and whose delivery reports are believed.

Against answers as a Kannel 1.4.5 gives them; a real one: `tests/integration/test_kannel.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from broadcaster import clock
from broadcaster.channels.base import Call, Delivery, Outcome
from broadcaster.channels.callback import Callback, ForgedError, Receipt, ReceiptStatus
from broadcaster.channels.sms.kannel.options import KannelOptions
from broadcaster.errors import AmbiguousError, DeliveryError, InputError, PermanentError, TransientError
from broadcaster.rendering.message import ADDRESSEE
from tests.channels.http_server import Answer, LocalServer
from tests.channels.kannel import CALLBACK, KANNEL, PASSWORD, PHONE, REPORTS, TRANSPORT, call_with, provider_at


def send(url: str, wanted: Call | None = None) -> Delivery:
    """Make a call; what became of its one member."""
    [found] = KANNEL.adapter.send(wanted or call_with("业务暂停"), provider_at(url), TRANSPORT)
    return found


def error_of(server: LocalServer, status: int, body: str = "") -> DeliveryError:
    """What an answer means for the call."""
    server.answer = Answer(status, body.encode())
    with pytest.raises(DeliveryError) as caught:
        send(server.url)
    return caught.value


def test_everything_but_the_text_stands_in_headers(server: LocalServer) -> None:
    """Nothing stands in the address, which gateways and whatever is before them write down."""
    server.answer = Answer(202, b"0: Accepted for delivery")
    send(server.url)
    (request,) = server.received
    assert (request.method, request.path) == ("POST", "/cgi-bin/sendsms")
    assert request.body.decode() == "业务暂停"
    sent = {name: value for name, value in request.headers.items() if name.startswith(("x-kannel", "content-type"))}
    report = sent.pop("x-kannel-dlr-url")
    assert sent == {
        "content-type": "text/plain; charset=UTF-8",
        "x-kannel-username": "hrss",
        "x-kannel-password": PASSWORD,
        "x-kannel-from": "10691234",
        "x-kannel-to": PHONE,
        "x-kannel-coding": "2",
        "x-kannel-validity": "299",
        "x-kannel-dlr-mask": "19",
    }
    assert re.fullmatch(rf"{CALLBACK}\?broadcast=b{{20}}&id=7&mac=[0-9a-f]{{64}}&status=%d&at=%T", report), (
        "and in the address of the report there is no phone"
    )


@pytest.mark.parametrize(("text", "coding"), [("Notice [1] €5", "0"), ("Notice – 5", "2"), ("暂停", "2")])
def test_a_text_goes_out_in_the_alphabet_that_it_is_measured_in(server: LocalServer, text: str, coding: str) -> None:
    """One character outside the GSM alphabet makes it UCS-2."""
    server.answer = Answer(202)
    send(server.url, call_with(text))
    assert server.received[0].headers["x-kannel-coding"] == coding


def test_a_text_that_names_its_reader_is_each_persons_own(server: LocalServer) -> None:
    """As on every way to a phone."""
    server.answer = Answer(202)
    send(server.url, call_with(f"{ADDRESSEE}，您好", name="王芳"))
    assert server.received[0].body.decode() == "王芳，您好"


@pytest.mark.parametrize(
    ("left", "minutes"), [(timedelta(seconds=30), "1"), (timedelta(minutes=90), "89"), (timedelta(days=9), "2880")]
)
def test_nobody_is_told_later_what_is_no_longer_true(server: LocalServer, left: timedelta, minutes: str) -> None:
    """What waits for a phone that is off is dropped by the carrier; for two days at most it is asked to keep it."""
    server.answer = Answer(202)
    send(server.url, call_with("业务暂停", left=left))
    assert server.received[0].headers["x-kannel-validity"] == minutes


def test_a_percent_sign_of_ours_is_not_filled_in(server: LocalServer) -> None:
    """Kannel takes `%d` for its own; ours is doubled."""
    server.answer = Answer(202)
    KANNEL.adapter.send(call_with("x"), provider_at(server.url, "https://hrss.example/%d/callbacks"), TRANSPORT)
    assert server.received[0].headers["x-kannel-dlr-url"].startswith("https://hrss.example/%%d/callbacks?")


@pytest.mark.parametrize("body", ["0: Accepted for delivery", "3: Queued for later delivery", "Sent."])
def test_202_accepts(server: LocalServer, body: str) -> None:
    """Also while the carrier cannot be reached: the gateway keeps the message."""
    server.answer = Answer(202, body.encode())
    assert send(server.url) == Delivery(7, Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, "Number(s) has/have been denied by white- and/or black-lists.", "lists do not let this number through"),
        (403, "Not routable. Do not try again.", "no route to this number"),
    ],
)
def test_a_refused_number_is_no_fault_of_the_account(server: LocalServer, status: int, body: str, reason: str) -> None:
    """Its recipient is rejected with a reason; the provider's circuit need not know."""
    server.answer = Answer(status, body.encode())
    found = send(server.url)
    assert found.outcome is Outcome.REJECTED
    assert reason in found.reason


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (403, "Authorization failed for sendsms", PermanentError, "does not accept the user and password"),
        (400, "Sender missing and no global set, rejected", PermanentError, "it wants a sender"),
        (400, "Charset or body misformed, rejected", PermanentError, "gateway answered 400"),
        (404, "Unknown request.", PermanentError, "gateway answered 404"),
        (503, "Temporal failure, try again later.", TransientError, "gateway answered 503"),
        (500, "Sending failed.", AmbiguousError, "gateway answered 500"),
        (200, "<html>a page of somebody else</html>", AmbiguousError, "not as Kannel does"),
        (204, "", AmbiguousError, "not as Kannel does"),
        (302, "", PermanentError, "gateway answered 302"),
    ],
)
def test_every_other_answer_has_its_class(
    server: LocalServer, status: int, body: str, kind: type[DeliveryError], words: str
) -> None:
    """503 is surely not accepted; a 5xx beside it, and a success that is not Kannel's, may be."""
    found = error_of(server, status, body)
    assert type(found) is kind
    assert words in found.message


@pytest.mark.parametrize(
    "answer",
    [
        Answer(403, b"Authorization failed for sendsms"),
        Answer(400, f"what about {PHONE} {PASSWORD}".encode()),
        Answer(403, f"Not routable. {PHONE} {PASSWORD}".encode()),
        Answer(500, f"{PHONE} {PASSWORD}".encode()),
        Answer(drop=True),
    ],
    ids=["auth", "400", "refused", "500", "dropped"],
)
def test_no_message_holds_a_password_or_a_phone(server: LocalServer, answer: Answer) -> None:
    """Whatever the gateway answers; nor does the provider show one."""
    server.answer = answer
    try:
        said = send(server.url).reason
    except DeliveryError as error:
        said = f"{error.message} {error.hint} {error!r}"
    assert said
    shown = f"{said} {provider_at(server.url)!r}"
    assert not [secret for secret in (PHONE, PHONE[3:], PASSWORD, REPORTS) if secret in shown]


def report(server: LocalServer, **changed: str) -> Callback:
    """A report as Kannel makes it of the address that it was given, with some of it changed."""
    server.answer = Answer(202)
    send(server.url)
    address = server.received[-1].headers["x-kannel-dlr-url"].replace("%d", "1").replace("%T", "1645149600")
    query = dict(parse_qsl(urlsplit(address.replace("%%", "%")).query))
    return Callback("GET", {**query, **changed}, {}, b"")


def heard(callback: Callback) -> tuple[Receipt, ...]:
    """What a callback says."""
    return KANNEL.hear(callback, provider_at("http://127.0.0.1:9")).receipts


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("1", ReceiptStatus.DELIVERED),
        ("2", ReceiptStatus.FAILED),
        ("16", ReceiptStatus.FAILED),
        ("4", None),
        ("8", None),
    ],
)
def test_a_report_says_what_became_of_a_delivery(
    server: LocalServer, status: str, meaning: ReceiptStatus | None
) -> None:
    """Delivered, not delivered, refused by the carrier; that it waits or was taken is nothing final."""
    at = datetime.fromtimestamp(1645149600, UTC)
    wanted = (Receipt("b" * 20, 7, meaning, at),) if meaning else ()
    assert heard(report(server, status=status)) == wanted


@pytest.mark.parametrize(
    "changed",
    [{"id": "8"}, {"broadcast": "c" * 20}, {"mac": "0" * 64}, {"mac": ""}, {"mac": "密"}, {"id": "7\n"}],
    ids=["recipient", "broadcast", "mac", "no mac", "no ASCII", "a line more"],
)
def test_a_forged_report_is_not_believed(server: LocalServer, changed: dict[str, str]) -> None:
    """One that is about another delivery than the one whose address it has."""
    with pytest.raises(ForgedError):
        heard(report(server, **changed))


def test_a_report_of_another_provider_is_not_believed(server: LocalServer) -> None:
    """Nor one that comes by another method, or under another secret."""
    found = report(server)
    provider = provider_at(server.url)
    for stranger in (replace(provider, name="other"), replace(provider, secrets={"reports": "another"})):
        with pytest.raises(ForgedError):
            KANNEL.hear(found, stranger)
    with pytest.raises(ForgedError):
        heard(replace(found, method="POST"))
    with pytest.raises(ForgedError):
        heard(Callback("GET", {}, {}, b""))


@pytest.mark.parametrize("changed", [{"status": "3"}, {"status": ""}, {"at": "%T"}, {"at": ""}, {"at": "9" * 30}])
def test_a_report_that_cannot_be_read_says_what_is_off(server: LocalServer, changed: dict[str, str]) -> None:
    """It was ours, and was not filled in."""
    with pytest.raises(InputError, match="of a delivery report is"):
        heard(report(server, **changed))


def test_a_report_is_never_later_than_its_arrival(server: LocalServer) -> None:
    """Should the gateway's clock run ahead."""
    [receipt] = heard(report(server, at="32503680000"))
    assert receipt.at <= clock.now()


@pytest.mark.parametrize("words", ["Missing receiver number, rejected", "Missing receiver(s) number(s), rejected"])
def test_a_probe_is_a_message_to_nobody(server: LocalServer, words: str) -> None:
    """That the number is missed shows that user and password were found right."""
    server.answer = Answer(400, words.encode())
    assert KANNEL.probe
    assert KANNEL.probe(provider_at(server.url), TRANSPORT) == "user and password are right"
    assert "x-kannel-to" not in server.received[0].headers


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(403, b"Authorization failed for sendsms"), PermanentError),
        (Answer(404, b"Unknown request."), PermanentError),
        (Answer(200, b"<html>"), PermanentError),
        (Answer(503), TransientError),
    ],
)
def test_a_probe_that_finds_something_else_fails(
    server: LocalServer, answer: Answer, kind: type[DeliveryError]
) -> None:
    """A page that answers everything with 200 is no gateway."""
    server.answer = answer
    assert KANNEL.probe
    with pytest.raises(kind):
        KANNEL.probe(provider_at(server.url), TRANSPORT)


@pytest.mark.parametrize("secret", ["", "a b", "密码", "a\nb"])
def test_a_password_that_no_header_carries_is_no_secret(secret: str) -> None:
    """Found when the site is read, and not at the first call."""
    assert KANNEL.wrong_secret(secret)
    assert KANNEL.wrong_secret(PASSWORD) is None


@pytest.mark.parametrize(
    "options", [{}, {"username": "hrss"}, {"username": "hrss", "sender": ""}, {"username": "a b", "sender": "1"}]
)
def test_user_and_sender_must_be_said(options: dict[str, Any]) -> None:
    """Kannel refuses a message from nobody."""
    with pytest.raises(ValueError, match="validation error"):
        KannelOptions.model_validate(options)
