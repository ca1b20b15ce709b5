"""Whether a limit holds: several workers share a provider that takes few calls a second, and the sink counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.ours import Setup, running
from broadcaster.settings import Settings

LIMIT = 20.0
"""Calls a second."""
WORKERS = 4
MEMBERS = 100


@dataclass(frozen=True, slots=True)
class Paced:
    """What came in. `overshoot` is the share of calls above the limit over the whole run, 0 when it was kept."""

    limit: float
    workers: int
    calls: int
    seconds: float
    most_in_a_second: int
    overshoot: float


def recipients_for(seconds: float) -> int:
    """How many recipients keep the workers busy for so long."""
    return int(LIMIT * seconds) * MEMBERS


def measure(settings: Settings) -> Paced:
    """Send to everybody in the database at the limit."""
    setup = Setup(members_per_call=MEMBERS, calls_per_second=LIMIT, workers=WORKERS)
    with running(settings, setup) as product:
        product.announce("pacing")
        product.await_closed("pacing")
        return paced(product.sink.arrivals())


def paced(arrivals: Sequence[float]) -> Paced:
    """The figures of a list of ascending instants in seconds."""
    span = arrivals[-1] - arrivals[0] if arrivals else 0.0
    rate = (len(arrivals) - 1) / span if span else 0.0
    overshoot = max(0.0, rate / LIMIT - 1)
    return Paced(LIMIT, WORKERS, len(arrivals), round(span, 2), most_in_a_second(arrivals), round(overshoot, 4))


def most_in_a_second(arrivals: Sequence[float]) -> int:
    """The most instants that any window of one second holds, its end not included."""
    most = first = 0
    for place, instant in enumerate(arrivals):
        while instant - arrivals[first] >= 1.0:
            first += 1
        most = max(most, place - first + 1)
    return most
