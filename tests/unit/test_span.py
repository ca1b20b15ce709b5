"""Spans: days are counted on the calendar, hours and minutes elapse."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from broadcaster.planning.span import Span, parse_span
from tests.builders import SHANGHAI, at

BERLIN = ZoneInfo("Europe/Berlin")
DAY, HOUR = Span(days=1), Span(minutes=60)


def berlin(text: str) -> datetime:
    """An instant on the clocks of Berlin."""
    return at(text, "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "span", "written"),
    [
        ("2 days", Span(days=2), "2 days"),
        ("1 day", DAY, "1 day"),
        ("1 hour", HOUR, "1 hour"),
        ("120 minutes", Span(minutes=120), "2 hours"),
        ("90 minutes", Span(minutes=90), "90 minutes"),
        ("48 hours", Span(minutes=2880), "48 hours"),
    ],
)
def test_a_span_is_read_and_written_one_way(text: str, span: Span, written: str) -> None:
    """Two days are not 48 hours: a clock change may lie between."""
    assert parse_span(text) == span
    assert str(span) == written


@pytest.mark.parametrize("text", ["2", "0 days", "-1 day", "2 weeks", "1.5 hours", "2days", "", 2, None])
def test_what_is_no_span_is_explained(text: object) -> None:
    """With what is expected instead."""
    with pytest.raises(ValueError, match="is not a span of time; expected a number of days, hours or minutes such as"):
        parse_span(text)


def test_a_span_has_a_year_at_most() -> None:
    """A leap year's days."""
    assert parse_span("366 days") == Span(days=366)
    with pytest.raises(ValueError, match="'8785 hours' is more than 366 days"):
        parse_span("8785 hours")


def test_a_day_before_has_the_same_clock_time() -> None:
    """Berlin goes from 02:00 to 03:00 on 27 March 2022: that day has 23 hours."""
    end = berlin("2022-03-28 00:00")
    assert DAY.before(end, BERLIN) == berlin("2022-03-27 00:00")
    assert Span(minutes=24 * 60).before(end, BERLIN) == berlin("2022-03-26 23:00")


def test_a_clock_time_that_is_left_out_is_the_next_that_exists() -> None:
    """A day before 02:30 of the 28th there is no 02:30."""
    assert DAY.before(berlin("2022-03-28 02:30"), BERLIN) == berlin("2022-03-27 03:00")


def test_hours_elapse_across_a_clock_change() -> None:
    """Two hours before 04:00 of summer time it is 01:00 of winter time."""
    assert Span(minutes=120).before(berlin("2022-03-27 04:00"), BERLIN) == berlin("2022-03-27 01:00")


@pytest.mark.parametrize(
    ("span", "now", "times"),
    [
        (HOUR, "2022-03-21 00:00", 0),
        (HOUR, "2022-03-21 00:59:59", 0),
        (HOUR, "2022-03-21 01:00", 1),
        (HOUR, "2022-03-22 00:30", 24),
        (HOUR, "2022-03-20 23:00", 0),
        (DAY, "2022-03-21 23:59:59", 0),
        (DAY, "2022-03-22 00:00", 1),
    ],
)
def test_a_span_has_passed_a_whole_number_of_times(span: Span, now: str, times: int) -> None:
    """Since 20 March 24:00."""
    assert span.whole_times(at("2022-03-21 00:00"), at(now), SHANGHAI) == times


def test_a_longer_day_has_passed_when_its_clock_time_comes_again() -> None:
    """Berlin's 30 October 2022 has 25 hours."""
    since = berlin("2022-10-30 00:00")
    assert DAY.whole_times(since, berlin("2022-10-30 23:30"), BERLIN) == 0
    assert DAY.whole_times(since, berlin("2022-10-31 00:00"), BERLIN) == 1
