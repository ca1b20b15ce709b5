"""Capacity: when a broadcast will be finished, and when it must begin; through nights, quotas and clock changes."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.planning.capacity import ASSUMED_RATE, LONGEST, UNPACED, Capacity, Line, Rate
from broadcaster.planning.policy import QuietHours
from tests.builders import at

NIGHT = QuietHours(start=time(21, 0), end=time(8, 0))
NOON = QuietHours(start=time(12, 0), end=time(14, 0))


def _line(*rates: Rate, quiet: QuietHours | None = None, zone: str = "Asia/Shanghai") -> Line:
    return Line(Capacity(rates), quiet, ZoneInfo(zone))


def _finish(line: Line, start: str, people: int, used: int = 0) -> str | None:
    found = line.finish(at(start, line.zone.key), people, used)
    return f"{found.at.astimezone(line.zone):%m-%d %H:%M:%S}" if found else None


def _start(line: Line, finish_by: str, people: int) -> str | None:
    found = line.latest_start(at(finish_by, line.zone.key), people)
    return f"{found.astimezone(line.zone):%m-%d %H:%M:%S}" if found else None


TEN_A_SECOND = Rate(10)


@pytest.mark.parametrize(
    ("line", "people", "finish"),
    [
        pytest.param(_line(TEN_A_SECOND), 36_000, "02-25 21:00:00", id="an hour's work"),
        pytest.param(_line(TEN_A_SECOND), 36_001, "02-25 21:00:01", id="a second for one more"),
        pytest.param(_line(TEN_A_SECOND), 0, "02-25 20:00:00", id="nobody"),
        pytest.param(_line(TEN_A_SECOND, quiet=NIGHT), 36_000, "02-25 21:00:00", id="up to the night"),
        pytest.param(_line(TEN_A_SECOND, quiet=NIGHT), 36_001, "02-26 08:00:01", id="over the night"),
        pytest.param(_line(TEN_A_SECOND, quiet=NOON), 612_000, "02-26 15:00:00", id="over a quiet noon"),
        pytest.param(_line(Rate(4), Rate(6)), 36_000, "02-25 21:00:00", id="two providers share"),
        pytest.param(_line(Rate(10, per_day=18_000)), 36_000, "02-26 00:30:00", id="half a day's quota each day"),
        pytest.param(
            _line(Rate(10, per_day=18_000), Rate(10)),
            72_000,
            "02-25 21:30:00",
            id="one's quota is used up, one goes on",
        ),
        pytest.param(_line(Rate(10, per_day=1), quiet=NIGHT), 3, "02-27 08:00:01", id="one a day"),
        pytest.param(_line(Rate(0.1)), 360, "02-25 21:00:00", id="one in ten seconds"),
    ],
)
def test_a_finish_counts_pace_quotas_and_silence(line: Line, people: int, finish: str) -> None:
    """Beginning at 20:00."""
    assert _finish(line, "2022-02-25 20:00", people) == finish


@pytest.mark.parametrize(
    ("line", "people", "start"),
    [
        pytest.param(_line(TEN_A_SECOND), 36_000, "02-25 09:00:00", id="an hour's work"),
        pytest.param(_line(TEN_A_SECOND, quiet=NIGHT), 72_000, "02-25 08:00:00", id="from the end of the night"),
        pytest.param(_line(TEN_A_SECOND, quiet=NIGHT), 72_001, "02-24 20:59:59", id="from the evening before"),
        pytest.param(_line(Rate(10, per_day=18_000)), 36_000, "02-24 23:30:00", id="two days' quotas"),
        pytest.param(_line(TEN_A_SECOND), 0, "02-25 10:00:00", id="nobody"),
    ],
)
def test_a_start_is_as_late_as_it_may_be(line: Line, people: int, start: str) -> None:
    """Finished by 10:00."""
    assert _start(line, "2022-02-25 10:00", people) == start


def test_what_went_out_before_counts_against_the_quota_of_the_day() -> None:
    """Of a quota of a thousand, two hundred are left for today."""
    line = _line(Rate(10, per_day=1000))
    assert _finish(line, "2022-02-25 20:00", 200, used=800) == "02-25 20:00:20"
    assert _finish(line, "2022-02-25 20:00", 300, used=800) == "02-26 00:00:10"
    assert _finish(line, "2022-02-25 20:00", 300, used=5000) == "02-26 00:00:30"


def test_the_day_knows_what_went_out_on_it() -> None:
    """So that the next broadcast of that day can count on what is left."""
    found = _line(Rate(10, per_day=1000)).finish(at("2022-02-25 20:00"), 1300, 400)
    assert found is not None
    assert found.that_day == 700


def test_what_would_never_end_has_no_finish_and_no_start() -> None:
    """Ten million at one a day; and through nobody at all."""
    for line in (_line(Rate(per_day=1)), _line()):
        assert line.finish(at("2022-02-25 20:00"), 10_000_000) is None
        assert line.latest_start(at("2022-02-25 20:00"), 10_000_000) is None


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2022-03-26", 11), ("2022-03-27", 23 - 13), ("2022-10-29", 11), ("2022-10-30", 25 - 14)],
)
def test_a_day_has_as_many_hours_as_its_clocks_show(day: str, hours: int) -> None:
    """Berlin, silent from 13:30 to 02:30: 02:30 is left out in March, and the second 02:30 ends October's silence."""
    quiet = QuietHours(start=time(13, 30), end=time(2, 30))
    line = _line(Rate(1), quiet=quiet, zone="Europe/Berlin")
    found = line.finish(at(f"{day} 00:00", "Europe/Berlin"), hours * 3600)
    more = line.finish(at(f"{day} 00:00", "Europe/Berlin"), int(hours + 1) * 3600 + 1)
    assert found is not None and more is not None
    assert f"{found.at.astimezone(line.zone):%m-%d}" == day[5:]
    assert f"{more.at.astimezone(line.zone):%m-%d}" != day[5:]


def test_a_capacity_says_what_it_is() -> None:
    """As an operator reads it in a warning."""
    assert str(Capacity((Rate(300), Rate(0.5)))) == "300.5/s"
    assert str(Capacity((Rate(1_000_000, per_day=2_000_000),))) == "1,000,000/s and 2,000,000 a day"
    assert str(Capacity((Rate(300, per_day=5), Rate(300)))) == "600/s"
    assert (UNPACED.pace, bool(UNPACED), bool(Capacity(()))) == (ASSUMED_RATE, True, False)


_ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"])
_CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
_QUIET = st.none() | st.tuples(_CLOCKS, _CLOCKS).filter(lambda pair: pair[0] != pair[1]).map(
    lambda pair: QuietHours(start=pair[0], end=pair[1])
)
_RATES = st.builds(
    Rate, st.none() | st.floats(0.01, 1e5), st.none() | st.integers(1, 10_000_000) | st.integers(1, 1000)
)
_CAPACITIES = st.lists(_RATES, min_size=1, max_size=3).map(lambda rates: Capacity(tuple(rates)))
_LINES = st.builds(Line, _CAPACITIES, _QUIET, _ZONES.map(ZoneInfo))
_INSTANTS = st.integers(0, 400 * 24 * 60).map(
    lambda minutes: at("2022-01-01 00:00", "UTC") + timedelta(minutes=minutes)
)
_PEOPLE = st.integers(0, 10_000_000)


@settings(deadline=None, max_examples=300)  # a busy machine is no failure
@given(_LINES, _INSTANTS, _PEOPLE)
def test_whoever_begins_at_the_latest_start_is_finished_in_time(line: Line, by: datetime, people: int) -> None:
    """And whoever begins a minute later, in hours that are not quiet, is not."""
    start = line.latest_start(by, people)
    if start is None:
        return
    found = line.finish(start, people)
    assert start <= by
    assert found is not None and found.at <= by
    if people:
        assert not line.quiet or line.quiet.ends_after(start.astimezone(line.zone)) is None
        later = line.finish(start + timedelta(seconds=1), people)
        assert later is None or later.at > by


@settings(deadline=None)  # a busy machine is no failure
@given(_LINES, _INSTANTS, _PEOPLE, _PEOPLE, st.integers(0, 10_000))
def test_more_people_and_a_later_start_never_finish_earlier(
    line: Line, start: datetime, people: int, more: int, minutes: int
) -> None:
    """Nor does having used some of the day's quota; within the second to which everything is rounded."""
    found = line.finish(start, people)
    harder = (
        line.finish(start, people + more),
        line.finish(start + timedelta(minutes=minutes), people),
        line.finish(start, people, used=more),
    )
    for other in harder:
        assert other is None or (found is not None and found.at <= other.at + timedelta(seconds=1))


@settings(deadline=None)  # a busy machine is no failure
@given(_LINES, _RATES, _INSTANTS, _PEOPLE)
def test_another_provider_never_makes_it_later(line: Line, rate: Rate, start: datetime, people: int) -> None:
    """The others take no less because of it."""
    found = line.finish(start, people)
    helped = Line(Capacity((*line.capacity.rates, rate)), line.quiet, line.zone).finish(start, people)
    assert found is None or (helped is not None and helped.at <= found.at)


@settings(deadline=None)  # a busy machine is no failure
@given(_LINES, _INSTANTS, _PEOPLE)
def test_nothing_is_finished_in_quiet_hours(line: Line, start: datetime, people: int) -> None:
    """The last message goes out while the channel may speak."""
    found = line.finish(start, people)
    if found and people and line.quiet:
        last = (found.at - timedelta(seconds=1)).astimezone(line.zone)
        assert line.quiet.ends_after(last) is None


def test_the_longest_is_longer_than_any_outage() -> None:
    """An outage of a year is planned for as well."""
    assert timedelta(days=366) < LONGEST
