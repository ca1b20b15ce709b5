"""The announcement's lifecycle as data: which event leads from which state to which.

The clock may start an outage and find it overdue; it never completes one. Only `finish`, a human word, does that.
"""

from __future__ import annotations

from enum import StrEnum

from broadcaster.errors import StateError


class State(StrEnum):
    """Where an announcement is in its life."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    OVERRUN = "overrun"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to an announcement."""

    APPROVE = "approve"
    START = "start"
    END_PASSED = "end_passed"
    EXTEND = "extend"
    FINISH = "finish"
    CANCEL = "cancel"
    REINSTATE = "reinstate"


CLOCK_EVENTS = frozenset({Event.START, Event.END_PASSED})
"""The events that the passing of time may cause; every other is an operator's."""

OPERATOR_EVENTS = frozenset(Event) - CLOCK_EVENTS
"""What somebody decides. A screen knows the clock's events ahead, but not these."""

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.DRAFT, Event.APPROVE): State.SCHEDULED,
    (State.SCHEDULED, Event.APPROVE): State.SCHEDULED,
    (State.IN_PROGRESS, Event.APPROVE): State.IN_PROGRESS,
    (State.SCHEDULED, Event.START): State.IN_PROGRESS,
    (State.IN_PROGRESS, Event.END_PASSED): State.OVERRUN,
    (State.OVERRUN, Event.EXTEND): State.IN_PROGRESS,
    (State.IN_PROGRESS, Event.FINISH): State.COMPLETED,
    (State.OVERRUN, Event.FINISH): State.COMPLETED,
    (State.DRAFT, Event.CANCEL): State.CANCELLED,
    (State.SCHEDULED, Event.CANCEL): State.CANCELLED,
    (State.IN_PROGRESS, Event.CANCEL): State.CANCELLED,
    (State.OVERRUN, Event.CANCEL): State.CANCELLED,
    (State.CANCELLED, Event.REINSTATE): State.SCHEDULED,
}


def next_state(state: State, event: Event) -> State:
    """The state after `event`; raises StateError that names what is possible instead."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise StateError(f"an announcement that is {state} cannot {event}", hint=_possible(state)) from None


def _possible(state: State) -> str:
    events = [event for (origin, event) in TRANSITIONS if origin is state and event not in CLOCK_EVENTS]
    return f"possible now: {', '.join(events)}" if events else "nothing more can happen to it"
