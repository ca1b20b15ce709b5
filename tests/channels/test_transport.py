"""HTTP on the way out, against a real server: signed, cautious about where it goes, honest about what went wrong."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from broadcaster import clock
from broadcaster.channels import sending
from broadcaster.channels.addresses import is_loopback
from broadcaster.channels.answers import MAX_ANSWER_BYTES
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import CONNECT_TIMEOUT, Request, Transport, patience
from broadcaster.errors import AmbiguousError, DeliveryError, PermanentError, TransientError
from tests.builders import at
from tests.channels.http_server import Answer, LocalServer, local_server

SECRET = "whsec_" + b64encode(b"a secret of this test, 32 bytes.").decode()
AT = at("2022-02-26 08:00")


def _post(url: str, transport: Transport | None = None, *, timeout: float = 5.0) -> bytes:
    provider = Provider("vendor", url, SECRET, timeout=timeout)
    return (transport or Transport(allow_private=True)).post_event(provider, "key-1", "sms.send", AT, {"text": "暂停"})


def _error(url: str, transport: Transport | None = None, *, timeout: float = 5.0) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        _post(url, transport, timeout=timeout)
    return caught.value


def test_the_body_of_a_success_is_given_back(server: LocalServer) -> None:
    """Any 2xx is one."""
    server.answer = Answer(202, b'{"reference": "r1"}')
    assert _post(server.url) == b'{"reference": "r1"}'


def test_the_receiver_can_verify_the_signature(server: LocalServer) -> None:
    """By the Standard Webhooks library, with nothing but the shared secret."""
    _post(server.url)
    (request,) = server.received
    event = Webhook(SECRET).verify(request.body, request.headers)
    assert event == {"type": "sms.send", "timestamp": "2022-02-26T08:00:00+08:00", "data": {"text": "暂停"}}
    assert request.headers["webhook-id"] == "key-1"


def test_the_signature_is_of_machine_time(server: LocalServer) -> None:
    """The event tells campaign time, which a rehearsal may move; the signature must be fresh all the same."""
    _post(server.url)
    (request,) = server.received
    assert int(request.headers["webhook-timestamp"]) > AT.timestamp() + 365 * 24 * 3600


def test_text_goes_out_as_raw_utf_8(server: LocalServer) -> None:
    """Never as \\u escapes, which some receivers show as they are."""
    _post(server.url)
    (request,) = server.received
    assert "暂停".encode() in request.body
    assert b"\\u" not in request.body
    assert request.headers["content-type"] == "application/json; charset=utf-8"


def test_two_calls_share_a_connection(server: LocalServer) -> None:
    """A million messages do not need a million handshakes."""
    transport = Transport(allow_private=True)
    _post(server.url, transport)
    _post(server.url, transport)
    assert len({request.connection for request in server.received}) == 1
    assert len(server.received) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: LocalServer, status: int) -> None:
    """Whoever can answer for a provider must not choose where the numbers go."""
    with local_server() as target:
        server.answer = Answer(status, headers={"location": target.url})
        assert isinstance(_error(server.url), PermanentError)
        assert target.received == []


def test_proxy_variables_are_ignored(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's shell says does not reroute the public's numbers."""
    with local_server() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        _post(server.url)
        assert (len(server.received), proxy.received) == (1, [])


def test_a_private_address_is_refused_unless_allowed(server: LocalServer) -> None:
    """Nothing is sent, and the hint names the setting."""
    error = _error(server.url, Transport())
    assert isinstance(error, PermanentError)
    assert "allow_private_addresses" in (error.hint or "")
    assert server.received == []


@pytest.mark.parametrize(
    "url",
    ["http://localhost:9/", "http://10.0.0.1/", "http://192.168.1.1/", "http://169.254.169.254/", "http://[::1]/"],
)
def test_every_kind_of_private_address_is_refused(url: str) -> None:
    """A name that resolves to one, home and office networks, a cloud's metadata, IPv6."""
    assert isinstance(_error(url, Transport()), PermanentError)


def test_a_rehearsal_reaches_loopback_only(server: LocalServer) -> None:
    """Its stand-ins run on this machine; nothing else is even looked up."""
    _post(server.url, Transport(loopback_only=True))
    assert len(server.received) == 1
    error = _error("http://vendor.invalid/send", Transport(loopback_only=True))
    assert (type(error), error.message) == (PermanentError, "vendor: a rehearsal reaches loopback addresses only")


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000/x", True),
        ("http://127.8.8.8/", True),
        ("http://[::1]:8000/", True),
        ("http://localhost/", True),
        ("http://localhost.example.org/", False),
        ("http://127.0.0.1.example.org/", False),
        ("http://127.0.0.1@example.org/", False),
        ("http://10.0.0.1/", False),
        ("http:///", False),
    ],
)
def test_a_loopback_address_is_one_that_is_written_so(url: str, *, loopback: bool) -> None:
    """A name that merely resolves to one, or begins like one, is not."""
    assert is_loopback(url) is loopback


@pytest.mark.parametrize("status", [429, 503])
def test_busy_is_transient(server: LocalServer, status: int) -> None:
    """The provider says that it took nothing, and when to come back."""
    server.answer = Answer(status, headers={"retry-after": "7"})
    error = _error(server.url)
    assert isinstance(error, TransientError)
    assert (error.message, error.retry_after) == (f"vendor answered {status}", 7.0)


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"])
def test_when_to_come_back_may_be_a_date(server: LocalServer, form: str) -> None:
    """In each of the three forms of RFC 9110, always in GMT; as seconds from now."""
    until = clock.machine_now().astimezone(UTC) + timedelta(minutes=20)
    server.answer = Answer(503, headers={"retry-after": until.strftime(form)})
    error = _error(server.url)
    assert isinstance(error, TransientError)
    assert error.retry_after is not None
    assert timedelta(minutes=19) < timedelta(seconds=error.retry_after) <= timedelta(minutes=20)


def test_a_date_to_come_back_that_is_past_asks_for_nothing(server: LocalServer) -> None:
    """Our own back-off holds then."""
    server.answer = Answer(503, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})
    error = _error(server.url)
    assert isinstance(error, TransientError)
    assert error.retry_after == 0


@pytest.mark.parametrize(
    "value", ["", "soon", "-1", "Wed, 99 Oct 2015 07:28:00 GMT", "1 Oct 99999999999999999999", "²"]
)
def test_a_retry_after_that_cannot_be_read_is_passed_over(server: LocalServer, value: str) -> None:
    """Our own back-off holds then."""
    server.answer = Answer(503, headers={"retry-after": value})
    error = _error(server.url)
    assert isinstance(error, TransientError)
    assert error.retry_after is None


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_failure_inside_the_provider_is_ambiguous(server: LocalServer, status: int) -> None:
    """It may have failed after the message went out."""
    server.answer = Answer(status)
    assert isinstance(_error(server.url), AmbiguousError)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_a_refusal_is_permanent(server: LocalServer, status: int) -> None:
    """The same request would be refused again."""
    server.answer = Answer(status)
    assert isinstance(_error(server.url), PermanentError)


def test_a_refused_connection_is_transient() -> None:
    """Nothing was sent: nobody listens on a port that was just given back."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(_error(f"http://127.0.0.1:{port}/"), TransientError)


@pytest.mark.parametrize("transport", [Transport(), Transport(allow_private=True)])
def test_a_name_without_an_address_is_transient(transport: Transport) -> None:
    """Nothing was sent, with the address filter and without it: name servers come back."""
    assert isinstance(_error("http://nobody.invalid/", transport), TransientError)


def test_a_connection_dropped_after_the_request_is_ambiguous(server: LocalServer) -> None:
    """The provider has read the whole of it."""
    server.answer = Answer(drop=True)
    assert isinstance(_error(server.url), AmbiguousError)
    assert len(server.received) == 1


def test_an_answer_that_breaks_off_is_ambiguous(server: LocalServer) -> None:
    """It announced more than came."""
    server.answer = Answer(200, b"{", headers={"content-length": "100", "connection": "close"})
    assert isinstance(_error(server.url), AmbiguousError)


def test_an_answer_that_never_comes_is_ambiguous(server: LocalServer) -> None:
    """After the provider's own timeout, without a second try."""
    server.answer = Answer(hang=True)
    assert isinstance(_error(server.url, timeout=0.2), AmbiguousError)
    assert len(server.received) == 1


def test_an_answer_may_take_as_long_as_the_site_says() -> None:
    """Not only as long as a connection."""
    found = patience(Provider("vendor", "http://127.0.0.1:9", SECRET, timeout=29.0))
    assert (found.connect, found.silence) == (CONNECT_TIMEOUT, 29.0)


@pytest.mark.parametrize("transport", [Transport(), Transport(allow_private=True)])
@pytest.mark.parametrize(
    "url",
    [
        "http://a..b/",
        f"http://{'a' * 64}.example/",
        "http://*.example/",
        "http://[::1/",
        "ftp://127.0.0.1/",
        "nowhere",
        "http://127.0.0.1:9/?a=\ud800",
    ],
)
def test_an_address_that_is_none_is_permanent(url: str, transport: Transport) -> None:
    """Trying again does not mend it."""
    assert isinstance(_error(url, transport), PermanentError)


def test_a_query_goes_out_as_it_is_meant(server: LocalServer) -> None:
    """What is encoded stays so, what is not is; the place within a page is nobody's business there."""
    provider = Provider("vendor", f"{server.url}/send?rate=50%&name=%E5%B2%9B&at=a b#top?of=page", SECRET, timeout=5.0)
    Transport(allow_private=True).exchange(provider, Request("POST", provider.url, query={"key": "岛&"}))
    (request,) = server.received
    assert request.path == "/send?rate=50%25&name=%E5%B2%9B&at=a%20b&key=%E5%B2%9B%26"


def _broken() -> list[tuple[str, Answer]]:
    return [
        *((f"status {status}", Answer(status)) for status in (301, 400, 429, 500)),
        ("dropped", Answer(drop=True)),
        ("silent", Answer(hang=True)),
    ]


@pytest.mark.parametrize("answer", [pytest.param(answer, id=name) for name, answer in _broken()])
def test_no_error_repeats_an_address_or_a_secret(server: LocalServer, answer: Answer) -> None:
    """Providers take keys in their URLs, and errors end up in logs and reports."""
    server.answer = answer
    error = _error(f"{server.url}/hunter1/send?key=hunter2", timeout=0.2)
    said = f"{error} {error.message} {error.hint} {error!r}"
    assert [word for word in ("hunter1", "hunter2", SECRET.removeprefix("whsec_")) if word in said] == []


def test_no_error_before_sending_repeats_an_address(server: LocalServer) -> None:
    """Nor does one of an address that is refused, unknown or no address."""
    urls = [server.url, "http://nobody.invalid", "http://a..b"]
    errors = [_error(f"{url}/hunter1?key=hunter2", Transport()) for url in urls]
    assert [error for error in errors if "hunter" in f"{error} {error.hint}"] == []


def test_the_secret_does_not_show_in_a_provider() -> None:
    """However it is printed."""
    provider = Provider("vendor", "https://vendor.example", SECRET)
    assert SECRET not in f"{provider} {replace(provider, label='x')!r}"


def test_the_body_is_the_same_when_a_call_is_repeated(server: LocalServer) -> None:
    """Only then is the provider right to dedupe on the key."""
    _post(server.url)
    _post(server.url)
    first, second = server.received
    assert first.body == second.body
    assert json.loads(first.body)["data"] == {"text": "暂停"}
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_an_answer_that_does_not_end_is_cut_off(server: LocalServer) -> None:
    """Over the limit nobody reads on; it was a success, so the public may have seen it."""
    server.answer = Answer(body=b"x" * (MAX_ANSWER_BYTES + 1))
    found = _error(server.url)
    assert isinstance(found, AmbiguousError)
    assert "does not end" in found.message


def test_a_call_can_be_dated_when_it_was_written_down(server: LocalServer) -> None:
    """A worker that was frozen for an hour sends what every receiver then refuses as too old."""
    long_ago = clock.machine_now() - timedelta(hours=1)
    _post(server.url, Transport(allow_private=True).dated(long_ago))
    (request,) = server.received
    assert int(request.headers["webhook-timestamp"]) == int(long_ago.timestamp())
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(request.body, request.headers)


def test_dating_one_call_dates_no_other(server: LocalServer) -> None:
    """The transport itself goes on with the present, on the same connection."""
    transport = Transport(allow_private=True)
    _post(server.url, transport.dated(AT))
    _post(server.url, transport)
    first, second = server.received
    assert int(first.headers["webhook-timestamp"]) == AT.timestamp()
    assert int(second.headers["webhook-timestamp"]) > AT.timestamp()
    assert first.connection == second.connection


def test_a_signature_that_is_refused_for_its_age_is_transient(server: LocalServer) -> None:
    """A fresh one that is refused is a wrong secret, and permanent."""
    server.answer = Answer(401)
    stale = Transport(allow_private=True).dated(clock.machine_now() - timedelta(minutes=6))
    assert isinstance(_error(server.url, stale), TransientError)
    assert isinstance(_error(server.url), PermanentError)


def _ask(url: str, transport: Transport | None = None, *, timeout: float = 5.0) -> bytes | None:
    provider = Provider("vendor", url, SECRET, timeout=timeout)
    return (transport or Transport(allow_private=True)).get_event(provider, "key-1")


def _no_answer(url: str, transport: Transport | None = None, *, timeout: float = 5.0) -> DeliveryError:
    with pytest.raises((TransientError, AmbiguousError)) as caught:
        _ask(url, transport, timeout=timeout)
    return caught.value


def test_a_question_is_signed_over_an_empty_body(server: LocalServer) -> None:
    """By the same library; the key stands in the header that is signed, and in the address."""
    _ask(f"{server.url}/hook?account=7")
    (request,) = server.received
    Webhook(SECRET).verify(request.body, request.headers, json_parse=False)
    assert (request.method, request.body, request.headers["webhook-id"]) == ("GET", b"", "key-1")
    assert request.path == "/hook?account=7&webhook-id=key-1"
    assert request.headers["cache-control"] == "no-store"


def test_a_question_is_answered_with_what_the_call_got(server: LocalServer) -> None:
    """As it was then."""
    server.answer = Answer(body=b'{"reference": "r1"}')
    assert _ask(server.url) == b'{"reference": "r1"}'


def test_a_call_that_was_never_seen_is_named(server: LocalServer) -> None:
    """A 404 that repeats the key is the only proof of it."""
    server.answer = Answer(404, b'{"webhook-id": "key-1"}')
    assert _ask(server.url) is None


@pytest.mark.parametrize(
    "body", [b"", b"not found", b"{}", b'{"detail": "Not Found"}', b'{"webhook-id": "key-2"}', b"[]", b"[" * 100_000]
)
def test_a_404_of_somebody_else_is_no_answer(server: LocalServer, body: bytes) -> None:
    """A router that knows no such address says it too; to send again upon that would tell people twice."""
    server.answer = Answer(404, body)
    assert isinstance(_no_answer(server.url), AmbiguousError)


@pytest.mark.parametrize("body", [b"", b"OK", b"<html>", b"[]"])
def test_a_success_that_is_no_object_is_no_answer(server: LocalServer, body: bytes) -> None:
    """Something that answers every GET does not know what became of a call."""
    server.answer = Answer(200, body)
    assert isinstance(_no_answer(server.url), AmbiguousError)


@pytest.mark.parametrize("status", [204, 301, 302, 400, 401, 403, 405, 410, 500, 502, 504])
def test_any_other_status_is_no_answer(server: LocalServer, status: int) -> None:
    """Least of all does it say that the call was refused."""
    server.answer = Answer(status, b"{}")
    assert isinstance(_no_answer(server.url), AmbiguousError)


@pytest.mark.parametrize("status", [425, 429, 503])
def test_a_busy_provider_is_asked_again_when_it_says(server: LocalServer, status: int) -> None:
    """As with a call."""
    server.answer = Answer(status, headers={"retry-after": "7"})
    error = _no_answer(server.url)
    assert isinstance(error, TransientError)
    assert error.retry_after == 7


@pytest.mark.parametrize("answer", [Answer(drop=True), Answer(hang=True), Answer(body=b"x" * (MAX_ANSWER_BYTES + 1))])
def test_a_question_that_is_dropped_or_drowned_is_no_answer(server: LocalServer, answer: Answer) -> None:
    """Within the same time and size as a call."""
    server.answer = answer
    _no_answer(server.url, timeout=0.2)
    assert len(server.received) == 1


def test_a_question_goes_nowhere_that_a_call_may_not_go(server: LocalServer) -> None:
    """No private address, in a rehearsal nothing outside, and no redirect; which says nothing about the call."""
    assert isinstance(_no_answer(server.url, Transport()), AmbiguousError)
    assert isinstance(_no_answer("http://vendor.invalid/", Transport(loopback_only=True)), AmbiguousError)
    with local_server() as target:
        server.answer = Answer(302, headers={"location": target.url})
        _no_answer(server.url)
        assert target.received == []
    assert len(server.received) == 1


def test_no_failed_question_repeats_an_address_or_a_secret(server: LocalServer) -> None:
    """Its key in the address is ours, but the rest of the address is not."""
    for answer in (Answer(404), Answer(500), Answer(drop=True), Answer(hang=True)):
        server.answer = answer
        error = _no_answer(f"{server.url}/hunter1/send?key=hunter2", timeout=0.2)
        assert "hunter" not in f"{error} {error.message} {error.hint} {error!r}"


@pytest.mark.parametrize("private", [True, False])
def test_connections_that_were_given_up_for_others_are_opened_again(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch, *, private: bool
) -> None:
    """Of more addresses than are kept open."""
    monkeypatch.setattr(sending, "MOST_ADDRESSES", 1)
    transport = Transport(allow_private=private, loopback_only=not private)
    with local_server() as other:
        for _ in range(3):
            _post(server.url, transport)
            _post(other.url, transport)
        assert (len(server.received), len(other.received)) == (3, 3)


def test_a_query_goes_out_as_it_stands_and_is_not_kept(server: LocalServer) -> None:
    """It may be signed, and it may name people: what is prepared once for an address is without it."""
    transport, provider = Transport(allow_private=True), Provider("vendor", server.url, SECRET)
    for number in ("13800138000", "13800138001"):
        transport.exchange(provider, Request("POST", f"{server.url}/?to=%2B86{number}&a=~%20b", query={"key": "k/1"}))
    wanted = [f"/?to=%2B86{number}&a=~%20b&key=k%2F1" for number in ("13800138000", "13800138001")]
    assert [row.path for row in server.received] == wanted
    assert [address for _, address in transport._sender._bases] == [f"{server.url}/"]
