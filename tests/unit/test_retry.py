"""Waiting before a retry: longer each time, within bounds, never before the provider asked."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.delivery.retry import FIRST_WAIT, JITTER, LONGEST_RETRY_AFTER, LONGEST_WAIT, wait

ATTEMPTS = st.integers(0, 10_000)
CHANCE = st.floats(0, 1, exclude_max=True)


def test_the_wait_doubles_until_its_longest() -> None:
    """Without luck either way: a second after the first failure, five minutes from the tenth on."""
    waits = [wait(attempts, chance=0.5) for attempts in (1, 2, 3, 4, 9, 10, 50)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 256.0, 300.0, 300.0]


@settings(deadline=None)  # a busy machine is no failure
@given(ATTEMPTS, CHANCE)
def test_the_wait_stays_in_its_bounds(attempts: int, chance: float) -> None:
    """Between the first wait and the longest, with the jitter around them."""
    assert FIRST_WAIT * (1 - JITTER) <= wait(attempts, chance=chance) <= LONGEST_WAIT * (1 + JITTER)


@settings(deadline=None)  # a busy machine is no failure
@given(ATTEMPTS, CHANCE)
def test_one_more_failure_never_shortens_the_wait(attempts: int, chance: float) -> None:
    """With the same luck."""
    assert wait(attempts + 1, chance=chance) >= wait(attempts, chance=chance)


@settings(deadline=None)  # a busy machine is no failure
@given(ATTEMPTS, st.floats(0, 100_000))
def test_a_retry_never_comes_before_the_provider_asked(attempts: int, retry_after: float) -> None:
    """Up to an hour: whoever asks for more is asked again all the same."""
    assert wait(attempts, retry_after) >= min(retry_after, LONGEST_RETRY_AFTER)


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(0, 20))
def test_two_workers_do_not_come_back_together(attempts: int) -> None:
    """The jitter spreads what failed at once over two fifths of the wait."""
    early, late = wait(attempts, chance=0.0), wait(attempts, chance=0.999)
    assert late > early * 1.4
