"""The gate before every call: the provider's circuit is closed, and its pace has room.

A worker waits here for a slot that is near, so that the guard, asked afterwards, knows of a pause that came meanwhile.
Where Redis does not answer, a provider with a pace gets no call: rather late than too fast. One without gets its calls;
its circuit begins closed when Redis is back.

Whoever has several calls ahead reserves their slots by one question, where these are near each other. A slot that it
comes to late is lost.

A provider without a pace whose circuit is closed costs nothing most of the time: Redis is asked twice a second, and
told of successes then. Failures are reported at once, with the successes before them.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from broadcaster.channels.provider import Provider
from broadcaster.delivery.breaker import Circuit, opens
from broadcaster.delivery.pacing import LATE, spacing, together
from broadcaster.delivery.retry import LONGEST_RETRY_AFTER
from broadcaster.delivery.turnstile import Answer, Turn, Turnstile
from broadcaster.errors import InputError, Problem
from broadcaster.storage import tallies

log = structlog.get_logger()

ASKED_AGAIN = 1.0
"""Seconds after which Redis is tried again when it did not answer, or a worker is too slow for its slots."""
BELIEVED_CLOSED = 0.5
"""Seconds for which a circuit that was closed is taken to be."""
LONGEST_WAIT = 1.0
"""Seconds that a worker waits here for a slot; one further ahead is not reserved, but asked for again later."""
TRIES = 2
"""A worker that sleeps through its slot gets another one; a machine that cannot wake it in time gets none."""
TIMEOUT = 1.0
"""Seconds that Redis may take to answer."""

_NEEDS_REDIS = "REDIS_URL must be a Redis (redis://, rediss:// or unix://) for it; or leave `pace` out"
_Key = tuple[str, str]
"""Channel and name of a provider."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Enter:
    """The call may be made now. Whoever makes none after all says so with `Gate.leave`."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The provider's pace has no room yet: ask again in so many seconds. Nothing is reserved."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Shut:
    """The provider's circuit is open: ask again in so many seconds, or take another provider. Nothing is reserved."""

    seconds: float


@dataclass(frozen=True, slots=True)
class _Reserved:
    """Slots that are ours, each for a call of at most so many `messages`; times are of a monotonic clock.

    The first one begins by `at` for certain, and is lost after `until`.
    """

    at: float
    until: float
    apart: float
    number: int
    messages: int

    @property
    def rest(self) -> _Reserved:
        """Without the first one."""
        return replace(self, at=self.at + self.apart, until=self.until + self.apart, number=self.number - 1)


class Gate:
    """One a worker process; may be shared by its threads."""

    def __init__(
        self,
        redis_url: str | None,
        providers: Mapping[str, Mapping[str, Provider]],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`providers`: channel → name → provider. Raises InputError when one has a pace and there is no Redis."""
        client = _client(redis_url)
        if client is None:
            _refuse_paced(providers)
        self._turnstile = Turnstile(client) if client else None
        self._sleep = sleep
        self._away_until = 0.0
        self._closed_until: dict[_Key, float] = {}
        self._successes: Counter[_Key] = Counter()
        self._probing: set[_Key] = set()
        self._reserved: dict[_Key, _Reserved] = {}
        self._lock = threading.Lock()
        self._waited: defaultdict[tallies.Key, float] = defaultdict(float)

    def enter(self, channel: str, provider: Provider, messages: int, ahead: int = 0) -> Enter | Wait | Shut:
        """May a call of so many messages be made? Waits for its slot when that is near.

        `ahead`: how many more calls, none of them larger, are to follow at once.
        """
        key = (channel, provider.name)
        if not provider.pace.limited and time.monotonic() < self._closed_until.get(key, 0.0):
            return Enter()
        if self._take_reserved(key, messages):
            return Enter()
        for _ in range(TRIES):
            if entry := self._enter(key, provider, messages, ahead):
                return entry
        return Wait(ASKED_AGAIN)

    def report(self, channel: str, provider: Provider, ok: bool, retry_after: float | None = None) -> None:
        """Say how a call went that was let through.

        `ok` is false when it failed as a whole, whatever for. `retry_after`: the provider asked to be left alone for so
        many seconds, and no worker calls it before.
        """
        key = (channel, provider.name)
        if not ok:
            with self._lock:
                self._reserved.pop(key, None)
        probing = self._was_probing(key)
        if ok and not probing:
            with self._lock:
                self._successes[key] += 1
            return
        if retry_after:
            self._try(lambda turnstile: turnstile.rest(*key, seconds=min(retry_after, LONGEST_RETRY_AFTER)))
        if probing:
            self._try(lambda turnstile: turnstile.close(*key) if ok else turnstile.open(channel, provider))
            log.info("circuit_probed", channel=channel, provider=provider.name, ok=ok)
        else:
            self._try(lambda turnstile: self._count_failure(turnstile, key, provider))

    def leave(self, channel: str, provider: Provider) -> None:
        """Say that no call was made although the gate was open for it."""
        if self._was_probing((channel, provider.name)):
            self._try(lambda turnstile: turnstile.unprobed(channel, provider.name))

    def circuit(self, channel: str, name: str) -> Circuit:
        """The state of a provider's circuit; closed when nobody knows."""
        return self._try(lambda turnstile: turnstile.circuit(channel, name)) or Circuit.CLOSED

    def drain_waits(self) -> dict[tallies.Key, float]:
        """How often and how long calls of this process waited for their pace since the last time, as tallies."""
        with self._lock:
            drained, self._waited = self._waited, defaultdict(float)
        return dict(drained)

    def _enter(self, key: _Key, provider: Provider, messages: int, ahead: int) -> Enter | Wait | Shut | None:
        """Ask Redis, and wait for the slot; None when it was slept through."""
        wide = spacing(provider.pace, messages)
        slots = together(wide, 1 + ahead) if provider.pace.limited else 1
        asked = time.monotonic()
        answer = self._ask(key, provider, messages, slots)
        if answer is None:
            return Wait(ASKED_AGAIN) if provider.pace.limited else Enter()
        if answer.turn is Turn.SHUT:
            return Shut(answer.seconds)
        self._count_wait(key, answer.seconds)
        if answer.turn is Turn.WAIT:
            return Wait(answer.seconds)
        if answer.turn is Turn.ENTER and slots > 1:
            # Redis read its clock after the question and before the answer: taken so, nobody is early, and none late.
            at, until = time.monotonic() + answer.seconds, asked + answer.seconds + LATE
            self._keep(key, _Reserved(at, until, wide.longest, slots, messages).rest)
        punctual = self._sleep_until_slot(answer.seconds, asked)
        if punctual or answer.turn is Turn.PROBE or not provider.pace.limited:
            return self._entered(key, answer, asked)
        return None

    def _take_reserved(self, key: _Key, messages: int) -> bool:
        """Whether one of the slots that are ours already can still be taken; waits for it."""
        with self._lock:
            slots = self._reserved.pop(key, None)
        while slots and slots.number > 0 and messages <= slots.messages:
            left = slots.at - time.monotonic()
            if left > 0:
                self._sleep(left)
            punctual = time.monotonic() <= slots.until
            slots = slots.rest
            if punctual:
                self._keep(key, slots)
                return True
        return False

    def _keep(self, key: _Key, slots: _Reserved) -> None:
        with self._lock:
            self._reserved[key] = slots

    def _ask(self, key: _Key, provider: Provider, messages: int, slots: int) -> Answer | None:
        successes = self._take_successes(key)
        return self._try(lambda turnstile: turnstile.enter(key[0], provider, messages, LONGEST_WAIT, successes, slots))

    def _sleep_until_slot(self, seconds: float, asked: float) -> bool:
        """Whether the worker woke up in time: late calls come too close to the next ones."""
        if seconds > 0:
            self._sleep(seconds)  # from now, not from `asked`: in between Redis read its clock, and nobody is early
        return time.monotonic() <= asked + seconds + LATE

    def _entered(self, key: _Key, answer: Answer, asked: float) -> Enter:
        if answer.turn is Turn.PROBE:
            with self._lock:
                self._probing.add(key)
        else:
            self._closed_until[key] = asked + BELIEVED_CLOSED
        return Enter()

    def _count_failure(self, turnstile: Turnstile, key: _Key, provider: Provider) -> None:
        self._closed_until.pop(key, None)
        calls, failures = turnstile.report(key[0], provider, self._take_successes(key) + 1, 1)
        if opens(provider.breaker, calls, failures):
            turnstile.open(key[0], provider)
            log.warning("circuit_open", channel=key[0], provider=provider.name, calls=calls, failures=failures)

    def _count_wait(self, key: _Key, seconds: float) -> None:
        if seconds > 0:
            label = "|".join(key)
            with self._lock:
                self._waited[tallies.PACING_WAITS, label] += 1
                self._waited[tallies.PACING_WAIT_SECONDS, label] += seconds

    def _take_successes(self, key: _Key) -> int:
        with self._lock:
            return self._successes.pop(key, 0)

    def _was_probing(self, key: _Key) -> bool:
        with self._lock:
            if key not in self._probing:
                return False
            self._probing.remove(key)
            return True

    def _try(self, question: Callable[[Turnstile], T]) -> T | None:
        """Ask Redis; None when it does not answer, or did not a moment ago."""
        if self._turnstile is None or time.monotonic() < self._away_until:
            return None
        try:
            return question(self._turnstile)
        except redis.RedisError as error:
            self._away_until = time.monotonic() + ASKED_AGAIN
            log.warning("redis_away", why=type(error).__name__)
            return None


def _client(url: str | None) -> redis.Redis | None:
    """A client that gives up soon; None when the address is not one of Redis. Connects with the first question."""
    if not url or not url.startswith(("redis://", "rediss://", "unix://")):
        return None
    once_more = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))  # a connection from before a restart
    try:
        return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=once_more)
    except ValueError:
        # The error itself may quote a piece of the password.
        raise InputError.one("REDIS_URL is not an address", hint="expected redis://:password@host:6379/0") from None


def _refuse_paced(providers: Mapping[str, Mapping[str, Provider]]) -> None:
    problems = [
        Problem(f"provider {provider.name} of {channel} has a `pace`, and that is kept in Redis", hint=_NEEDS_REDIS)
        for channel, of_channel in providers.items()
        for provider in of_channel.values()
        if provider.pace.limited
    ]
    if problems:
        raise InputError(problems)
