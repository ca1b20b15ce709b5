"""A provider's circuit, shared by all workers through a real Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from broadcaster.channels.provider import BreakerRule, Pace, Provider
from broadcaster.delivery.breaker import Circuit
from broadcaster.delivery.gate import Enter, Gate, Shut, Wait
from broadcaster.delivery.turnstile import PROBED_AGAIN, Turnstile
from tests.conftest import Servers
from tests.support.polling import eventually

PROVIDER = Provider("main", "https://sms.example.org", "whsec_abc", breaker=BreakerRule(calls=10, open_seconds=900))
HASTY = Provider("main", "https://sms.example.org", "whsec_abc", breaker=BreakerRule(calls=10, open_seconds=0.001))
"""Its circuit is half-open as soon as it opened."""


@pytest.fixture
def broker(servers: Servers) -> Iterator[redis.Redis]:
    """This worker's Redis database, empty."""
    with redis.Redis.from_url(servers.redis) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def workers(servers: Servers, broker: redis.Redis) -> list[Gate]:
    """The gates of three workers."""
    return [Gate(servers.redis, {}) for _ in range(3)]


def _fail(gate: Gate, provider: Provider, times: int) -> None:
    for _ in range(times):
        gate.report("sms", provider, ok=False)


def _break(gate: Gate, provider: Provider) -> None:
    """Open the circuit, and wait until it lets a probe through."""
    _fail(gate, provider, 10)
    eventually(lambda: gate.circuit("sms", "main") is Circuit.HALF_OPEN, "the circuit is half-open")


def test_failures_of_all_workers_open_the_circuit_for_all(workers: list[Gate]) -> None:
    """No single one of them saw enough; the third made no call at all."""
    _fail(workers[0], PROVIDER, 5)
    assert workers[2].circuit("sms", "main") is Circuit.CLOSED
    _fail(workers[1], PROVIDER, 5)
    answer = workers[2].enter("sms", PROVIDER, 1)
    assert isinstance(answer, Shut)
    assert 0 < answer.seconds <= 900
    assert workers[0].circuit("sms", "main") is Circuit.OPEN


def test_the_worker_that_saw_the_last_failure_calls_no_more(workers: list[Gate]) -> None:
    """Although it was let through a moment ago."""
    assert workers[0].enter("sms", PROVIDER, 1) == Enter()
    _fail(workers[0], PROVIDER, 10)
    assert isinstance(workers[0].enter("sms", PROVIDER, 1), Shut)


def test_one_failure_moves_nobody_away(workers: list[Gate]) -> None:
    """Nor two."""
    _fail(workers[0], PROVIDER, 2)
    assert workers[0].enter("sms", PROVIDER, 1) == Enter()
    assert workers[0].circuit("sms", "main") is Circuit.CLOSED


def test_failures_among_many_successes_leave_it_closed(workers: list[Gate]) -> None:
    """The share counts: successes that a worker has not told anybody of go with its next failure."""
    for _ in range(30):
        workers[0].report("sms", PROVIDER, ok=True)
    _fail(workers[0], PROVIDER, 20)
    assert workers[0].circuit("sms", "main") is Circuit.CLOSED
    _fail(workers[0], PROVIDER, 10)
    assert workers[0].circuit("sms", "main") is Circuit.OPEN


def test_successes_of_one_worker_count_against_the_failures_of_another(workers: list[Gate]) -> None:
    """They are told with its next call at the latest, when that is half a second later or its provider has a pace."""
    paced = Provider("main", "https://sms.example.org", "whsec_abc", pace=Pace(1e6), breaker=PROVIDER.breaker)
    for _ in range(30):
        workers[0].report("sms", paced, ok=True)
    workers[0].enter("sms", paced, 1)
    _fail(workers[1], PROVIDER, 20)
    assert workers[1].circuit("sms", "main") is Circuit.CLOSED


def test_failures_are_forgotten_when_the_window_has_passed(broker: redis.Redis) -> None:
    """A provider that failed this morning is not held to it."""
    quick = Provider("main", "https://sms.example.org", "whsec_abc", breaker=BreakerRule(window_seconds=0.2))
    turnstile = Turnstile(broker)
    assert turnstile.report("sms", quick, 7, 3) == (7, 3)
    eventually(lambda: turnstile.report("sms", quick, 0, 0) == (0, 0), "the window has passed", seconds=20)


def test_calls_within_the_window_add_up(broker: redis.Redis) -> None:
    """Until it has passed, whoever reports."""
    turnstile, another = Turnstile(broker), Turnstile(broker)
    turnstile.report("sms", PROVIDER, 7, 3)
    assert another.report("sms", PROVIDER, 5, 1) == (12, 4)


def test_exactly_one_worker_probes(workers: list[Gate]) -> None:
    """The others ask again soon, because a probe is over quickly when the provider is back."""
    _break(workers[0], HASTY)
    answers = [gate.enter("sms", HASTY, 1) for gate in workers * 2]
    assert answers.count(Enter()) == 1
    assert answers.count(Shut(PROBED_AGAIN)) == 5


def test_a_probe_that_succeeds_closes_the_circuit(workers: list[Gate]) -> None:
    """And what opened it is forgotten: the next failure does not open it again, not even the prober's."""
    _break(workers[0], HASTY)
    assert workers[1].enter("sms", HASTY, 1) == Enter()
    workers[1].report("sms", HASTY, ok=True)
    _fail(workers[0], HASTY, 1)
    _fail(workers[1], HASTY, 1)
    assert workers[2].circuit("sms", "main") is Circuit.CLOSED
    assert [gate.enter("sms", HASTY, 1) for gate in workers] == [Enter()] * 3


def test_a_probe_that_fails_opens_it_again(workers: list[Gate]) -> None:
    """For as long as its rule says."""
    _break(workers[0], HASTY)
    assert workers[1].enter("sms", PROVIDER, 1) == Enter()
    workers[1].report("sms", PROVIDER, ok=False)
    answer = workers[2].enter("sms", PROVIDER, 1)
    assert isinstance(answer, Shut)
    assert answer.seconds > PROBED_AGAIN


def test_a_prober_that_dies_does_not_keep_the_circuit_open_for_ever(broker: redis.Redis, workers: list[Gate]) -> None:
    """Its right to probe ends by itself, once its call could not still be under way."""
    _break(workers[0], HASTY)
    workers[1].enter("sms", HASTY, 1)
    left = [broker.pttl(key) for key in broker.scan_iter("gate:sms/main:probe")]
    assert len(left) == 1
    assert 2 * HASTY.timeout * 1000 < left[0] < 120_000


def test_a_prober_that_makes_no_call_lets_another_one_probe(workers: list[Gate]) -> None:
    """Its batch may have been paused between the gate and the call."""
    _break(workers[0], HASTY)
    assert workers[1].enter("sms", HASTY, 1) == Enter()
    workers[1].leave("sms", HASTY)
    assert workers[2].enter("sms", HASTY, 1) == Enter()


def test_a_call_that_was_not_a_probe_decides_nothing(workers: list[Gate]) -> None:
    """A late answer from before the circuit opened neither closes it nor takes the place of the probe."""
    _break(workers[0], HASTY)
    workers[2].report("sms", HASTY, ok=True)
    workers[2].leave("sms", HASTY)
    assert workers[1].enter("sms", HASTY, 1) == Enter()
    assert workers[2].enter("sms", HASTY, 1) == Shut(PROBED_AGAIN)


def test_a_probe_keeps_to_the_pace(workers: list[Gate]) -> None:
    """A provider that comes back gets no more than its limit, and a refused probe is nobody's."""
    paced = Provider("main", HASTY.url, HASTY.secret, pace=Pace(calls_per_second=0.01), breaker=HASTY.breaker)
    _break(workers[0], paced)
    assert isinstance(workers[1].enter("sms", paced, 1), Wait)
    assert workers[2].enter("sms", HASTY, 1) == Enter()


def test_a_flushed_redis_starts_closed_and_learns_again(broker: redis.Redis, workers: list[Gate]) -> None:
    """Nothing of the breaker has to last."""
    _fail(workers[0], PROVIDER, 10)
    broker.flushdb()
    assert workers[1].enter("sms", PROVIDER, 1) == Enter()
    _fail(workers[0], PROVIDER, 10)
    assert workers[0].circuit("sms", "main") is Circuit.OPEN


def test_what_a_provider_asks_for_holds_for_all_workers(workers: list[Gate]) -> None:
    """`Retry-After` is not a failing provider: its circuit stays closed, but nobody calls before."""
    workers[0].report("sms", PROVIDER, ok=False, retry_after=40)
    answer = workers[1].enter("sms", PROVIDER, 1)
    assert isinstance(answer, Shut)
    assert 30 < answer.seconds <= 40
    assert workers[1].circuit("sms", "main") is Circuit.CLOSED


def test_providers_break_by_themselves(workers: list[Gate]) -> None:
    """Another one of the channel is what the calls go to meanwhile."""
    other = Provider("other", "https://other.example.org", "whsec_abc")
    _fail(workers[0], PROVIDER, 10)
    assert workers[0].enter("sms", other, 1) == Enter()
    assert workers[0].enter("wechat", PROVIDER, 1) == Enter()
