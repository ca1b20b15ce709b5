"""When a provider's circuit opens, and what state it is in."""

from __future__ import annotations

import pytest

from broadcaster.channels.provider import BreakerRule
from broadcaster.delivery.breaker import Circuit, circuit, opens

RULE = BreakerRule(failures=0.5, calls=20)


def test_one_failure_opens_nothing() -> None:
    """However few calls there were: a single error is no reason to move everybody to another provider."""
    assert not opens(RULE, calls=1, failures=1)
    assert not opens(RULE, calls=20, failures=1)


def test_too_few_calls_say_nothing() -> None:
    """Even when all of them failed."""
    assert not opens(RULE, calls=19, failures=19)
    assert opens(RULE, calls=20, failures=20)


@pytest.mark.parametrize(("failures", "open_"), [(499, False), (500, True), (501, True)])
def test_the_share_of_failures_decides(failures: int, open_: bool) -> None:
    """Half of a thousand calls, not a number that a busy provider reaches on a good day."""
    assert opens(RULE, calls=1000, failures=failures) is open_


def test_a_share_of_all_needs_all_to_fail() -> None:
    """The largest share that a site can write."""
    strict = BreakerRule(failures=1.0, calls=2)
    assert not opens(strict, calls=100, failures=99)
    assert opens(strict, calls=100, failures=100)


def test_no_failure_opens_nothing_whatever_the_share() -> None:
    """A share so small that it is rounded to no call at all."""
    assert not opens(BreakerRule(failures=1e-12, calls=2), calls=2, failures=0)


@pytest.mark.parametrize(
    ("shut", "broken", "state"),
    [
        (False, False, Circuit.CLOSED),
        (True, True, Circuit.OPEN),
        (False, True, Circuit.HALF_OPEN),
        (True, False, Circuit.OPEN),
    ],
)
def test_a_circuit_that_opened_is_half_open_until_a_probe_succeeds(shut: bool, broken: bool, state: Circuit) -> None:
    """Time alone does not close it."""
    assert circuit(shut=shut, broken=broken) is state
