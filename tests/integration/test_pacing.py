"""A provider's pace, shared by all workers through a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest
import redis

from broadcaster.channels.provider import Pace, Provider
from broadcaster.delivery.gate import ASKED_AGAIN, LONGEST_WAIT, Enter, Gate, Wait
from broadcaster.delivery.pacing import LATE, TOGETHER
from broadcaster.delivery.turnstile import Answer, Turn, Turnstile
from broadcaster.errors import InputError
from broadcaster.storage import tallies
from tests.conftest import Servers
from tests.support.examples import local
from tests.support.polling import eventually
from tests.support.product import Product

APART = 100.0
"""Seconds between calls of the slow provider: long enough that no test is still at work when a slot comes."""
SLOW = Pace(calls_per_second=1 / APART)
AHEAD = 10_000.0
"""Seconds: every slot of a test is nearer."""


@pytest.fixture
def broker(servers: Servers) -> Iterator[redis.Redis]:
    """This worker's Redis database, empty."""
    with redis.Redis.from_url(servers.redis) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def turnstile(broker: redis.Redis) -> Turnstile:
    """The turnstile of a Redis that knows nothing."""
    return Turnstile(broker)


def _provider(pace: Pace, name: str = "main") -> Provider:
    return Provider(name, "https://sms.example.org", "whsec_abc", pace=pace)


def _known(turnstile: Turnstile, provider: Provider, messages: int = 1) -> Provider:
    """The provider, after Redis was asked about it once."""
    turnstile.enter("sms", provider, messages, at_most=0)
    return provider


def _gate(servers: Servers, provider: Provider) -> tuple[Gate, list[float]]:
    """A gate, and for how long it slept: it only says so."""
    slept: list[float] = []
    return Gate(servers.redis, {"sms": {provider.name: provider}}, sleep=slept.append), slept


def test_calls_get_slots_one_after_the_other(turnstile: Turnstile) -> None:
    """Ten calls that are asked for at once begin at ten instants, exactly as far apart as the limit says."""
    provider = _known(turnstile, _provider(SLOW))
    began = time.monotonic()
    answers = [turnstile.enter("sms", provider, 1, AHEAD) for _ in range(10)]
    elapsed = time.monotonic() - began + 0.01
    expected = answers[0].seconds + 9 * APART
    assert {answer.turn for answer in answers} == {Turn.ENTER}
    assert expected - elapsed <= answers[-1].seconds <= expected + 0.1


def test_workers_share_the_slots(servers: Servers, turnstile: Turnstile) -> None:
    """Four workers with connections of their own never get the same one."""
    provider = _known(turnstile, _provider(SLOW))

    def work(_: int) -> list[float]:
        with redis.Redis.from_url(servers.redis) as client:
            own = Turnstile(client)
            return [time.monotonic() + own.enter("sms", provider, 1, AHEAD).seconds for _ in range(10)]

    with ThreadPoolExecutor(4) as workers:
        slots = sorted(slot for found in workers.map(work, range(4)) for slot in found)
    assert [later - earlier for earlier, later in pairwise(slots)] == pytest.approx([APART] * 39, abs=2)


def test_a_large_call_keeps_the_next_one_waiting_for_longer(turnstile: Turnstile) -> None:
    """Messages are paced, not calls."""
    provider = _known(turnstile, _provider(Pace(messages_per_second=2)), 1)
    large = turnstile.enter("sms", provider, 120, AHEAD)
    after = turnstile.enter("sms", provider, 1, AHEAD)
    assert after.seconds - large.seconds == pytest.approx(60, abs=1)


def test_both_limits_hold(turnstile: Turnstile) -> None:
    """Whichever asks for more time."""
    both = Pace(calls_per_second=1 / APART, messages_per_second=1)
    provider = _known(turnstile, _provider(both), 1000)
    small = turnstile.enter("sms", provider, 1, AHEAD)
    large = turnstile.enter("sms", provider, 500, AHEAD)
    after = turnstile.enter("sms", provider, 1, AHEAD)
    assert large.seconds - small.seconds == pytest.approx(APART, abs=1)
    assert after.seconds - large.seconds == pytest.approx(500, abs=1)


def test_a_slot_too_far_ahead_is_not_reserved(turnstile: Turnstile) -> None:
    """Whoever comes back later takes it; else every question would push it further away."""
    provider = _known(turnstile, _provider(SLOW))
    turnstile.enter("sms", provider, 1, AHEAD)
    refused = [turnstile.enter("sms", provider, 1, LONGEST_WAIT) for _ in range(5)]
    assert {answer.turn for answer in refused} == {Turn.WAIT}
    assert all(later.seconds <= earlier.seconds for earlier, later in pairwise(refused))
    assert refused[-1].seconds > APART


def test_several_slots_are_reserved_by_one_question(turnstile: Turnstile) -> None:
    """Ten calls of one worker: whoever asks next comes after all of them."""
    provider = _known(turnstile, _provider(SLOW))
    first = turnstile.enter("sms", provider, 1, AHEAD, slots=10)
    after = turnstile.enter("sms", provider, 1, AHEAD)
    assert after.seconds - first.seconds == pytest.approx(10 * APART, abs=1)


def test_providers_are_paced_by_themselves(turnstile: Turnstile) -> None:
    """One that is busy does not hold up another, nor another channel's of the same name."""
    busy = _known(turnstile, _provider(SLOW))
    turnstile.enter("sms", busy, 1, AHEAD)
    assert turnstile.enter("sms", _provider(Pace(), "other"), 1, 0) == Answer(Turn.ENTER, 0)
    assert turnstile.enter("wechat", _provider(Pace()), 1, 0) == Answer(Turn.ENTER, 0)


def test_after_a_flush_no_slot_is_given_twice(broker: redis.Redis, turnstile: Turnstile) -> None:
    """The slots that workers wait for now are forgotten, so the first new one comes after all of them."""
    provider = _known(turnstile, _provider(Pace(calls_per_second=100)))
    broker.flushdb()
    answer = turnstile.enter("sms", provider, 1, LONGEST_WAIT)
    assert answer.turn is Turn.WAIT
    assert answer.seconds > LONGEST_WAIT


def test_a_redis_that_forgot_the_scripts_is_told_them_again(broker: redis.Redis, turnstile: Turnstile) -> None:
    """As after a restart."""
    broker.script_flush()
    assert turnstile.enter("sms", _provider(Pace()), 1, 0).turn is Turn.ENTER


def test_a_raised_limit_holds_from_the_next_call_on(turnstile: Turnstile) -> None:
    """Nobody waits out what the old one reserved, nor a clock of Redis that was put back."""
    old = _known(turnstile, _provider(Pace(messages_per_second=0.01)), 1)
    turnstile.enter("sms", old, 100, AHEAD)
    answer = turnstile.enter("sms", _provider(Pace(messages_per_second=1000)), 100, LONGEST_WAIT)
    assert answer.seconds < 2 * LONGEST_WAIT


def test_the_gate_waits_for_a_near_slot_and_says_for_how_long(servers: Servers, turnstile: Turnstile) -> None:
    """So that the guard, asked after it, knows of a pause that came meanwhile; the wait is counted once."""
    provider = _known(turnstile, _provider(Pace(messages_per_second=1000)), 500)
    gate, slept = _gate(servers, provider)
    assert gate.enter("sms", provider, 500) == Enter()
    assert 0 < sum(slept) <= LONGEST_WAIT
    waited = gate.drain_waits()
    assert waited[tallies.PACING_WAITS, "sms|main"] == 1
    assert waited[tallies.PACING_WAIT_SECONDS, "sms|main"] == pytest.approx(sum(slept), abs=0.1)
    assert gate.drain_waits() == {}


def test_the_gate_leaves_a_far_slot(servers: Servers, turnstile: Turnstile) -> None:
    """The batch is put back, and its worker carries another one meanwhile."""
    provider = _known(turnstile, _provider(SLOW))
    gate, slept = _gate(servers, provider)
    answer = gate.enter("sms", provider, 1)
    assert isinstance(answer, Wait)
    assert LONGEST_WAIT < answer.seconds <= APART
    assert not slept


def test_a_worker_that_sleeps_through_its_slots_makes_no_call(servers: Servers, turnstile: Turnstile) -> None:
    """Its late calls would come on top of the punctual ones of others, who took the slots after its own."""
    provider = _known(turnstile, _provider(Pace(calls_per_second=2)))

    def oversleep(seconds: float) -> None:
        time.sleep(seconds + 2 * LATE)
        turnstile.enter("sms", provider, 1, AHEAD)

    gate = Gate(servers.redis, {"sms": {"main": provider}}, sleep=oversleep)
    assert gate.enter("sms", provider, 1) == Wait(ASKED_AGAIN)


def test_reserved_slots_that_are_over_are_not_taken(servers: Servers, turnstile: Turnstile) -> None:
    """Whoever comes to them late asks anew: its call would come on top of those of the slots after them."""
    provider = _known(turnstile, _provider(Pace(calls_per_second=1000)))
    gate = Gate(servers.redis, {"sms": {"main": provider}})
    eventually(lambda: gate.enter("sms", provider, 1, ahead=9) == Enter(), "a slot is near")
    reserved_at = time.monotonic()
    eventually(lambda: time.monotonic() - reserved_at > TOGETHER + LATE, "every slot is over")
    with redis.Redis.from_url(servers.redis) as client:
        before = client.hget("gate:sms/main:slots", "calls")
        assert gate.enter("sms", provider, 1) == Enter()
        assert client.hget("gate:sms/main:slots", "calls") != before


def test_without_redis_a_paced_provider_gets_no_call() -> None:
    """Rather late than too fast."""
    provider = _provider(SLOW)
    gate = Gate("unix:///nowhere/redis.sock", {"sms": {"main": provider}})
    assert gate.enter("sms", provider, 1) == Wait(ASKED_AGAIN)


def test_without_redis_an_unpaced_provider_gets_its_calls() -> None:
    """Nothing that only Redis knows protects anybody there; how calls went is not lost on the courier either."""
    provider = _provider(Pace())
    gate = Gate("redis://127.0.0.1:9/0", {"sms": {"main": provider}})
    assert gate.enter("sms", provider, 1) == Enter()
    gate.report("sms", provider, ok=False)
    assert gate.enter("sms", provider, 1) == Enter()


@pytest.mark.parametrize("url", ["amqp://guest@rabbit.example.org//", None])
def test_a_pace_needs_redis(url: str | None) -> None:
    """Another broker cannot keep it: that is said at the start, and not found out from the provider's bill."""
    paced, unpaced = _provider(SLOW), _provider(Pace(), "other")
    with pytest.raises(InputError, match=r"provider main of sms has a `pace`.*REDIS_URL must be a Redis"):
        Gate(url, {"sms": {"main": paced, "other": unpaced}})
    assert Gate(url, {"sms": {"other": unpaced}}).enter("sms", unpaced, 1) == Enter()


@pytest.mark.parametrize("url", ["redis://:secret@host:port/0", "unix:///run/redis.sock?db=secret"])
def test_an_address_that_is_none_is_refused_without_its_password(url: str) -> None:
    """The error ends up in a log."""
    with pytest.raises(InputError, match="REDIS_URL is not an address") as caught:
        Gate(url, {})
    assert "secret" not in str(caught.value)


def test_a_batch_that_waits_for_its_pace_loses_nobody(product: Product) -> None:
    """It is put back without a call, and carried when there is room."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    broadcast, providers = product.open("sms"), product.parts.providers()
    slow = {name: replace(provider, pace=SLOW) for name, provider in providers["sms"].items()}
    product.deliver(broadcast, product.another_courier(providers={**providers, "sms": slow}))
    [batch] = product.batches(broadcast)
    assert batch.next_attempt_at is not None
    assert product.ledger(broadcast) == []
    assert product.calls(broadcast) == []
    product.deliver_all(broadcast)
    assert [row.outcome for row in product.ledger(broadcast)] == ["accepted"] * 300
    assert set(product.shown(broadcast).values()) == {1}
