"""What is stated against what is true: when a screen is stale, and for how long something false was stated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.reporting.statements import (
    FalseTime,
    Held,
    Truth,
    false_time,
    held_by_screen,
    is_stale,
    stale_since,
)

START = datetime(2022, 2, 18, 2, tzinfo=UTC)


def minute(number: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=number)


def minutes(truths: list[Truth], held: list[Held], until: float = 100) -> tuple[float, float]:
    """Minutes of all false time, and of the longest in one go."""
    found = false_time(truths, held, minute(until))
    return found.minutes, found.longest_minutes


FIRST = Truth(10, minute(0), {"end": "20th"})
LATER = Truth(20, minute(30), {"end": "24th"})
BACK = Truth(30, minute(50), {"end": "20th"})


@pytest.mark.parametrize(("fetched", "stale"), [(0, True), (19, True), (20, False), (25, False)])
def test_a_screen_is_stale_until_it_fetched_the_newest_change(fetched: int, stale: bool) -> None:
    """A higher number holds everything before it."""
    assert is_stale(fetched, [10, 20]) is stale


def test_nothing_is_stale_while_nothing_changed() -> None:
    """Also one that never looked."""
    assert not is_stale(0, [])
    assert stale_since(0, []) is None


def test_a_screen_is_stale_since_the_first_change_that_it_lacks() -> None:
    """The ones after it do not start anew."""
    changes = [(10, minute(0)), (20, minute(30)), (30, minute(50))]
    assert stale_since(10, changes) == minute(30)
    assert stale_since(30, changes) is None


def test_what_is_fetched_states_what_was_true_at_its_number() -> None:
    """Before the announcement was public, nothing of it."""
    held = held_by_screen([(minute(-5), 9), (minute(1), 12), (minute(31), 20)], [FIRST, LATER])
    assert [row.facts for row in held] == [None, {"end": "20th"}, {"end": "24th"}]


def test_false_time_runs_from_the_change_until_the_screen_has_it() -> None:
    """Half a minute, for one that looks every half minute."""
    assert minutes([FIRST, LATER], [Held(minute(1), FIRST.facts), Held(minute(30.5), LATER.facts)]) == (0.5, 0.5)


def test_false_time_goes_on_while_the_screen_does_not_look() -> None:
    """Up to now."""
    assert minutes([FIRST, LATER], [Held(minute(1), FIRST.facts)]) == (70, 70)


def test_a_change_upon_a_change_counts_once() -> None:
    """One that missed both stated something false the whole time, and not twice as long."""
    other = Truth(40, minute(60), {"end": "27th"})
    assert minutes([FIRST, LATER, other], [Held(minute(1), FIRST.facts), Held(minute(70), other.facts)]) == (40, 40)


def test_what_was_false_may_be_true_again() -> None:
    """Moved from the 20th to the 24th and back: whoever missed both is right again."""
    assert minutes([FIRST, LATER, BACK], [Held(minute(1), FIRST.facts)]) == (20, 20)


def test_what_counts_as_false_may_be_judged_otherwise() -> None:
    """A post whose end came as it said was right all along."""
    held = [Held(minute(1), FIRST.facts)]
    assert false_time([FIRST, LATER], held, minute(100), lambda stated, true: stated["end"] > true["end"]).minutes == 0


def test_two_false_times_add_up_and_the_longest_is_kept() -> None:
    """Late after each of two changes."""
    held = [Held(minute(1), FIRST.facts), Held(minute(33), LATER.facts), Held(minute(51), BACK.facts)]
    assert minutes([FIRST, LATER, BACK], held) == (4, 3)


@pytest.mark.parametrize("held", [[], [Held(minute(-5), None)]])
def test_whoever_said_nothing_said_nothing_false(held: list[Held]) -> None:
    """A screen that never fetched the announcement."""
    assert minutes([FIRST, LATER], held) == (0, 0)


def test_what_is_fetched_before_its_instant_counts_from_then() -> None:
    """An operator's word may be put down shortly before the instant that it is about."""
    assert minutes([FIRST, LATER], [Held(minute(1), FIRST.facts), Held(minute(28), LATER.facts)]) == (0, 0)


def test_the_worst_of_several_is_the_longest_of_any() -> None:
    """Sums add up, the worst one does not."""
    some, more = FalseTime(timedelta(minutes=3), timedelta(minutes=2)), FalseTime(timedelta(minutes=5), timedelta(0))
    assert some.and_those(more) == FalseTime(timedelta(minutes=8), timedelta(minutes=2))
