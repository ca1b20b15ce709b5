"""The policy: quiet hours to the minute, over midnight and across clock changes; and the default."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from broadcaster.errors import InputError
from broadcaster.planning.policy import (
    DEFAULT,
    MOST_AUDIENCE,
    DaysBefore,
    Immediate,
    Periodic,
    Policy,
    QuietHours,
    parse_clock,
)
from tests.builders import at, proposal

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


@pytest.mark.parametrize("rule", [{"days_before": [1]}, {"every_days": 1}])
def test_a_time_is_when_it_begins_or_when_it_is_done(rule: dict[str, object]) -> None:
    """One of the two; 10:00 to begin when nothing is said."""
    phase = "reminder" if "days_before" in rule else "ongoing"
    clocks = [
        getattr(Policy.model_validate({phase: [{**rule, **said}]}), phase)[0].clock
        for said in ({}, {"at": "09:00"}, {"finish_by": "00:00"})
    ]
    assert clocks == [time(10, 0), time(9, 0), time(0, 0)]
    with pytest.raises(ValidationError, match="give one of them"):
        Policy.model_validate({phase: [{**rule, "at": "10:00", "finish_by": "12:00"}]})


def test_an_audience_is_written_one_way() -> None:
    """Two ways to write a segment are one audience, and so one broadcast."""
    policy = Policy.model_validate({"started": [{"audience": "(tag:a)  and not(tag:b)", "channels": ["sms"]}]})
    assert policy.started[0].audience == "tag:a and not tag:b"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tag:a tag:b", "column 7: expected `and`, `or` or the end, found 'tag:b' (in `tag:a tag:b`)"),
        ("", "column 1: expected tag:NAME, language:TAG, everyone, not or (, found the end (in ``)"),
    ],
)
def test_an_audience_that_cannot_be_read_is_explained(text: str, says: str) -> None:
    """With its column, and what was expected there."""
    with pytest.raises(ValidationError) as caught:
        Policy.model_validate({"started": [{"audience": text, "channels": ["sms"]}]})
    assert says in str(caught.value)


def test_an_audience_is_of_people() -> None:
    """A rule for accounts or endpoints, named or not, cannot have one."""
    named = {"audience": "tag:a", "channels": ["sms", "kiosk"]}
    unnamed = {"audience": "tag:a"}
    says = "an audience is of people, and these channels reach others:"
    assert _found(started=[named, unnamed]) == {
        "policy.started[0].audience": f"{says} kiosk",
        "policy.started[1].audience": f"{says} wechat, banner, kiosk, webhook",
    }
    assert _found(started=[{"audience": "everyone"}, {"audience": "tag:a", "channels": ["sms"]}]) == {}


def test_audiences_that_would_be_too_long_together_are_refused() -> None:
    """Each is taken out of those after it, and what is left has to be written down."""
    long = " or ".join(f"tag:{number}" for number in range(60))
    rules = [{"audience": f"{long} or tag:{name}", "channels": ["sms"]} for name in "ab"]
    assert _found(started=rules[:1], restored=rules[1:]) == {}
    assert _found(started=rules) == {
        "policy.started[1].audience": f"the audiences of started by sms have more than {MOST_AUDIENCE} characters"
        " together"
    }


def test_what_is_finished_when_the_outage_starts_is_in_time() -> None:
    """At the minute of the start nothing may begin, but something may be done."""
    by_start = {"days_before": [0], "finish_by": "00:00"}
    assert _found(reminder=[by_start]) == {}
    assert _found(reminder=[{**by_start, "finish_by": "00:01"}]) == {
        "policy.reminder[0].days_before[0]": "the reminder would be finished at 2030-05-10 00:01,"
        " after the start 2030-05-10 00:00"
    }
    assert "go out at 2030-05-10 00:00" in str(_found(reminder=[{"days_before": [0], "at": "00:00"}]))


def _found(**rules: Any) -> dict[str | None, str]:
    try:
        proposal(policy=rules)
    except InputError as error:
        return {problem.place.field: problem.message for problem in error.problems}
    return {}


def test_a_file_from_before_is_hashed_as_before() -> None:
    """What a field that came later leaves unsaid does not make a new revision of an old file."""
    data = DEFAULT.model_dump(mode="json")
    assert [set(data[phase][0]) for phase in ("started", "reminder", "ongoing")] == [
        {"channels", "after_minutes"},
        {"channels", "days_before", "at"},
        {"channels", "every_days", "at"},
    ]


def test_the_channels_of_a_policy_are_those_of_its_rules() -> None:
    """Each once, in order of first use; quiet hours alone use none."""
    silent = Policy.model_fields.keys() - {"quiet_hours", "precautions", "ask_owner"}
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
    assert DEFAULT.channels == ("sms", "wechat", "banner", "kiosk", "webhook")
