"""What all workers share about a provider, in Redis: when it may be called next, and its circuit.

Everything here may be lost at any moment. An empty Redis does not know which slots were given away before, so the first
one is further ahead than any of those could be; a circuit begins closed and learns again. Times are machine time, by
the clock of Redis.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import redis

from broadcaster.channels.provider import Provider
from broadcaster.delivery import pacing
from broadcaster.delivery.breaker import BUCKETS, Circuit, circuit

MOST_MESSAGES = 1000
"""No call is larger than a batch: a slot further ahead than one of these is a clock that was put back."""
PROBE_SPARE = 10.0
"""Seconds beside twice its time-out in which a probe that nobody reports on keeps others from probing."""
PROBED_AGAIN = 1.0
"""Seconds after which to ask again while somebody else probes."""
FORGOTTEN = 24 * 3600.0
"""Seconds after which a circuit that nobody probed is closed."""

_COUNT = f"""
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- Calls and failures by buckets of `width` microseconds, in a ring: what is older than the window is overwritten.
local function count(tally, calls, failures, width)
  local bucket = math.floor(now / width)
  local last = tonumber(redis.call('HGET', tally, 'last')) or 0
  if last > bucket then redis.call('DEL', tally) end  -- another window, or a clock that was put back
  if last ~= bucket then
    for old = math.max(last, bucket - {BUCKETS}) + 1, bucket do
      redis.call('HDEL', tally, 'calls' .. old % {BUCKETS}, 'failures' .. old % {BUCKETS})
    end
    redis.call('HSET', tally, 'last', string.format('%.0f', bucket))
    redis.call('PEXPIRE', tally, math.ceil({BUCKETS} * width / 1000))
  end
  redis.call('HINCRBY', tally, 'calls' .. bucket % {BUCKETS}, calls)
  redis.call('HINCRBY', tally, 'failures' .. bucket % {BUCKETS}, failures)
end
"""

_ENTER = f"""{_COUNT}
local tally, shut, broken, probe, rest, slots = unpack(KEYS)
local successes, width, probe_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at_most, furthest = tonumber(ARGV[4]), tonumber(ARGV[5])
local spacing, slots_wanted = {{calls = tonumber(ARGV[6]), messages = tonumber(ARGV[7])}}, tonumber(ARGV[8])

if successes > 0 then count(tally, successes, 0, width) end
local left = math.max(redis.call('PTTL', shut), redis.call('PTTL', rest))
if left >= 0 then return {{'shut', left * 1000}} end
local half_open = redis.call('EXISTS', broken) == 1
if half_open and redis.call('EXISTS', probe) == 1 then return {{'shut', {PROBED_AGAIN * 1_000_000:.0f}}} end

local slot = now
for limit, wide in pairs(spacing) do
  if wide > 0 then
    local free = tonumber(redis.call('HGET', slots, limit))
    if not free or free > now + furthest then
      free = now + at_most + wide
      redis.call('HSET', slots, limit, string.format('%.0f', free))
    end
    slot = math.max(slot, free)
  end
end
if slot - now > at_most then return {{'wait', slot - now}} end

if half_open then slots_wanted = 1 end
for limit, wide in pairs(spacing) do
  if wide > 0 then redis.call('HSET', slots, limit, string.format('%.0f', slot + slots_wanted * wide)) end
end
if not half_open then return {{'enter', slot - now}} end
redis.call('SET', probe, 1, 'PX', probe_ms)
return {{'probe', slot - now}}
"""

_REPORT = f"""{_COUNT}
local tally = KEYS[1]
count(tally, tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
local sums = {{calls = 0, failures = 0}}
for name, sum in pairs(sums) do
  for bucket = 0, {BUCKETS - 1} do
    sums[name] = sums[name] + (tonumber(redis.call('HGET', tally, name .. bucket)) or 0)
  end
end
return {{sums.calls, sums.failures}}
"""


class Turn(StrEnum):
    """What the turnstile says of a call."""

    ENTER = "enter"
    PROBE = "probe"
    """Enter, as the one call that finds out whether the provider is back."""
    WAIT = "wait"
    SHUT = "shut"


@dataclass(frozen=True, slots=True)
class Answer:
    """A turn, and seconds: until its slot that is now reserved, or after which to ask again."""

    turn: Turn
    seconds: float


class _Keys(NamedTuple):
    """What Redis holds of a provider."""

    tally: str
    """How its calls went lately."""
    shut: str
    """There while its circuit is open."""
    broken: str
    """There since its circuit opened and until a probe succeeded."""
    probe: str
    """There while somebody probes."""
    rest: str
    """There for as long as the provider asked to be left alone."""
    slots: str
    """By each limit, when the next slot is."""


class Turnstile:
    """The conversation with Redis; every method is one round trip and raises `redis.RedisError`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client: Any = client  # redis-py's answers are typed for its asynchronous twin as well
        self._enter = client.register_script(_ENTER)
        self._report = client.register_script(_REPORT)

    def enter(
        self, channel: str, provider: Provider, messages: int, at_most: float, successes: int = 0, slots: int = 1
    ) -> Answer:
        """Reserve a slot not further than `at_most` seconds ahead, or nothing; count earlier successes by the way.

        Where `slots` is more than one, those after it are reserved too, as far apart as the pace asks for; a probe gets
        no more than its own.
        """
        wide = pacing.spacing(provider.pace, messages)
        furthest = at_most + pacing.spacing(provider.pace, max(messages, MOST_MESSAGES)).longest
        probe = 2 * provider.timeout + at_most + PROBE_SPARE
        turn, micros = self._enter(
            keys=_keys(channel, provider.name),
            args=[
                successes,
                _micros(provider.breaker.window_seconds / BUCKETS),
                _millis(probe),
                *map(_micros, (at_most, furthest, wide.calls, wide.messages)),
                slots,
            ],
        )
        return Answer(Turn(turn.decode()), micros / 1_000_000)

    def report(self, channel: str, provider: Provider, calls: int, failures: int) -> tuple[int, int]:
        """Count calls, and how many of them failed; returns both for the window that ends now."""
        width = _micros(provider.breaker.window_seconds / BUCKETS)
        all_calls, all_failures = self._report(
            keys=[_keys(channel, provider.name).tally], args=[calls, failures, width]
        )
        return int(all_calls), int(all_failures)

    def open(self, channel: str, provider: Provider) -> None:
        """Let nobody through for a while, and then one probe at a time; what is shut already is not shut for longer."""
        keys = _keys(channel, provider.name)
        with self._client.pipeline() as together:
            together.set(keys.broken, 1, px=_millis(FORGOTTEN))
            together.set(keys.shut, 1, px=_millis(provider.breaker.open_seconds), nx=True)
            together.delete(keys.probe)
            together.execute()

    def close(self, channel: str, name: str) -> None:
        """Let everybody through again, and forget the failures that opened the circuit."""
        keys = _keys(channel, name)
        self._client.delete(keys.tally, keys.shut, keys.broken, keys.probe)

    def rest(self, channel: str, name: str, seconds: float) -> None:
        """Let nobody through for so long, because the provider asked for it."""
        self._client.set(_keys(channel, name).rest, 1, px=_millis(seconds))

    def unprobed(self, channel: str, name: str) -> None:
        """Let somebody else probe."""
        self._client.delete(_keys(channel, name).probe)

    def circuit(self, channel: str, name: str) -> Circuit:
        """The state of a provider's circuit."""
        keys = _keys(channel, name)
        found_shut, found_broken = self._client.mget(keys.shut, keys.broken)
        return circuit(shut=found_shut is not None, broken=found_broken is not None)


def _keys(channel: str, name: str) -> _Keys:
    return _Keys(*(f"gate:{channel}/{name}:{field}" for field in _Keys._fields))


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _millis(seconds: float) -> int:
    return max(1, round(seconds * 1000))
