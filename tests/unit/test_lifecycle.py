"""The lifecycle table: what can happen to an announcement, and that only a person completes it."""

from __future__ import annotations

from itertools import product

import pytest

from broadcaster.announcement.lifecycle import CLOCK_EVENTS, TRANSITIONS, Event, State, next_state
from broadcaster.errors import StateError

PAIRS = list(product(State, Event))


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair in TRANSITIONS])
def test_a_pair_of_the_table_leads_to_its_state(state: State, event: Event) -> None:
    """The table is all there is to know."""
    assert next_state(state, event) is TRANSITIONS[state, event]


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair not in TRANSITIONS])
def test_every_other_pair_is_refused(state: State, event: Event) -> None:
    """And the refusal names what an operator can do instead, never what only the clock does."""
    with pytest.raises(StateError) as caught:
        next_state(state, event)
    assert caught.value.message == f"an announcement that is {state} cannot {event}"
    possible = [str(other) for other in Event if (state, other) in TRANSITIONS and other not in CLOCK_EVENTS]
    hint = caught.value.hint or ""
    assert [word for word in possible if word not in hint] == []
    assert [str(event) for event in CLOCK_EVENTS if event in hint] == []
    assert possible or hint == "nothing more can happen to it"


def test_the_clock_never_completes_an_outage() -> None:
    """Nor does it cancel one: it starts it, and finds it overdue."""
    reached = {state for (_, event), state in TRANSITIONS.items() if event in CLOCK_EVENTS}
    assert reached == {State.IN_PROGRESS, State.OVERRUN}


def test_only_finish_leads_to_completed() -> None:
    """Whatever the state it comes from."""
    assert {event for (_, event), state in TRANSITIONS.items() if state is State.COMPLETED} == {Event.FINISH}


def test_a_whole_life() -> None:
    """Approved, started, overdue, extended, overdue again, finished."""
    state = State.DRAFT
    passed = [state]
    steps = (Event.APPROVE, Event.START, Event.END_PASSED, Event.EXTEND, Event.END_PASSED, Event.FINISH)
    for event in steps:
        state = next_state(state, event)
        passed.append(state)
    assert [str(each) for each in passed] == [
        "draft",
        "scheduled",
        "in_progress",
        "overrun",
        "in_progress",
        "overrun",
        "completed",
    ]


def test_a_cancelled_one_can_come_back() -> None:
    """By `reinstate`, to scheduled."""
    assert next_state(State.CANCELLED, Event.REINSTATE) is State.SCHEDULED
