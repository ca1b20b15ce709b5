"""Lead time: hours, days and working days before a start."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from broadcaster.planning.calendars import calendar_called
from broadcaster.planning.lead_time import LeadTime
from tests.builders import at


@pytest.mark.parametrize(
    ("text", "start", "latest"),
    [
        ("12 hours", "2022-02-26 00:00", "2022-02-25 12:00"),
        ("0 days", "2022-02-26 00:00", "2022-02-26 00:00"),
        ("1 day", "2022-02-26 22:30", "2022-02-25 22:30"),
        ("7 days", "2022-02-26 00:00", "2022-02-19 00:00"),
        ("5 working days", "2022-02-26 00:00", "2022-02-21 00:00"),
        ("1 working day", "2022-02-25 22:00", "2022-02-24 22:00"),
        ("1 working day", "2022-02-28 22:00", "2022-02-25 22:00"),
        ("1 working day", "2022-02-27 10:00", "2022-02-25 00:00"),
        ("3 working days", "2022-02-07 08:00", "2022-01-28 08:00"),
    ],
)
def test_the_latest_instant_that_is_early_enough(text: str, start: str, latest: str) -> None:
    """Spring Festival is no working day, and the weekend that was worked for it is one: 30, 29, 28 January."""
    lead = LeadTime.model_validate(text)
    assert lead.latest(at(start), at(start).tzinfo, calendar_called("CN")) == at(latest)  # type: ignore[arg-type]  # a ZoneInfo
    assert str(lead) == text


def test_days_are_those_of_the_calendar() -> None:
    """Berlin's clocks went on in the night: a day before is 23 hours before, 24 hours are an hour of the clock more."""
    start, none = at("2022-03-27 12:00", "Europe/Berlin"), calendar_called("none")
    found = [
        LeadTime.model_validate(text).latest(start, start.tzinfo, none).isoformat()  # type: ignore[arg-type]  # a ZoneInfo
        for text in ("1 day", "24 hours")
    ]
    assert found == ["2022-03-26T12:00:00+01:00", "2022-03-26T11:00:00+01:00"]


@pytest.mark.parametrize("text", ["7", "a week", "-1 days", "7 business days", "1.5 days", "7days", 7, None])
def test_what_is_no_lead_time_is_told_what_would_be(text: object) -> None:
    """With examples."""
    with pytest.raises(ValidationError, match="expected such as 12 hours, 7 days or 5 working days"):
        LeadTime.model_validate(text)


@pytest.mark.parametrize("text", ["401 days", "401 working days", "9601 hours"])
def test_a_lead_time_is_no_longer_than_an_outage(text: str) -> None:
    """More is a slip of the pen."""
    with pytest.raises(ValidationError, match="more than 400 days"):
        LeadTime.model_validate(text)
