"""The policy: quiet hours to the minute, over midnight and across clock changes; and the default."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from broadcaster.planning.policy import DEFAULT, DaysBefore, Immediate, Periodic, Policy, QuietHours, parse_clock
from tests.builders import at

NIGHT = QuietHours(start=time(21, 0), end=time(8, 0))
NOON = QuietHours(start=time(12, 0), end=time(14, 0))


@pytest.mark.parametrize(
    ("hours", "local", "until"),
    [
        (NIGHT, "2022-02-25 20:59:59", None),
        (NIGHT, "2022-02-25 21:00", "2022-02-26 08:00"),
        (NIGHT, "2022-02-25 23:59:59", "2022-02-26 08:00"),
        (NIGHT, "2022-02-26 00:00", "2022-02-26 08:00"),
        (NIGHT, "2022-02-26 07:59:59", "2022-02-26 08:00"),
        (NIGHT, "2022-02-26 08:00", None),
        (NIGHT, "2022-02-28 22:00", "2022-03-01 08:00"),
        (NOON, "2022-02-25 11:59:59", None),
        (NOON, "2022-02-25 12:00", "2022-02-25 14:00"),
        (NOON, "2022-02-25 13:59:59", "2022-02-25 14:00"),
        (NOON, "2022-02-25 14:00", None),
    ],
)
def test_quiet_hours_are_half_open(hours: QuietHours, local: str, until: str | None) -> None:
    """From the first second of the start to the last before the end, over midnight when the start is after it."""
    assert hours.ends_after(at(local)) == (at(until) if until else None)


def test_quiet_hours_that_end_in_a_left_out_hour_end_when_the_clocks_go_on() -> None:
    """Berlin has no 02:30 on 27 March 2022: the night is over at 03:00."""
    hours = QuietHours(start=time(22, 0), end=time(2, 30))
    found = hours.ends_after(at("2022-03-26 23:00", "Europe/Berlin"))
    assert found is not None
    assert found.isoformat() == "2022-03-27T03:00:00+02:00"


@pytest.mark.parametrize(("fold", "until"), [(0, "2022-10-30T02:30:00+02:00"), (1, "2022-10-30T02:30:00+01:00")])
def test_the_end_of_quiet_hours_is_never_in_the_past(fold: int, until: str) -> None:
    """In the hour that comes twice, 02:15 waits for the 02:30 that follows it, not for the one before."""
    hours = QuietHours(start=time(22, 0), end=time(2, 30))
    found = hours.ends_after(at("2022-10-30 02:15", "Europe/Berlin").replace(fold=fold))
    assert found is not None
    assert found.isoformat() == until


def test_quiet_hours_follow_the_clocks_of_the_zone_they_are_asked_in() -> None:
    """The same instant is night in Shanghai and afternoon in Berlin."""
    instant = at("2022-02-25 22:00")
    assert NIGHT.ends_after(instant) is not None
    assert NIGHT.ends_after(instant.astimezone(ZoneInfo("Europe/Berlin"))) is None


@pytest.mark.parametrize("text", ["21:00-08:00", "21:00 - 08:00"])
def test_quiet_hours_are_written_as_a_span(text: str) -> None:
    """And written back the same."""
    hours = QuietHours.model_validate(text)
    assert hours == NIGHT
    assert hours.model_dump_json() == '"21:00-08:00"'


@pytest.mark.parametrize(
    "value", ["8:30", "24:00", "12:60", "08:30:15", "08:30+01:00", "0830", "08", "T08:30", 8, None]
)
def test_a_clock_time_is_hours_and_minutes(value: object) -> None:
    """Seconds would be lost when written back, an offset would contradict the zone: neither is taken."""
    with pytest.raises(ValueError, match="expected HH:MM such as 08:30"):
        parse_clock(value)


@pytest.mark.parametrize("text", ["00:00", "08:30", "23:59", " 10:00 "])
def test_every_minute_of_the_day_is_a_clock_time(text: str) -> None:
    """Midnight is 00:00."""
    assert f"{parse_clock(text):%H:%M}" == text.strip()


def test_a_rule_is_known_by_its_own_field() -> None:
    """So that an error speaks of one shape, not of every shape tried."""
    policy = Policy.model_validate(
        {"notice": [{"after_minutes": 5}, {"days_before": [7]}, {}], "overrun": [{"every_days": 2}]}
    )
    assert [type(rule) for rule in (*policy.notice, *policy.overrun)] == [Immediate, DaysBefore, Immediate, Periodic]


@pytest.mark.parametrize(
    "data",
    [
        {"reminder": [{"days_before": []}]},
        {"started": [{"channels": []}]},
        {"started": [{"after_minutes": -1}]},
        {"started": [{"after_minutes": 7 * 24 * 60 + 1}]},
        {"ongoing": [{"every_days": 0}]},
        {"ongoing": [{"every_days": 367}]},
    ],
)
def test_a_rule_that_would_never_or_always_fire_is_refused(data: dict[str, object]) -> None:
    """No days, no channels, a time before its cause, a period of nothing."""
    with pytest.raises(ValidationError):
        Policy.model_validate(data)


def test_the_channels_of_a_policy_are_those_of_its_rules() -> None:
    """Each once, in order of first use; quiet hours alone use none."""
    silent = dict.fromkeys(name for name in Policy.model_fields if name != "quiet_hours")
    rules = {
        **{name: [] for name in silent},
        "started": [{"channels": ["kiosk", "sms"]}],
        "restored": [{"channels": ["sms"]}],
    }
    assert Policy.model_validate(rules).channels == ("kiosk", "sms")


def test_the_default_policy_is_that_of_the_documentation() -> None:
    """Notice on approval, reminders 3 and 1 days before at 10:00, weekly news, SMS silent from 21:00 to 08:00."""
    assert DEFAULT.model_dump(mode="json", exclude_defaults=True) == {}
    assert DEFAULT.reminder == (DaysBefore(days_before=(3, 1), at=time(10, 0)),)
    assert DEFAULT.ongoing == (Periodic(every_days=7, at=time(10, 0)),)
    assert DEFAULT.overrun == (Immediate(after_minutes=30), Periodic(every_days=1, at=time(10, 0)))
    assert DEFAULT.quiet_hours == {"sms": NIGHT}
    assert DEFAULT.channels == ("sms", "wechat", "banner", "kiosk")
