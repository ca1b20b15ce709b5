"""Calendars: China's holidays and shifted working days, other countries', and what is said of a year nobody knows."""

from __future__ import annotations

from datetime import date

import pytest

from broadcaster.planning.calendars import calendar_called, calendar_of, long_holiday_after


@pytest.mark.parametrize(
    ("day", "working", "holiday"),
    [
        ("2022-01-28", True, None),
        ("2022-01-29", True, None),
        ("2022-01-30", True, None),
        ("2022-01-31", False, "Spring Festival"),
        ("2022-02-06", False, "Spring Festival"),
        ("2022-02-07", True, None),
        ("2022-02-26", False, None),
        ("2026-09-30", True, None),
        ("2026-10-01", False, "National Day"),
        ("2026-10-07", False, "National Day"),
        ("2026-10-08", True, None),
        ("2026-10-10", True, None),
        ("2026-10-11", False, None),
    ],
)
def test_china_rests_and_works_by_decree(day: str, working: bool, holiday: str | None) -> None:
    """Seven days off at Spring Festival 2022 and National Day 2026, paid for with weekends at work."""
    china = calendar_called("CN")
    found = date.fromisoformat(day)
    assert (china.is_working_day(found), china.holiday(found)) == (working, holiday)


def test_a_year_without_a_decree_is_not_known() -> None:
    """Its weekdays are all that can be said, and nothing fails."""
    china = calendar_called("CN")
    assert (china.knows(2022), china.knows(2099), china.knows(2003)) == (True, False, False)
    assert china.is_working_day(date(2099, 10, 1))
    assert not china.is_working_day(date(2099, 10, 3))
    assert china.holiday(date(2099, 10, 1)) is None


@pytest.mark.parametrize(
    ("name", "day", "holiday"),
    [
        ("GB", "2026-12-25", "Christmas Day"),
        ("GB-ENG", "2026-04-06", "Easter Monday"),
        ("GB-SCT", "2026-04-06", None),
        ("US", "2026-11-26", "Thanksgiving Day"),
        ("US-CA", "2026-03-31", "Cesar Chavez Day"),
        ("US", "2026-03-31", None),
        ("DE", "2026-10-03", "German Unity Day"),
        ("none", "2026-12-25", None),
    ],
)
def test_other_countries_have_theirs(name: str, day: str, holiday: str | None) -> None:
    """And so have parts of them; names are English where there are any."""
    assert calendar_called(name).holiday(date.fromisoformat(day)) == holiday


def test_a_working_day_is_none_on_weekends_and_holidays() -> None:
    """Whose weekend it is, the country says."""
    friday, sunday = date(2026, 3, 6), date(2026, 3, 8)
    assert [calendar_called("US").is_working_day(day) for day in (friday, sunday)] == [True, False]
    assert [calendar_called("SA").is_working_day(day) for day in (friday, sunday)] == [False, True]
    assert not calendar_called("US").is_working_day(date(2026, 11, 26))


def test_a_country_knows_the_years_of_its_library() -> None:
    """Far beyond any outage, and not for ever."""
    assert [calendar_called("US").knows(year) for year in (2026, 2200)] == [True, False]


@pytest.mark.parametrize("name", ["XX", "US-ZZ", "CN-SD"])
def test_nobody_has_every_calendar(name: str) -> None:
    """The name is told back."""
    with pytest.raises(ValueError, match=f"no calendar is known for '{name}'"):
        calendar_called(name)


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Asia/Shanghai", "CN"),
        ("Asia/Urumqi", "CN"),
        ("Asia/Hong_Kong", "HK"),
        ("Europe/London", "GB"),
        ("America/New_York", "US"),
        ("UTC", "none"),
    ],
)
def test_a_zone_is_in_a_country(zone: str, name: str) -> None:
    """Where it is in none, no day is a holiday."""
    assert calendar_of(zone).name == name


def test_a_long_holiday_begins_on_the_day_after() -> None:
    """Seven days from the working Sunday on; a plain weekend is none."""
    china = calendar_called("CN")
    found = long_holiday_after(date(2022, 1, 30), china)
    assert found is not None
    assert (found.first, found.last, found.days, found.name) == (
        date(2022, 1, 31),
        date(2022, 2, 6),
        7,
        "Spring Festival",
    )
    assert long_holiday_after(date(2022, 1, 29), china) is None
    assert long_holiday_after(date(2022, 2, 25), china) is None


def test_a_single_day_off_is_no_long_holiday() -> None:
    """Thanksgiving is a Thursday before a working Friday; Labor Day makes a weekend of three days."""
    america = calendar_called("US")
    assert long_holiday_after(date(2026, 11, 25), america) is None
    found = long_holiday_after(date(2026, 9, 4), america)
    assert found is not None
    assert (found.days, found.name) == (3, "Labor Day")
