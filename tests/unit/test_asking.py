"""When an owner is asked whether the planned end holds: ahead, and again while nobody answers; never for the past."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from broadcaster.announcement.lifecycle import State
from broadcaster.errors import InputError
from broadcaster.planning.asking import AskOwner, Outage, newest_question, next_question_at
from broadcaster.planning.policy import DEFAULT, Policy
from broadcaster.planning.span import Span
from tests.builders import SHANGHAI, announcement_data, announcement_yaml, at, proposal

OUTAGE = Outage(
    state=State.IN_PROGRESS,
    zone=SHANGHAI,
    start=at("2022-02-26 00:00"),
    end=at("2022-03-21 00:00"),
    since=at("2022-02-18 10:00"),
    rule=AskOwner(),
)
OVERDUE = replace(OUTAGE, state=State.OVERRUN)


def asked(outage: Outage, now: str, zone: str = "Asia/Shanghai") -> tuple[str, str] | None:
    """The newest question at a local time: when it fell due, and its lead."""
    found = newest_question(outage, at(now, zone))
    return (f"{found.at.astimezone(ZoneInfo(zone)):%m-%d %H:%M}", found.lead) if found else None


@pytest.mark.parametrize(
    ("now", "question"),
    [
        ("2022-03-18 23:59:59", None),
        ("2022-03-19 00:00", ("03-19 00:00", "2 days before")),
        ("2022-03-20 21:59:59", ("03-19 00:00", "2 days before")),
        ("2022-03-20 22:00", ("03-20 22:00", "2 hours before")),
        ("2022-03-20 23:59:59", ("03-20 22:00", "2 hours before")),
    ],
)
def test_the_owner_is_asked_two_days_and_two_hours_ahead(now: str, question: tuple[str, str] | None) -> None:
    """Only the newest question counts: after a downtime the one before it is not made up for."""
    assert asked(OUTAGE, now) == question


@pytest.mark.parametrize(
    ("now", "question"),
    [
        ("2022-03-21 00:00", None),
        ("2022-03-21 00:59:59", None),
        ("2022-03-21 01:00", ("03-21 01:00", "1 hour after")),
        ("2022-03-21 03:30", ("03-21 03:00", "3 hours after")),
        ("2022-03-22 00:00", ("03-22 00:00", "24 hours after")),
    ],
)
def test_while_nobody_answers_the_owner_is_asked_again(now: str, question: tuple[str, str] | None) -> None:
    """Each time counts from the planned end, however late anybody looks."""
    assert asked(OVERDUE, now) == question


def test_at_the_end_the_question_before_it_is_over() -> None:
    """Until a tick has found the overrun, nothing is asked."""
    assert asked(OUTAGE, "2022-03-21 00:00") is None


@pytest.mark.parametrize("state", [State.DRAFT, State.SCHEDULED, State.COMPLETED, State.CANCELLED])
def test_nobody_is_asked_about_what_is_not_under_way(state: State) -> None:
    """Not before the start, and not after somebody's word."""
    assert asked(replace(OUTAGE, state=state), "2022-03-20 22:00") is None


def test_a_short_outage_is_not_asked_about_before_it_begins() -> None:
    """Two days before the end of a night's work there is nothing to ask."""
    night = replace(OUTAGE, start=at("2022-03-20 20:00"))
    assert asked(night, "2022-03-20 21:00") is None
    assert asked(night, "2022-03-20 22:00") == ("03-20 22:00", "2 hours before")


def test_whoever_just_set_the_end_is_not_asked_about_it_at_once() -> None:
    """Extended an hour before the end by a day: two days before the new end have passed, two hours have not."""
    extended = replace(OUTAGE, end=at("2022-03-22 00:00"), since=at("2022-03-20 23:00"))
    assert asked(extended, "2022-03-20 23:30") is None
    assert asked(extended, "2022-03-21 22:00") == ("03-21 22:00", "2 hours before")


def test_days_are_counted_on_the_calendar_and_hours_elapse() -> None:
    """Berlin's night of 27 March 2022 lacks 02:00 to 03:00."""
    outage = replace(
        OUTAGE,
        zone=ZoneInfo("Europe/Berlin"),
        end=at("2022-03-27 04:00", "Europe/Berlin"),
        rule=AskOwner(before_end=(Span(days=1), Span(minutes=120))),
    )
    zone = "Europe/Berlin"
    assert asked(outage, "2022-03-26 03:59", zone) is None
    assert asked(outage, "2022-03-26 04:00", zone) == ("03-26 04:00", "1 day before")
    assert asked(outage, "2022-03-27 00:59", zone) == ("03-26 04:00", "1 day before")
    assert asked(outage, "2022-03-27 01:00", zone) == ("03-27 01:00", "2 hours before")


@pytest.mark.parametrize(
    ("outage", "now", "at_"),
    [
        (OUTAGE, "2022-03-01 00:00", "2022-03-19 00:00"),
        (OUTAGE, "2022-03-19 00:00", "2022-03-20 22:00"),
        (OUTAGE, "2022-03-20 22:00", None),
        (OVERDUE, "2022-03-21 00:00", "2022-03-21 01:00"),
        (OVERDUE, "2022-03-21 01:00", "2022-03-21 02:00"),
    ],
)
def test_it_is_known_when_the_next_question_falls_due(outage: Outage, now: str, at_: str | None) -> None:
    """A rehearsal goes from one to the next."""
    assert next_question_at(outage, at(now)) == (at(at_) if at_ else None)


def test_a_policy_can_silence_both() -> None:
    """Empty: not ahead. Null: not again."""
    quiet = Policy.model_validate({"ask_owner": {"before_end": [], "overdue_every": None}}).ask_owner
    assert asked(replace(OUTAGE, rule=quiet), "2022-03-20 23:00") is None
    assert asked(replace(OVERDUE, rule=quiet), "2022-03-25 00:00") is None
    assert next_question_at(replace(OVERDUE, rule=quiet), at("2022-03-25 00:00")) is None


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"before_end": ["2 days", "2 days"]}, "names the same time twice"),
        ({"overdue_every": "4 minutes"}, "`overdue_every` is 5 minutes at least"),
        ({"before": ["2 days"]}, "Extra inputs are not permitted"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, object], said: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValidationError, match=said):
        AskOwner.model_validate(rule)


def test_a_span_that_cannot_be_read_is_a_problem_of_its_line() -> None:
    """As every other problem of the file."""
    text = announcement_yaml() + "policy:\n  ask_owner:\n    before_end: [2 dayz]\n"
    line = text.splitlines().index("    before_end: [2 dayz]") + 1
    with pytest.raises(InputError) as caught:
        proposal(text)
    assert str(caught.value).startswith(f"file.yaml:{line} policy.ask_owner.before_end[0]: ")
    assert "'2 dayz' is not a span of time; expected" in str(caught.value)


def test_a_policy_that_says_nothing_of_it_is_stored_as_before() -> None:
    """An older file has the same digest as ever: applying it again changes nothing."""
    assert "ask_owner" not in DEFAULT.model_dump(mode="json")
    said = proposal(**announcement_data(policy={"ask_owner": {"before_end": ["3 hours"]}}))
    assert said.to_data()["policy"]["ask_owner"] == {"before_end": ["3 hours"], "overdue_every": "1 hour"}
    assert said.digest != proposal().digest
    assert type(said).restore(said.to_data()) == said


def test_the_default_asks_when_nothing_is_said() -> None:
    """Two days and two hours ahead, then every hour."""
    assert (DEFAULT.ask_owner.before_end, DEFAULT.ask_owner.overdue_every) == (
        (Span(days=2), Span(minutes=120)),
        Span(minutes=60),
    )


def test_a_question_is_in_utc() -> None:
    """As every due time is stored."""
    found = newest_question(OUTAGE, at("2022-03-20 22:00"))
    assert found is not None
    assert found.at == datetime.fromisoformat("2022-03-20T14:00:00+00:00")
    assert found.at.utcoffset() == found.at.replace(tzinfo=ZoneInfo("UTC")).utcoffset()
