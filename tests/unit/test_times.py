"""Local times become instants: 24:00, offsets, and the hours that a clock change leaves out or repeats."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from broadcaster.announcement.times import at_clock, localize, parse_instant, zone_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2022-02-26 00:00", "2022-02-26T00:00:00+08:00"),
        ("2022-02-26T09:30", "2022-02-26T09:30:00+08:00"),
        ("2022-02-26 9:30:15", "2022-02-26T09:30:15+08:00"),
        (" 2022-02-26 00:00 ", "2022-02-26T00:00:00+08:00"),
        ("2022-02-25T16:00:00Z", "2022-02-26T00:00:00+08:00"),
        ("2022-02-25 12:00 -04:00", "2022-02-26T00:00:00+08:00"),
    ],
)
def test_a_time_is_local_unless_it_has_an_offset(written: str, meant: str) -> None:
    """Whatever way it is written, the instant is shown in the announcement's zone."""
    assert parse_instant(written, SHANGHAI).isoformat() == meant


def test_24_00_is_the_next_day_00_00() -> None:
    """`20日24时` and `21日0时` are the same instant, over the end of a year too."""
    assert parse_instant("2022-03-20 24:00", SHANGHAI) == parse_instant("2022-03-21 00:00", SHANGHAI)
    assert parse_instant("2022-12-31 24:00", SHANGHAI).isoformat() == "2023-01-01T00:00:00+08:00"


@pytest.mark.parametrize(
    "written",
    [
        *("2022-02-26", "26.02.2022 00:00", "tomorrow", "2022-02-30 00:00", "2022-02-26 24:01", "2022-02-26 25:00"),
        *("2022-02-26 00:00+25:00", "0001-01-01 00:00", "9999-12-31 24:00"),
        *(5, None, datetime(2022, 2, 26)),  # noqa: DTZ001 - a naive one
    ],
)
def test_what_is_no_time_is_refused(written: object) -> None:
    """Dates without a time, days and hours that no calendar has, and years where arithmetic has no room."""
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(written, SHANGHAI)


def test_a_local_time_without_a_zone_says_what_to_give() -> None:
    """A time with an offset needs none."""
    with pytest.raises(ValueError, match="give the announcement a `zone`"):
        parse_instant("2022-02-26 00:00", None)
    assert parse_instant("2022-02-26 00:00+08:00", None).isoformat() == "2022-02-26T00:00:00+08:00"


@pytest.mark.parametrize(
    ("zone", "left_out", "next_valid"),
    [
        ("Europe/Berlin", "2022-03-27 02:00", "2022-03-27T03:00:00+02:00"),
        ("Europe/Berlin", "2022-03-27 02:30", "2022-03-27T03:00:00+02:00"),
        ("America/New_York", "2022-03-13 02:59", "2022-03-13T03:00:00-04:00"),
        ("Australia/Lord_Howe", "2022-10-02 02:15", "2022-10-02T02:30:00+11:00"),
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-31T00:00:00+14:00"),
    ],
)
def test_a_time_that_does_not_exist_becomes_the_next_that_does(zone: str, left_out: str, next_valid: str) -> None:
    """An hour in Europe and America, half an hour on Lord Howe, a whole day that Samoa once skipped."""
    assert parse_instant(left_out, ZoneInfo(zone)).isoformat() == next_valid


@pytest.mark.parametrize(
    ("zone", "written", "first"),
    [
        ("Europe/Berlin", "2022-10-30 02:30", "2022-10-30T02:30:00+02:00"),
        ("America/New_York", "2022-11-06 01:00", "2022-11-06T01:00:00-04:00"),
    ],
)
def test_a_time_that_occurs_twice_is_the_first(zone: str, written: str, first: str) -> None:
    """The second is written with its offset."""
    assert parse_instant(written, ZoneInfo(zone)).isoformat() == first


def test_the_second_of_two_equal_times_is_kept_apart_by_its_offset() -> None:
    """02:30 in Berlin's autumn comes at 00:30 and at 01:30 UTC."""
    berlin = ZoneInfo("Europe/Berlin")
    second = parse_instant("2022-10-30 02:30+01:00", berlin)
    assert second.fold == 1
    assert second.astimezone(UTC).isoformat() == "2022-10-30T01:30:00+00:00"


def test_a_clock_time_on_a_day_follows_the_same_rules() -> None:
    """At 02:30 on the day on which Berlin has none, it is 03:00."""
    assert (
        at_clock(date(2022, 3, 27), time(2, 30), ZoneInfo("Europe/Berlin")).isoformat().startswith("2022-03-27T03:00")
    )


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Asia", "../etc/passwd", "UTC+8"])
def test_an_unknown_zone_is_named(name: str) -> None:
    """Also a folder of zones and a path are none."""
    with pytest.raises(ValueError, match="unknown time zone"):
        zone_of(name)


@settings(deadline=None)  # a busy machine is no failure
@given(st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001 - local times
def test_a_time_that_exists_is_what_the_clocks_show(naive: datetime, name: str) -> None:
    """Localizing changes nothing about the digits, and no earlier instant shows the same."""
    zone = ZoneInfo(name)
    found = localize(naive, zone)
    assume(found.replace(tzinfo=None) == naive)
    assert found.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive
    assert found.fold == 0


@settings(deadline=None)  # a busy machine is no failure
@given(st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001 - local times
def test_a_time_never_moves_back(naive: datetime, name: str) -> None:
    """What a clock change leaves out moves forward, to an instant that exists."""
    zone = ZoneInfo(name)
    found = localize(naive, zone)
    assert found.replace(tzinfo=None) >= naive
    assert found.astimezone(UTC).astimezone(zone).isoformat() == found.isoformat()
