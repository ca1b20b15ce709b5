"""The forecast: when what is planned will be finished, and what cannot be finished in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.capacity import Capacity, Rate
from broadcaster.planning.forecast import Forecast, forecast
from broadcaster.planning.planner import plan
from broadcaster.planning.situation import Situation
from tests.builders import at, proposal

NOW = at("2030-05-01 10:00")
REMINDER = {"days_before": [1], "channels": ["sms"]}

TEN = Rate(10)
"""Messages a second."""


def _reminded(*rules: Mapping[str, object]) -> dict[str, object]:
    return {
        "notice": [],
        "started": [],
        "ongoing": [],
        "overrun": [],
        "reminder": [{**REMINDER, **rule} for rule in rules],
    }


def _seen(people: int, *rules: Mapping[str, object], rate: Rate = TEN, **policy: Any) -> list[Forecast]:
    """What is expected of reminders to so many people each, by due time."""
    one = proposal(policy={**_reminded(*rules), **policy})
    situation = Situation(1, capacities={"sms": Capacity((rate,))}, sizes=lambda *_: people)
    rows = plan(one, situation, NOW)
    found = forecast(one, situation, NOW, rows)
    return [found[row.id] for row in rows if row.id in found]


def _ends(found: list[Forecast]) -> list[str]:
    return [f"{row.finished_at:%m-%d %H:%M}" if row.finished_at else "never" for row in found]


def test_it_says_how_many_and_until_when() -> None:
    """In the announcement's zone."""
    [found] = _seen(36_000, {})
    assert found == Forecast(36_000, at("2030-05-09 11:00"))


def test_what_is_due_together_is_finished_together() -> None:
    """Two audiences share what the channel takes."""
    assert _ends(_seen(36_000, {"audience": "tag:a"}, {"audience": "not tag:a"})) == ["05-09 12:00", "05-09 12:00"]


def test_one_waits_for_the_other() -> None:
    """The second begins when the first is done."""
    found = _seen(72_000, {"audience": "tag:a"}, {"audience": "tag:b", "at": "11:00"})
    assert _ends(found) == ["05-09 12:00", "05-09 14:00"]


def test_what_expires_first_makes_way() -> None:
    """The reminder of the 8th ends when that of the 9th is due, and holds it up no longer."""
    one, two = _seen(1_000_000, {"days_before": [2, 1]})
    assert one.warning == (
        "cannot be finished before 2030-05-09 10:00: 1,000,000 recipients at 10/s take 1 d 3 h, until 2030-05-10 11:47"
    )
    assert two.warning.endswith("take 1 d 3 h, until 2030-05-11 11:47")


def test_a_quota_is_of_the_day_not_of_the_broadcast() -> None:
    """What the morning used is missing in the evening."""
    found = _seen(600, {"audience": "tag:a"}, {"audience": "tag:b", "at": "18:00"}, rate=Rate(10, per_day=1000))
    assert _ends(found) == ["05-09 10:01", "05-10 08:00"]
    assert found[1].warning == (
        "cannot be finished before 2030-05-10 00:00: 600 recipients at 10/s and 1,000 a day take 1 min"
        " after 600 others on that day, until 2030-05-10 08:01"
    )


def test_days_are_counted_where_quotas_decide() -> None:
    """Ten million at a million a day are ten days, whatever the pace."""
    [found] = _seen(10_000_000, {"days_before": [8]}, rate=Rate(1000, per_day=1_000_000))
    assert "10,000,000 recipients at 1,000/s and 1,000,000 a day take 10 days, until 2030-05-11 08:17" in found.warning


def test_what_never_ends_says_so() -> None:
    """Instead of a date in the next century."""
    [found] = _seen(10_000_000, {}, rate=Rate(per_day=1))
    assert found.finished_at is None
    assert found.warning.endswith("take 10,000,000 days, longer than can be planned")


def test_a_wish_that_cannot_be_met_is_told_too() -> None:
    """It would be finished before it is untrue, but not by the time that the policy names."""
    now = at("2030-05-09 09:00")
    one = proposal(policy=_reminded({"finish_by": "10:00"}))
    situation = Situation(1, capacities={"sms": Capacity((Rate(10),))}, sizes=lambda *_: 72_000)
    rows = plan(one, situation, now)
    [found] = forecast(one, situation, now, rows).values()
    assert found.warning == (
        "cannot be finished by 2030-05-09 10:00: 72,000 recipients at 10/s take 2 h 0 min, until 2030-05-09 11:00"
    )


def test_nobody_is_told_at_once() -> None:
    """And that is no reason for a warning of its time."""
    assert _seen(0, {}) == [Forecast(0, at("2030-05-09 10:00"))]


@pytest.mark.parametrize("state", [state for state in BroadcastState if state is not BroadcastState.PLANNED])
def test_only_what_is_planned_has_a_forecast(state: BroadcastState) -> None:
    """What has begun is watched, not foreseen; what was skipped or revoked never ends."""
    one, situation = proposal(), Situation(1)
    rows = [replace(row, state=state) for row in plan(one, situation, NOW)]
    assert forecast(one, situation, NOW, rows) == {}


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(0, 100_000_000), st.floats(0.1, 10_000), st.lists(st.integers(1, 8), min_size=1, max_size=4))
def test_whatever_the_size_a_forecast_without_a_warning_is_kept(people: int, rate: float, days: list[int]) -> None:
    """Nothing ends before it is due; without a warning it ends before it is untrue and by the time that is wished."""
    one = proposal(policy=_reminded({"days_before": days, "finish_by": "10:00"}))
    situation = Situation(1, capacities={"sms": Capacity((Rate(rate),))}, sizes=lambda *_: people)
    rows = {row.id: row for row in plan(one, situation, NOW)}
    for id_, found in forecast(one, situation, NOW, rows.values()).items():
        row = rows[id_]
        assert found.finished_at is None or found.finished_at >= row.due_at
        if people and not found.warning:
            wished = at(row.occurrence.removesuffix("Z").replace("T", " "), "UTC")
            assert found.finished_at is not None
            assert found.finished_at <= min(wished, row.expires_at)
            assert found.finished_at - row.due_at >= timedelta(seconds=int(people / rate))
