"""How far apart calls begin."""

from __future__ import annotations

import math

import pytest

from broadcaster.channels.provider import Pace
from broadcaster.delivery.pacing import LATE, MINUTE_OVER, Spacing, spacing, together

CASES = [(1, 50.0), (1, 500.0), (1, 0.5), (100, 1000.0), (100, 20_000.0), (100, 150.0), (1000, 110.0), (1000, 17.0)]
"""Messages in a call, and messages a second."""


def _most_calls(apart: float, seconds: float) -> int:
    """How many calls can be in a window, when each may be late by LATE and its neighbours are not."""
    return math.ceil((seconds + LATE) / apart - 1e-9)


def test_a_provider_without_limits_has_no_spacing() -> None:
    """Calls follow each other as fast as they can."""
    assert spacing(Pace(), 1000) == Spacing(0.0, 0.0)


def test_a_call_takes_the_time_of_its_messages() -> None:
    """100 messages at 1,000 a second are a tenth of a second, and the limit of calls does not ask for the size."""
    assert spacing(Pace(calls_per_second=5, messages_per_second=1000), 100) == Spacing(calls=0.2, messages=0.1)


@pytest.mark.parametrize(("messages", "limit"), CASES)
def test_no_second_has_more_than_the_limit_and_one_call(messages: int, limit: float) -> None:
    """Although workers are late by different times."""
    apart = spacing(Pace(messages_per_second=limit), messages).messages
    assert _most_calls(apart, 1.0) * messages <= max(limit, messages) + messages


@pytest.mark.parametrize(("messages", "limit"), CASES)
def test_no_minute_is_more_than_one_percent_over(messages: int, limit: float) -> None:
    """Although a call cannot be divided."""
    apart = spacing(Pace(messages_per_second=limit), messages).messages
    assert _most_calls(apart, 60.0) * messages <= 60 * limit * (1 + MINUTE_OVER)


@pytest.mark.parametrize(("messages", "limit"), CASES)
def test_little_of_the_limit_is_left_unused(messages: int, limit: float) -> None:
    """At most what unpunctual workers need, beside the calls that do not fit into the minute whole."""
    apart = spacing(Pace(messages_per_second=limit), messages).messages
    whole = math.floor(60 * limit / messages) * messages
    assert messages / apart * 60 >= whole / (1 + LATE)


def test_a_call_that_alone_is_over_its_minute_is_paced_by_its_own_size() -> None:
    """1,000 messages at one a second are made all the same, and then nothing for 1,000 seconds."""
    assert spacing(Pace(messages_per_second=1), 1000).messages == 1000


def test_slots_are_reserved_together_where_they_are_near() -> None:
    """As many as a worker comes to before they are too late, and never more than it has calls for."""
    assert together(spacing(Pace(calls_per_second=1_000_000), 100), 10) == 10
    assert together(spacing(Pace(calls_per_second=20), 100), 10) == 1
    assert 1 < together(spacing(Pace(calls_per_second=200), 100), 10) < 10
    assert together(spacing(Pace(), 100), 10) == 10
