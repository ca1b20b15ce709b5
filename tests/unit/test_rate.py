"""How fast a broadcast goes, from looks at what is accounted for."""

from __future__ import annotations

import pytest

from broadcaster.reporting.rate import Rates


def test_one_look_tells_no_rate() -> None:
    """It takes two to see a movement."""
    rates = Rates()
    rates.look(0, {"a": 100})
    assert rates.per_second("a") is None
    assert rates.seconds_left("a", 50) is None


def test_a_rate_is_the_rise_over_the_window() -> None:
    """Older looks are forgotten: a provider that has become slower is seen within seconds."""
    rates = Rates(window=10)
    for second in range(31):
        rates.look(second, {"a": 1000 * second if second <= 20 else 20_000 + 100 * (second - 20)})
    assert rates.per_second("a") == 100
    assert rates.seconds_left("a", 5_000) == 50


def test_what_does_not_move_has_no_end() -> None:
    """A stall is said to be one, and nobody divides by it."""
    rates = Rates()
    rates.look(0, {"a": 7})
    rates.look(5, {"a": 7})
    assert rates.per_second("a") == 0
    assert rates.seconds_left("a", 1) is None


def test_a_broadcast_that_is_opened_meanwhile_counts_from_its_first_look() -> None:
    """What was not there does not count as zero."""
    rates = Rates()
    rates.look(0, {})
    rates.look(10, {"a": 500})
    rates.look(12, {"a": 700})
    assert rates.per_second("a") == pytest.approx(100)


def test_two_looks_at_the_same_instant_tell_nothing() -> None:
    """A clock with coarse steps is no reason to fail."""
    rates = Rates()
    rates.look(1, {"a": 0})
    rates.look(1, {"a": 5})
    assert rates.per_second("a") is None
