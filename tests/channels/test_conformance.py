"""What every channel that speaks our own format promises, its words on the wire included, over real HTTP.

What holds for every supplier is in `test_pairs`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from broadcaster.channels.base import AddressKind, Channel, Idempotency, Outcome, RecipientKind
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.simulation import Reception
from broadcaster.channels.simulators import simulators
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError, PermanentError, TransientError
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from tests.channels.http_server import Answer, LocalServer, Received
from tests.channels.samples import SECRET, call, every_answered, every_channel, full_call, registered
from tests.support.adapters import adapter_of

COMMON = {
    "broadcast": "b" * 20,
    "announcement": "qingdao-2022",
    "revision": 3,
    "phase": "started",
    "expires_at": "2022-03-05T10:00:00+08:00",
}


def _send(channel: Channel, server: LocalServer) -> list[tuple[int, Outcome, str]]:
    provider = Provider("vendor", server.url, SECRET, label="青岛人社", timeout=5.0)
    found = adapter_of(channel).send(call(channel), provider, Transport(allow_private=True))
    return [(row.recipient_id, row.outcome, row.reason) for row in found]


def _everyone(channel: Channel, outcome: Outcome, reason: str = "") -> list[tuple[int, Outcome, str]]:
    return [(member.id, outcome, reason) for member in call(channel).members]


def _as_the_stand_in(slug: str, kept: list[Reception]) -> Callable[[Received], Answer]:
    def answer(request: Received) -> Answer:
        reception = simulators()[slug](json.loads(request.body)["data"])
        kept.append(reception)
        rejected = [{"id": id_, "reason": reason} for id_, reason in reception.rejected.items()]
        return Answer(body=json.dumps({"reference": "r1", "rejected": rejected}).encode())

    return answer


@every_channel
def test_a_success_without_a_word_accepts_everybody(channel: Channel, server: LocalServer) -> None:
    """Every member has exactly one delivery, in the order of the call."""
    server.answer = Answer(204, b"")
    assert _send(channel, server) == _everyone(channel, Outcome.ACCEPTED)


@every_channel
def test_its_own_stand_in_reads_what_it_sends(channel: Channel, server: LocalServer) -> None:
    """Everybody in the call is shown something in their language, under their own id."""
    kept: list[Reception] = []
    server.answer = _as_the_stand_in(channel.slug, kept)
    assert _send(channel, server) == _everyone(channel, Outcome.ACCEPTED)
    (reception,) = kept
    members = call(channel).members
    assert [row.recipient for row in reception.exhibits] == [str(member.id) for member in members]
    told = {row.language: row.parts for row in reception.exhibits if row.parts}
    messages = call(channel).messages
    assert {language: dict(parts) for language, parts in told.items()} == {
        language: dict(messages[language].parts) for language in told
    }
    assert bool(told) != bool(reception.document), "it shows a text, or says where its document is"


@every_channel
def test_the_receiver_learns_what_the_message_is_about(channel: Channel, server: LocalServer) -> None:
    """Broadcast, announcement, revision, phase and expiry, the same way on every channel."""
    _send(channel, server)
    (request,) = server.received
    data = json.loads(request.body)["data"]
    assert {name: data[name] for name in COMMON} == COMMON


@every_channel
def test_the_call_goes_out_under_its_own_key(channel: Channel, server: LocalServer) -> None:
    """So that the receiver can dedupe; repeated, it is the same to the byte."""
    _send(channel, server)
    _send(channel, server)
    assert {request.headers["webhook-id"] for request in server.received} == {"key-1"}
    assert len({request.body for request in server.received}) == 1
    assert adapter_of(channel).idempotency is Idempotency.IDEMPOTENT


@every_answered
def test_whom_the_answer_names_is_rejected_and_nobody_else(channel: Channel, server: LocalServer) -> None:
    """With the provider's reason, or with the word that it gave none; an id that is not in the call is passed over."""
    rejected = [{"id": "0", "reason": "number not in service"}, {"id": "999999", "reason": "who?"}]
    server.answer = Answer(body=json.dumps({"rejected": rejected}).encode())
    others = _everyone(channel, Outcome.ACCEPTED)[1:]
    assert _send(channel, server) == [(0, Outcome.REJECTED, "number not in service"), *others]


@every_answered
def test_an_answer_may_begin_with_a_byte_order_mark(channel: Channel, server: LocalServer) -> None:
    """Some systems write one before everything: whom the answer names is rejected all the same."""
    rejected = [{"id": "0", "reason": "number not in service"}]
    server.answer = Answer(body=b"\xef\xbb\xbf" + json.dumps({"rejected": rejected}).encode())
    assert _send(channel, server)[0] == (0, Outcome.REJECTED, "number not in service")


@every_answered
@pytest.mark.parametrize("row", [{"id": "0"}, {"id": 0, "reason": ""}, {"id": "0", "reason": None}])
def test_a_rejection_without_a_reason_says_so(channel: Channel, server: LocalServer, row: dict[str, object]) -> None:
    """Left out, empty or null; and the id may be a number."""
    server.answer = Answer(body=json.dumps({"rejected": [row], "reference": None}).encode())
    assert _send(channel, server)[0] == (0, Outcome.REJECTED, "refused without a reason")


@every_answered
@pytest.mark.parametrize(
    "body", [b'{"rejected": [1]}', b'{"rejected": [{}]}', b'{"rejected": 7}', b'{"rejected"', b'{"a":' * 100_000]
)
def test_a_success_that_cannot_be_read_is_ambiguous(channel: Channel, server: LocalServer, body: bytes) -> None:
    """The public may have seen it, but who of them, nobody can tell."""
    server.answer = Answer(body=body)
    with pytest.raises(AmbiguousError, match="vendor answered something that cannot be read"):
        _send(channel, server)


@every_channel
@pytest.mark.parametrize("body", [b"", b"OK", b"<html>", b"\xff", b"[]"])
def test_a_success_that_says_nothing_more_accepts_everybody(channel: Channel, server: LocalServer, body: bytes) -> None:
    """A 2xx is the success; only a JSON object says more."""
    server.answer = Answer(body=body)
    assert _send(channel, server) == _everyone(channel, Outcome.ACCEPTED, "")


@every_answered
def test_a_refused_call_is_left_to_the_courier(channel: Channel, server: LocalServer) -> None:
    """Only the courier knows whether an earlier attempt at the call may have been accepted."""
    server.answer = Answer(422)
    with pytest.raises(PermanentError, match="vendor answered 422"):
        _send(channel, server)


@every_channel
def test_a_call_that_may_be_made_again_is_left_to_the_courier(channel: Channel, server: LocalServer) -> None:
    """The adapter itself never waits and never retries."""
    server.answer = Answer(503, headers={"retry-after": "3"})
    with pytest.raises(TransientError) as caught:
        _send(channel, server)
    assert caught.value.retry_after == 3
    assert len(server.received) == 1


@every_channel
def test_a_full_call_stays_small(channel: Channel, server: LocalServer) -> None:
    """At most 20 kB for everything but the words themselves, as the webhook scheme asks."""
    adapter = adapter_of(channel)
    provider = Provider("vendor", server.url, SECRET)
    adapter.send(full_call(channel), provider, Transport(allow_private=True))
    (request,) = server.received
    data = json.loads(request.body)["data"]
    without_words = {name: value for name, value in data.items() if name not in ("texts", "article")}
    assert len(json.dumps(without_words, ensure_ascii=False).encode()) < 20_000


def test_the_sms_stand_in_refuses_and_loses_the_numbers_with_a_meaning(server: LocalServer) -> None:
    """One that ends in 999 is refused; one that ends in 888 is accepted and reported as failed afterwards."""
    phones = {"1": "+8613800138999", "2": "+8613800138888", "3": "+8613800138000"}
    data = {
        "texts": {"en": "words"},
        "to": [{"id": id_, "phone": phone, "language": "en"} for id_, phone in phones.items()],
    }
    reception = simulators()["sms"](data)
    assert reception.rejected == {"1": "number not in service"}
    assert reception.failing == {"2"}
    assert [row.shown_to for row in reception.exhibits] == ["+8613800138888", "+8613800138000"]


@registered
def test_a_channel_has_its_folder_and_its_templates(channel: Channel) -> None:
    """One slug names it in code, templates and registry; every phase has a text in every language that ships."""
    assert CHANNELS[channel.slug] is channel
    assert channel.spec.slug == channel.slug
    assert (Path(__file__).parents[2] / "broadcaster/channels" / channel.slug / "simulator.py").is_file()
    names = set(Templates().names())
    wanted = {
        f"{channel.slug}/{phase}.{language}.{channel.spec.extension}.j2"
        for phase in Phase
        for language in ("zh-Hans", "en")
    }
    assert wanted <= names


@registered
def test_people_with_a_phone_are_shared_but_all_others_are_a_channels_own(channel: Channel) -> None:
    """A partner's kiosk is no site with a banner, and a follower of one account nobody to another."""
    shared = channel.reaches is RecipientKind.PERSON and channel.addressed_by is AddressKind.PHONE
    assert channel.pool == ("" if shared else channel.slug)
