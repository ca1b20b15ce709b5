"""Lateness in buckets: the same bounds in the metrics and in the report."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.delivery import latency
from broadcaster.planning.lateness import BEYOND, BOUNDS, LABELS, bucket
from tests.builders import at

DUE = at("2030-05-10 10:00")


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        (-5, "0.1"),
        (0, "0.1"),
        (0.1, "0.1"),
        (0.11, "0.25"),
        (60, "60"),
        (60.001, "120"),
        (86400, "86400"),
        (1e9, BEYOND),
    ],
)
def test_a_bucket_holds_its_bound(seconds: float, name: str) -> None:
    """As Prometheus counts them: less than or equal."""
    assert bucket(seconds) == name


@given(st.floats(min_value=-10, max_value=200_000))
def test_every_lateness_has_the_first_bucket_that_reaches_it(seconds: float) -> None:
    """Nobody falls between two buckets, whatever the number."""
    place = LABELS.index(bucket(seconds))
    assert all(bound < seconds for bound in BOUNDS[:place])
    assert place == len(BOUNDS) or seconds <= BOUNDS[place]


def test_a_batch_adds_its_recipients_to_one_bucket() -> None:
    """And their seconds to the sum, so that a mean can be told."""
    found = latency.tally("sms", DUE, DUE + timedelta(seconds=4), 300)
    assert found == {("latency", "sms|5"): 300, ("latency_seconds", "sms"): 1200}


def test_nobody_adds_nothing() -> None:
    """No row is touched for it."""
    assert latency.tally("sms", DUE, DUE, 0) == {}


def test_what_is_accepted_before_it_is_due_is_on_time() -> None:
    """A clock that was set back must not make the sum smaller."""
    assert latency.tally("sms", DUE, DUE - timedelta(seconds=1), 1) == {
        ("latency", "sms|0.1"): 1,
        ("latency_seconds", "sms"): 0,
    }
