"""Cautions: what each rule finds in an announcement's dates and plan, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from broadcaster.announcement.model import Announcement
from broadcaster.announcement.source import parse_source
from broadcaster.errors import InputError
from broadcaster.operations.cautioning import PUSHES, cautions_alone
from broadcaster.planning.broadcast import Among, BroadcastState
from broadcaster.planning.caution import Caution, errors, refuse, warnings
from broadcaster.planning.cautions import cautions
from broadcaster.planning.phase import Phase
from broadcaster.planning.planner import plan
from broadcaster.planning.precautions import Level
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.situation import Arrival, Situation
from tests.builders import announcement_yaml, at, example, proposal, window

QUIET = dict.fromkeys(["minimum_notice", "payment_days", "holidays", "holiday_broadcasts", "quiet_hours"], "off")
"""Every rule off, so that a test turns its own on again."""


def only(rule: str, level: str = "warning") -> Mapping[str, str]:
    """Levels under which one rule speaks."""
    return {**QUIET, rule: level}


def dated(start: str, end: str | None = None, **fields: Any) -> Proposal:
    """An announcement with these dates; other fields are its own, `policy` among them."""
    return proposal(announcement_yaml(window=window(start, end), **fields))


def found(subject: Proposal, now: str, zone: str = "Asia/Shanghai") -> list[str]:
    """What is said of a proposal that is approved at a time, without the fields that it is said of."""
    return [row.finding.message for row in cautions_alone(subject, at(now, zone))]


def moved(subject: Proposal, now: str, approved: Announcement) -> tuple[Caution, ...]:
    """What is said of a proposal when another start was told a while ago."""
    instant = at(now)
    told = plan(proposal_of(approved), Situation(revision=1), at("2022-02-01 10:00"))
    known = {row.id: replace(row, state=BroadcastState.CLOSED) for row in told if row.phase is Phase.NOTICE}
    present = Situation(revision=2, approved_at=at("2022-02-01 10:00"), known=known)
    return cautions(subject, present, plan(subject, present, instant), instant, approved=approved, pushes=PUSHES)


def proposal_of(announcement: Announcement) -> Proposal:
    """An announcement with the default policy."""
    return Proposal(announcement=announcement, policy=proposal().policy)


def test_the_example_gives_no_cause() -> None:
    """Told eight days before, over a weekend, with reminders on working days."""
    assert found(example(), "2022-02-18 10:00") == []


def test_an_outage_that_is_over_gives_none_either() -> None:
    """Nothing can be done about it any more."""
    assert found(dated("2022-01-31 08:00", "2022-02-01 08:00"), "2022-02-02 08:00") == []


class TestMinimumNotice:
    """The time between the first word and the start."""

    def test_less_than_the_minimum_is_told_in_numbers(self) -> None:
        """Approved at noon of the day before: the notice is told then."""
        assert found(dated("2022-02-26 00:00", "2022-02-26 06:00"), "2022-02-25 12:00") == [
            "the outage is first told of Fri 2022-02-25 12:00, 12 h 0 min before it starts Sat 2022-02-26 00:00:"
            " the policy asks for 3 days"
        ]

    def test_the_minimum_itself_is_enough(self) -> None:
        """To the minute, three calendar days before."""
        subject = dated("2022-02-26 00:00", "2022-02-26 06:00", policy={"quiet_hours": {}})
        assert found(subject, "2022-02-23 00:00") == []
        assert len(found(subject, "2022-02-23 00:01")) == 1

    def test_it_is_told_by_when_it_had_to_be_said(self) -> None:
        """While that is still to come; when it is not, the outage has to move."""
        policy = {"notice": [{"days_before": [1]}], "reminder": []}
        subject = dated("2022-02-26 00:00", "2022-02-26 06:00", policy=policy)
        hints = [cautions_alone(subject, at(now))[0].finding.hint for now in ("2022-02-18 10:00", "2022-02-24 10:00")]
        assert hints == ["tell it by Wed 2022-02-23 00:00, or start later", "start later"]

    def test_working_days_leave_out_the_holiday(self) -> None:
        """Nine days before the start are five working days too few when Spring Festival lies between."""
        asked = {"minimum_notice": {"notice": "5 working days"}, "levels": only("minimum_notice")}
        subject = dated("2022-02-08 00:00", "2022-02-09 00:00", policy={"precautions": asked})
        [words] = found(subject, "2022-01-30 00:00")
        assert words.endswith("9 d 0 h before it starts Tue 2022-02-08 00:00: the policy asks for 5 working days")
        assert found(subject, "2022-01-27 00:00") == []

    def test_a_plan_that_tells_nobody_before_the_start_says_so(self) -> None:
        """Neither a notice nor a reminder."""
        subject = dated("2022-02-26 00:00", "2022-02-26 06:00", policy={"notice": [], "reminder": []})
        assert found(subject, "2022-02-18 10:00") == [
            "nothing tells of the outage before it starts Sat 2022-02-26 00:00: the policy asks for 3 days"
        ]

    def test_reminders_have_a_minimum_of_their_own(self) -> None:
        """Of the first one."""
        asked = {"minimum_notice": {"reminder": "4 days"}}
        subject = dated("2022-02-26 00:00", "2022-02-26 06:00", policy={"precautions": asked})
        assert found(subject, "2022-02-18 10:00") == [
            "the first reminder is Wed 2022-02-23 10:00, 2 d 14 h before it starts Sat 2022-02-26 00:00:"
            " the policy asks for 4 days"
        ]

    def test_zero_asks_for_nothing(self) -> None:
        """Not even for a word before."""
        asked = {"minimum_notice": {"notice": "0 days"}}
        subject = dated("2022-02-26 00:00", policy={"notice": [], "reminder": [], "precautions": asked})
        assert found(subject, "2022-02-25 23:59") == []

    def test_a_start_that_is_moved_needs_notice_again(self) -> None:
        """Told four weeks ago for the 28th, moved to the 26th on the evening of the 25th."""
        before = dated("2022-02-28 00:00", "2022-03-01 06:00").announcement
        after = dated("2022-02-26 00:00", "2022-03-01 06:00")
        [caution] = moved(after, "2022-02-25 18:00", before)
        assert caution.finding.path == ("policy", "precautions", "minimum_notice", "changed")
        assert caution.finding.message == (
            "the new start is told Fri 2022-02-25 18:00, 6 h 0 min before it starts Sat 2022-02-26 00:00:"
            " the policy asks for 1 day"
        )
        assert moved(after, "2022-02-24 18:00", before) == ()

    def test_another_end_is_no_other_start(self) -> None:
        """It can be told as late as it is known."""
        before = dated("2022-02-26 00:00", "2022-02-26 06:00").announcement
        assert moved(dated("2022-02-26 00:00", "2022-02-26 09:00"), "2022-02-25 18:00", before) == ()


class TestPaymentDays:
    """Days on which people wait for money."""

    ASKED: Mapping[str, Any] = {"payment_days": [5, 15, "last", "2022-03-10"], "levels": only("payment_days")}

    @pytest.mark.parametrize(
        ("start", "end", "said"),
        [
            ("2022-03-04 00:00", "2022-03-04 24:00", []),
            ("2022-03-04 22:00", "2022-03-05 02:00", ["the outage covers a payment day: Sat 2022-03-05"]),
            ("2022-03-05 24:00", "2022-03-09 24:00", []),
            (
                "2022-02-26 00:00",
                "2022-03-20 24:00",
                ["the outage covers 4 payment days: Mon 2022-02-28, Sat 2022-03-05, Thu 2022-03-10, Tue 2022-03-15"],
            ),
            ("2022-03-06 00:00", None, ["2022-03-10, Tue 2022-03-15, Thu 2022-03-31, Tue 2022-04-05"]),
        ],
    )
    def test_each_day_is_named(self, start: str, end: str | None, said: list[str]) -> None:
        """To the minute of its midnights; while the end is not known, those of the next five weeks."""
        told = found(dated(start, end, policy={"precautions": self.ASKED}), "2022-02-01 10:00")
        assert len(told) == len(said)
        assert all(words in one for words, one in zip(said, told, strict=True))

    def test_many_days_are_counted(self) -> None:
        """Half a year of them is more than anybody reads."""
        subject = dated("2022-02-26 00:00", "2022-08-20 24:00", policy={"precautions": self.ASKED})
        [words] = found(subject, "2022-02-01 10:00")
        assert words.startswith("the outage covers 19 payment days: Mon 2022-02-28, ")
        assert words.endswith(", Thu 2022-03-31, and 14 more")

    def test_only_where_something_stops(self) -> None:
        """A service that goes on pays, and what is past was paid."""
        row = {"id": "all", "services": ["payments"], "access_points": ["hall"], "state": "unaffected"}
        goes_on = dated("2022-03-04 00:00", "2022-03-06 00:00", impacts=[row], policy={"precautions": self.ASKED})
        assert found(goes_on, "2022-02-01 10:00") == []
        stops = dated("2022-03-04 00:00", "2022-03-08 00:00", policy={"precautions": self.ASKED})
        assert found(stops, "2022-03-06 10:00") == []

    def test_the_advice_is_known(self) -> None:
        """Whoever moved the payment is not told to move it."""
        words = {"zh-Hans": "字", "en": "words"}
        told = dated(
            *("2022-03-04 00:00", "2022-03-06 00:00"),
            advice=[{"kind": "payment_moved", "text": words}],
            policy={"precautions": self.ASKED},
        )
        untold = dated("2022-03-04 00:00", "2022-03-06 00:00", policy={"precautions": self.ASKED})
        hints = [cautions_alone(row, at("2022-02-01 10:00"))[0].finding.hint or "" for row in (told, untold)]
        assert ["people are told" in hint for hint in hints] == [True, False]


def test_the_first_working_days_of_a_month() -> None:
    """In February 2022 the first three are those after Spring Festival."""
    asked = {"first_working_days": 3, "levels": only("first_working_days")}
    first = dated("2022-02-08 00:00", "2022-02-10 24:00", policy={"precautions": asked})
    assert found(first, "2022-01-10 10:00") == [
        "the outage covers 2 days of the first 3 working days of a month: Tue 2022-02-08, Wed 2022-02-09"
    ]
    assert found(dated("2022-02-10 00:00", "2022-02-28 24:00", policy={"precautions": asked}), "2022-01-10 10:00") == []


class TestHolidays:
    """Starting, and coming back, when nobody is there to answer."""

    @pytest.mark.parametrize(
        ("start", "end", "said"),
        [
            ("2022-01-28 22:00", "2022-01-29 06:00", []),
            (
                "2022-01-30 22:00",
                "2022-01-31 06:00",
                [
                    "the outage starts Sun 2022-01-30 22:00, the last working day before 7 days off"
                    " (Spring Festival, Mon 2022-01-31 to Sun 2022-02-06)",
                    "service returns Mon 2022-01-31 06:00, a public holiday (Spring Festival)",
                ],
            ),
            (
                "2022-02-06 12:00",
                "2022-02-06 24:00",
                ["the outage starts Sun 2022-02-06 12:00, a public holiday (Spring Festival)"],
            ),
            ("2022-02-26 00:00", "2022-03-20 24:00", []),
            (
                "2026-09-29 22:00",
                "2026-09-30 06:00",
                [
                    "service returns Wed 2026-09-30 06:00, the last working day before 7 days off"
                    " (National Day, Thu 2026-10-01 to Wed 2026-10-07)"
                ],
            ),
        ],
    )
    def test_in_china(self, start: str, end: str, said: list[str]) -> None:
        """Working weekends are working days, and a plain weekend is no holiday."""
        subject = dated(start, end, policy={"precautions": {"levels": only("holidays")}})
        assert found(subject, "2022-01-10 10:00") == said

    @pytest.mark.parametrize(
        ("zone", "calendar", "end", "said"),
        [
            ("Europe/London", "GB-ENG", "2026-04-06 06:00", "a public holiday (Easter Monday)"),
            ("Europe/London", "GB-SCT", "2026-04-06 06:00", None),
            ("Europe/London", "none", "2026-12-25 06:00", None),
            ("Europe/London", None, "2026-12-25 06:00", "a public holiday (Christmas Day)"),
            ("America/New_York", None, "2026-11-26 06:00", "a public holiday (Thanksgiving Day)"),
            ("America/New_York", None, "2026-11-25 06:00", None),
        ],
    )
    def test_elsewhere(self, zone: str, calendar: str | None, end: str, said: str | None) -> None:
        """By the calendar that is named, or that of the country where the zone is."""
        asked = {"levels": only("holidays"), **({"calendar": calendar} if calendar else {})}
        subject = dated("2026-03-31 22:00", end, zone=zone, policy={"precautions": asked})
        told = found(subject, "2026-03-01 10:00", zone)
        assert [words for words in told if "returns" in words] == (
            [f"service returns {at(end):%a %Y-%m-%d %H:%M}, {said}"] if said else []
        )

    def test_an_impact_has_dates_of_its_own(self) -> None:
        """Each instant is told once, by the announcement where it is the same."""
        row = {"services": ["payments"], "state": "suspended"}
        own = window("2022-01-31 08:00", "2022-02-09 00:00")
        early = {**row, "id": "counters", "access_points": ["hall"], "window": own}
        late = {**row, "id": "phones", "access_points": ["app"]}
        asked = {"precautions": {"levels": only("holidays")}}
        subject = dated("2022-02-01 08:00", "2022-02-09 00:00", impacts=[early, late], policy=asked)
        assert found(subject, "2022-01-10 10:00") == [
            "the outage starts Tue 2022-02-01 08:00, a public holiday (Spring Festival)",
            "impact 'counters' starts Mon 2022-01-31 08:00, a public holiday (Spring Festival)",
        ]

    def test_weekends_are_said_when_they_are_asked_for(self) -> None:
        """A working Saturday is none."""
        asked = {"precautions": {"levels": only("weekends")}}
        assert found(dated("2022-02-26 00:00", "2022-02-28 00:00", policy=asked), "2022-01-10 10:00") == [
            "the outage starts Sat 2022-02-26 00:00, no working day"
        ]
        assert found(dated("2022-01-29 00:00", "2022-01-30 00:00", policy=asked), "2022-01-10 10:00") == []


class TestTelling:
    """When people are told."""

    def test_people_are_told_on_a_holiday(self) -> None:
        """By what comes to them; a banner is looked at by whoever wants to."""
        subject = dated(
            *("2022-02-07 20:00", "2022-02-08 06:00"), policy={"precautions": {"levels": only("holiday_broadcasts")}}
        )
        assert found(subject, "2022-01-10 10:00") == [
            "sms reminder is due Fri 2022-02-04 10:00, a public holiday (Spring Festival) (and 1 more)",
            "wechat reminder is due Fri 2022-02-04 10:00, a public holiday (Spring Festival) (and 1 more)",
        ]

    def test_a_start_on_a_holiday_is_told_on_that_day(self) -> None:
        """It is the outage that is on a holiday, and another rule says so."""
        subject = dated(
            *("2022-02-01 20:00", "2022-02-08 06:00"),
            policy={"reminder": [], "ongoing": [], "precautions": {"levels": only("holiday_broadcasts")}},
        )
        assert found(subject, "2022-01-10 10:00") == []

    def test_a_time_in_quiet_hours_is_moved(self) -> None:
        """It is said to when; and when that is after the start, that nobody is told."""
        policy = {"reminder": [{"days_before": [3, 1], "at": "21:30"}]}
        subject = dated("2022-02-26 00:00", "2022-02-26 06:00", policy=policy)
        assert found(subject, "2022-02-18 10:00") == [
            "sms reminder is due Wed 2022-02-23 21:30, in quiet hours: it goes out Thu 2022-02-24 08:00",
            "sms reminder is due Fri 2022-02-25 21:30, in quiet hours:"
            " when they end it is not true any more, and nobody is told",
        ]

    def test_an_approval_in_the_evening_tells_nobody_before_the_morning(self) -> None:
        """The others hear of it at once."""
        assert found(example(), "2022-02-18 22:30") == [
            "sms notice is due Fri 2022-02-18 22:30, in quiet hours: it goes out Sat 2022-02-19 08:00"
        ]

    def test_what_is_past_is_not_lost_by_quiet_hours(self) -> None:
        """Approved in the evening two days before: the reminder of three days before is not missed."""
        subject = dated("2022-02-26 00:00", "2022-02-26 06:00", policy={"precautions": {"levels": only("quiet_hours")}})
        assert found(subject, "2022-02-23 22:30") == [
            "sms notice is due Wed 2022-02-23 22:30, in quiet hours: it goes out Thu 2022-02-24 08:00"
        ]

    def test_an_approval_in_the_last_night_comes_too_late(self) -> None:
        """By SMS: until the morning the stop has begun."""
        subject = dated("2022-02-26 00:00", "2022-02-27 06:00", policy={"precautions": {"levels": only("quiet_hours")}})
        assert found(subject, "2022-02-25 22:30") == [
            "sms notice is due Fri 2022-02-25 22:30, in quiet hours:"
            " when they end it is not true any more, and nobody is told"
        ]

    def test_whoever_joins_at_night_hears_of_it_in_the_morning(self) -> None:
        """An import has no time that somebody chose for telling."""
        now = at("2022-02-19 22:30")
        told = plan(example(), Situation(revision=1), at("2022-02-18 10:00"))
        known = {row.id: replace(row, state=BroadcastState.CLOSED) for row in told if row.phase is Phase.NOTICE}
        present = Situation(
            revision=1,
            approved_at=at("2022-02-18 10:00"),
            known=known,
            arrivals={"sms": Arrival(version=2, at=now)},
        )
        rows = plan(example(), present, now)
        assert [row.due_at for row in rows if row.among is Among.NEWCOMERS] == [at("2022-02-20 08:00")]
        assert cautions(example(), present, rows, now, pushes=PUSHES) == ()

    def test_the_outage_itself_keeps_its_hours(self) -> None:
        """That it started at midnight is told by SMS in the morning: this is what quiet hours are for."""
        rows = plan(example(), Situation(revision=1), at("2022-02-18 10:00"))
        assert any("by quiet hours" in row.note for row in rows)
        assert found(example(), "2022-02-18 10:00") == []


class TestUnknownYears:
    """A year for which there is no decree yet."""

    def test_is_said_once(self) -> None:
        """As a warning whatever the levels are, never as a failure."""
        subject = dated(
            "2099-10-01 00:00", "2099-10-02 00:00", policy={"precautions": {"levels": only("holidays", "error")}}
        )
        [caution] = cautions_alone(subject, at("2099-09-01 10:00"))
        assert caution.level is Level.WARNING
        assert caution.finding.message.startswith("the public holidays of 2099 are not known for CN, nor the weekends")
        assert "`chinesecalendar`" in (caution.finding.hint or "")

    @pytest.mark.parametrize("asked", [{"calendar": "none"}, {"levels": {**QUIET, "first_working_days": "off"}}])
    def test_is_not_said_when_nobody_asks(self, asked: Mapping[str, Any]) -> None:
        """Without a calendar, or without a rule that uses it."""
        subject = dated("2099-10-01 00:00", "2099-10-02 00:00", policy={"precautions": asked})
        assert found(subject, "2099-09-01 10:00") == []

    @pytest.mark.parametrize(
        "asked",
        [
            {"first_working_days": 2, "levels": QUIET},
            {"minimum_notice": {"notice": "2 working days"}, "levels": only("minimum_notice")},
            {"levels": only("weekends")},
        ],
    )
    def test_is_said_for_every_rule_that_counts_days(self, asked: Mapping[str, Any]) -> None:
        """Working days are as little known as holidays."""
        subject = dated("2099-10-07 00:00", "2099-10-08 00:00", policy={"precautions": asked})
        assert found(subject, "2099-09-01 10:00")[-1].startswith("the public holidays of 2099 are not known for CN")


class TestLevels:
    """What comes of a caution."""

    TEXT = announcement_yaml(
        window=window("2022-03-04 00:00", "2022-03-06 00:00"),
        policy={"precautions": {"payment_days": [5], "levels": {"payment_days": "LEVEL"}}},
    )

    def judged(self, level: str) -> tuple[Caution, ...]:
        """The same outage over the fifth."""
        return cautions_alone(proposal(self.TEXT.replace("LEVEL", level)), at("2022-02-10 10:00"))

    def test_off_is_silent(self) -> None:
        """As if there were no rule."""
        assert self.judged("off") == ()

    def test_a_warning_refuses_nothing(self) -> None:
        """It is told."""
        found = self.judged("warning")
        refuse(found)
        assert errors(found) == ()
        assert warnings(found) == (
            "policy.precautions.payment_days: the outage covers a payment day: Sat 2022-03-05"
            " (move the outage, or move the payment and tell it with an advice `payment_moved`)",
        )

    def test_an_error_refuses_with_its_line(self) -> None:
        """Where the rule stands in the file."""
        source = parse_source(self.TEXT, "file.yaml")
        line = next(number for number, row in enumerate(self.TEXT.splitlines(), 1) if "payment_days:" in row)
        with pytest.raises(InputError) as caught:
            refuse(self.judged("error"), source)
        [problem] = caught.value.problems
        assert str(problem).startswith(f"file.yaml:{line} policy.precautions.payment_days: the outage covers")
        assert warnings(self.judged("error")) == ()

    def test_a_rule_that_holds_by_default_has_no_line(self) -> None:
        """The file does not say it."""
        found = cautions_alone(dated("2022-03-04 00:00"), at("2022-03-03 10:00"))
        [words] = warnings(found, parse_source(announcement_yaml(), "file.yaml"))
        assert words.startswith("file.yaml policy.precautions.minimum_notice.notice: the outage is first told of")
