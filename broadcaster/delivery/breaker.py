"""The circuit breaker's rule: when a provider is left alone, and when it is tried again. Pure.

Closed is how things should be. So many failures within the window open the circuit: no call is made until some seconds
have passed. Then it is half-open: one call probes the provider. Its success closes the circuit, its failure opens it
again.
"""

from __future__ import annotations

from enum import StrEnum

from broadcaster.channels.provider import BreakerRule

BUCKETS = 10
"""The window moves in steps of a tenth of it."""


class Circuit(StrEnum):
    """The three states of a provider's circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


def opens(rule: BreakerRule, calls: int, failures: int) -> bool:
    """Whether so many failures among the calls of the window open the circuit."""
    return failures > 0 and calls >= rule.calls and failures >= rule.failures * calls


def circuit(*, shut: bool, broken: bool) -> Circuit:
    """The state: `shut` while no call may be made, `broken` since it opened and until a probe succeeds."""
    if shut:
        return Circuit.OPEN
    return Circuit.HALF_OPEN if broken else Circuit.CLOSED
