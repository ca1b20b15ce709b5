"""What partners receive: signed events whose data fits the published schemas, and what their answers mean."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from standardwebhooks import Webhook, WebhookVerificationError

from broadcaster.announcement.facts import FactChange
from broadcaster.channels.addresses import is_private
from broadcaster.channels.base import Call, Outcome
from broadcaster.channels.gateway import new_secret
from broadcaster.channels.provider import PREVIOUS, Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.channels.webhook.events import OutageData, OutageEvent
from broadcaster.channels.webhook.payload import MAX_BYTES
from broadcaster.channels.webhook.schema import document
from broadcaster.errors import AmbiguousError, GoneError, PermanentError, TransientError
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.renderer import render
from tests.builders import at
from tests.channels.http_server import Answer, LocalServer, Received
from tests.channels.samples import EXAMPLE, SECRET, call
from tests.support.adapters import adapter_of
from tests.support.examples import ROOT

CHANNEL = CHANNELS["webhook"]
PUBLISHED = ROOT / "docs/webhooks.openapi.json"
PUBLIC = "93.184.215.14"
CHANGES = (FactChange("window.end", "2022-03-18T00:00:00+08:00", "2022-03-21T00:00:00+08:00"),)


def told(phase: Phase, **fields: Any) -> Call:
    """The call that tells a phase."""
    message = render(Templates(), CHANNEL.spec, EXAMPLE, phase, "zh-Hans")
    return replace(call(CHANNEL), phase=phase, messages={"zh-Hans": message}, **fields)


def send(sent: Call, url: str, transport: Transport | None = None, **fields: Any) -> list[Outcome]:
    """Send an event to an endpoint."""
    provider = Provider("icbc", url, SECRET, label="工商银行", timeout=5.0, **fields)
    found = adapter_of(CHANNEL).send(sent, provider, transport or Transport(allow_private=True))
    return [row.outcome for row in found]


def received(server: LocalServer) -> dict[str, Any]:
    """The one event that arrived, as its receiver has it after the independent library verified it."""
    (request,) = server.received
    found: dict[str, Any] = Webhook(SECRET).verify(request.body, request.headers)
    return found


def schema_of(type_: str) -> dict[str, Any]:
    """The published schema of a type of event, with what it refers to."""
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    body = published["webhooks"][type_]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return {**body, "components": published["components"]}


def test_the_published_schemas_are_those_of_the_models() -> None:
    """`broadcaster endpoint schema > docs/webhooks.openapi.json` writes them anew."""
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == document()


def test_the_published_schemas_say_what_fields_mean() -> None:
    """Those of the plan and those of the event that tells it."""
    fields = document()["components"]["schemas"]["OutageData"]["properties"]
    assert "told by the phase" in fields["window"]["description"]
    assert "never falls" in fields["revision"]["description"]


def test_every_phase_has_its_type_of_event() -> None:
    """Beside the test."""
    assert set(document()["webhooks"]) == {*(f"outage.{phase}" for phase in Phase), "endpoint.test"}


@pytest.mark.parametrize("phase", Phase)
def test_an_event_fits_its_published_schema(phase: Phase, server: LocalServer) -> None:
    """By an independent validator, times included; and it holds nothing that is not in the models."""
    finished = at("2022-03-20 22:30") if phase is Phase.RESTORED else None
    changes = CHANGES if phase is Phase.CHANGED else ()
    send(told(phase, changes=changes, finished_at=finished), server.url)
    event = received(server)
    Draft202012Validator(schema_of(f"outage.{phase}"), format_checker=FormatChecker()).validate(event)
    assert set(event) == set(OutageEvent.__annotations__)
    assert set(event["data"]) == set(OutageData.__annotations__)


def test_the_schema_of_one_type_does_not_take_another(server: LocalServer) -> None:
    """A validator of a receiver finds a mix-up."""
    send(told(Phase.NOTICE), server.url)
    assert not Draft202012Validator(schema_of("outage.restored")).is_valid(received(server))


def test_an_event_says_what_stops_where_and_until_when(server: LocalServer) -> None:
    """Ids that the impacts refer to, names in the endpoint's language, times with their offset."""
    send(told(Phase.NOTICE), server.url)
    data = received(server)["data"]
    assert data["window"] == {"start": "2022-02-26T00:00:00+08:00", "end": "2022-03-21T00:00:00+08:00"}
    named = {row["id"] for row in data["services"]} | {row["id"] for row in data["access_points"]}
    used = {id_ for row in data["impacts"] for id_ in (*row["services"], *row["access_points"])}
    assert used == named
    assert data["texts"]["zh-Hans"].startswith("青岛市人力资源和社会保障局将于")
    assert data["to"] == [{"id": "0", "endpoint": "icbc", "language": "zh-Hans"}]


def test_a_changed_event_says_old_and_new(server: LocalServer) -> None:
    """As facts, which a program compares."""
    send(told(Phase.CHANGED, changes=CHANGES), server.url)
    assert received(server)["data"]["changes"] == [
        {"fact": "window.end", "old": "2022-03-18T00:00:00+08:00", "new": "2022-03-21T00:00:00+08:00"}
    ]


def test_an_event_stays_small_and_says_what_it_leaves_out(server: LocalServer) -> None:
    """With hundreds of access points the text and the times go out all the same, under 20 kB."""
    point = EXAMPLE.access_points[0]
    points = tuple(point.model_copy(update={"id": f"{point.id}-{number}"}) for number in range(400))
    impact = EXAMPLE.impacts[0].model_copy(update={"access_points": tuple(row.id for row in points)})
    large = EXAMPLE.model_copy(update={"access_points": points, "impacts": (impact,)})
    send(told(Phase.NOTICE, content=large), server.url)
    (request,) = server.received
    data = received(server)["data"]
    assert len(request.body) < 20_000
    assert MAX_BYTES < 20_000
    assert (data["complete"], data["access_points"], bool(data["services"])) == (False, [], True)
    assert data["texts"]["zh-Hans"]


class TestTwoSecrets:
    """While a secret is being replaced, events are signed with both."""

    def test_each_of_them_verifies(self, server: LocalServer) -> None:
        """One signature for each, with a space between them."""
        previous = new_secret()
        send(told(Phase.NOTICE), server.url, secrets={PREVIOUS: previous})
        (request,) = server.received
        assert len(request.headers["webhook-signature"].split()) == 2
        for secret in (SECRET, previous):
            assert Webhook(secret).verify(request.body, request.headers)["type"] == "outage.notice"

    def test_a_third_does_not(self, server: LocalServer) -> None:
        """Nor does either secret of what somebody changed on the way."""
        send(told(Phase.NOTICE), server.url, secrets={PREVIOUS: new_secret()})
        (request,) = server.received
        with pytest.raises(WebhookVerificationError):
            Webhook(new_secret()).verify(request.body, request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(request.body.replace(b"notice", b"ongoing"), request.headers)


class TestAnswers:
    """2xx is the only success."""

    @pytest.mark.parametrize("body", [b"", b"OK", b'{"error": "no"}', b'{"rejected": 7}', b'{"errcode": 40001}', b"{"])
    def test_a_2xx_is_an_acknowledgement_whatever_it_says(self, body: bytes, server: LocalServer) -> None:
        """Who answers 200 with an error inside has told us that the event is theirs now."""
        server.answer = Answer(202, body)
        assert send(told(Phase.NOTICE), server.url) == [Outcome.ACCEPTED]

    @pytest.mark.parametrize("status", [300, 400, 401, 403, 404, 405, 413, 422, 425, 429, 503])
    def test_a_refusal_is_tried_again(self, status: int, server: LocalServer) -> None:
        """The partner mends their side; not before they said."""
        server.answer = Answer(status, headers={"retry-after": "7"})
        with pytest.raises(TransientError, match=f"icbc answered {status}") as caught:
            send(told(Phase.NOTICE), server.url)
        assert caught.value.retry_after == 7

    @pytest.mark.parametrize("status", [408, 409, 500, 502, 504])
    def test_what_may_have_arrived_is_sent_again_under_its_key(self, status: int, server: LocalServer) -> None:
        """A gateway's word says nothing about what is behind it."""
        server.answer = Answer(status, headers={"retry-after": "7"})
        with pytest.raises(AmbiguousError) as caught:
            send(told(Phase.NOTICE), server.url)
        assert caught.value.retry_after == 7

    def test_gone_is_for_good(self, server: LocalServer) -> None:
        """410 asks for no more events."""
        server.answer = Answer(410)
        with pytest.raises(GoneError, match="wants no more events"):
            send(told(Phase.NOTICE), server.url)

    def test_an_endpoint_that_does_not_answer_is_left_after_its_time(self, server: LocalServer) -> None:
        """Perhaps it has the event; the same one comes again."""
        server.answer = Answer(hang=True)
        provider = Provider("icbc", server.url, SECRET, timeout=0.2)
        with pytest.raises(AmbiguousError):
            adapter_of(CHANNEL).send(told(Phase.NOTICE), provider, Transport(allow_private=True))


class TestAddresses:
    """No event reaches the inside of a network because somebody registered its address."""

    METADATA = "http://169.254.169.254/latest/meta-data"

    @pytest.mark.parametrize(
        "url",
        [
            METADATA,
            "http://127.0.0.1:9/",
            "http://[::1]:9/",
            "http://10.0.0.1/",
            "http://192.168.1.1/",
            "http://0.0.0.0:9/",
            "http://100.64.0.1/",
            "http://[::ffff:169.254.169.254]/",
            "http://[fd00::1]/",
            "http://2130706433:9/",
        ],
    )
    def test_a_private_address_is_refused(self, url: str) -> None:
        """In every spelling, before anything is said to it; `endpoint add` sees the same."""
        assert is_private(url)
        with pytest.raises(PermanentError, match="its address is private"):
            send(told(Phase.NOTICE), url, Transport())

    def test_a_name_that_resolves_to_a_private_address_is_refused(self, server: LocalServer) -> None:
        """What counts is where it leads."""
        url = server.url.replace("127.0.0.1", "localhost")
        assert is_private(url)
        with pytest.raises(PermanentError, match="its address is private"):
            send(told(Phase.NOTICE), url, Transport())
        assert server.received == []

    def test_the_address_that_was_checked_is_the_one_that_is_called(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A name server that gives a public address first and a private one then leads nowhere private.

        The public address is this test's own server here.
        """
        port, asked, real = int(server.url.rpartition(":")[2]), [], socket.getaddrinfo

        def answer(host: str, *args: Any, **kwargs: Any) -> Any:
            asked.append(host)
            if host == PUBLIC:
                return real("127.0.0.1", *args, **kwargs)
            first = asked.count("rebinding.example") == 1
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC if first else "127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        send(told(Phase.NOTICE), f"http://rebinding.example:{port}/", Transport())
        assert asked == ["rebinding.example", PUBLIC]
        assert [request.headers["host"] for request in server.received] == [f"rebinding.example:{port}"]

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("where", [METADATA, "/elsewhere"])
    def test_a_redirect_is_not_followed(self, status: int, where: str, server: LocalServer) -> None:
        """Neither to a private address nor to anywhere else: it is a refusal."""

        def redirect(request: Received) -> Answer:
            return Answer(status, headers={"location": where}) if request.path == "/" else Answer()

        server.answer = redirect
        with pytest.raises(TransientError, match=f"icbc answered {status}"):
            send(told(Phase.NOTICE), f"{server.url}/")
        assert [request.path for request in server.received] == ["/"]
