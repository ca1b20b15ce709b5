"""The guard before every call: each verdict, and which one comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, time, timedelta
from itertools import product

import pytest

from broadcaster.announcement.lifecycle import State
from broadcaster.delivery.guard import Circumstances, Hold, Moved, Paused, Proceed, Stop, Verdict, judge
from broadcaster.planning.phase import Phase
from broadcaster.planning.policy import QuietHours
from tests.builders import SHANGHAI, at

NOW = at("2022-02-25 10:00").astimezone(UTC)
NIGHT = QuietHours(start=time(21, 0), end=time(8, 0))
FINE = Circumstances(
    broadcast_open=True,
    revision_approved=True,
    announcement_state=State.SCHEDULED,
    phase=Phase.REMINDER,
    expires_at=at("2022-02-26 00:00"),
    quiet_hours=NIGHT,
    zone=SHANGHAI,
    paused=False,
    moved=False,
)

TOLD_IN = {
    State.DRAFT: set(),
    State.SCHEDULED: {Phase.NOTICE, Phase.REMINDER, Phase.CHANGED},
    State.IN_PROGRESS: {Phase.STARTED, Phase.ONGOING, Phase.CHANGED},
    State.OVERRUN: {Phase.OVERRUN, Phase.CHANGED},
    State.COMPLETED: {Phase.RESTORED},
    State.CANCELLED: {Phase.CANCELLED},
}


def test_a_call_that_nothing_speaks_against_proceeds() -> None:
    """In the morning of the day before."""
    assert judge(FINE, NOW) == Proceed()


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (replace(FINE, broadcast_open=False), Stop("the broadcast was stopped")),
        (replace(FINE, revision_approved=False), Stop("a newer revision was approved")),
        (replace(FINE, announcement_state=State.CANCELLED), Stop("no longer true: the announcement is cancelled")),
        (replace(FINE, expires_at=NOW), Stop("expired at 2022-02-25 10:00")),
        (replace(FINE, quiet_hours=QuietHours(start=time(9, 0), end=time(12, 30))), Hold(at("2022-02-25 12:30"))),
        (replace(FINE, quiet_hours=None), Proceed()),
        (replace(FINE, paused=True), Paused()),
    ],
)
def test_each_obstacle_has_its_verdict(found: Circumstances, verdict: Verdict) -> None:
    """One thing wrong at a time, times shown in the announcement's zone."""
    assert judge(found, NOW) == verdict


@pytest.mark.parametrize(("state", "phase"), list(product(State, Phase)))
def test_a_phase_is_told_only_in_the_states_in_which_it_is_true(state: State, phase: Phase) -> None:
    """Every pair: a reminder does not go out once the stop has begun, `restored` only when somebody said so."""
    verdict = judge(replace(FINE, announcement_state=state, phase=phase), NOW)
    assert isinstance(verdict, Proceed) == (phase in TOLD_IN[state])


def test_an_expiry_is_the_first_instant_at_which_it_is_untrue() -> None:
    """A second before it still goes out."""
    assert judge(replace(FINE, expires_at=NOW + timedelta(seconds=1)), NOW) == Proceed()


def test_quiet_hours_are_those_of_the_announcements_zone() -> None:
    """22:00 in Shanghai is 14:00 UTC: held until 08:00 in Shanghai."""
    found = replace(FINE, expires_at=at("2022-02-28 00:00"))
    assert judge(found, at("2022-02-25 22:00").astimezone(UTC)) == Hold(at("2022-02-26 08:00"))


def test_the_gravest_obstacle_is_the_verdict() -> None:
    """What stops for good before what only waits."""
    found = Circumstances(
        broadcast_open=False,
        revision_approved=False,
        announcement_state=State.CANCELLED,
        phase=Phase.REMINDER,
        expires_at=NOW - timedelta(days=1),
        quiet_hours=QuietHours(start=time(0, 0), end=time(23, 59)),
        zone=SHANGHAI,
        paused=True,
        moved=True,
    )
    verdicts = []
    for cure in (
        {"broadcast_open": True},
        {"revision_approved": True},
        {"announcement_state": State.SCHEDULED},
        {"expires_at": NOW + timedelta(days=1)},
        {"moved": False},
        {"paused": False},
        {"quiet_hours": None},
    ):
        verdicts.append(judge(found, NOW))
        found = replace(found, **cure)
    assert verdicts == [
        Stop("the broadcast was stopped"),
        Stop("a newer revision was approved"),
        Stop("no longer true: the announcement is cancelled"),
        Stop("expired at 2022-02-24 10:00"),
        Moved(),
        Paused(),
        Hold(at("2022-02-25 23:59")),
    ]
    assert judge(found, NOW) == Proceed()
