"""Proposals: every problem of a file in one go, each with its line and field; and back to a file again."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from broadcaster.announcement.source import parse_source, to_yaml
from broadcaster.errors import InputError
from broadcaster.planning.proposal import Proposal, parse
from tests.builders import CHANNELS, EXAMPLE_FILE, announcement_data, announcement_yaml, example, proposal, window

WORDS = {"zh-Hans": "字", "en": "words"}
IMPACT = announcement_data()["impacts"][0]

HEAD = dedent(
    """\
    slug: pump-works
    languages: [zh-Hans, en]
    owner: {name: {zh-Hans: 字, en: words}, signature: {zh-Hans: 字, en: words}}
    title: {zh-Hans: 字, en: words}
    subject: {zh-Hans: 字, en: words}
    reason: {zh-Hans: 字, en: words}
    services: [{id: payments, name: {zh-Hans: 字, en: words}}]
    access_points: [{id: hall, kind: hall, name: {zh-Hans: 字, en: words}}]
    """
)
"""Eight lines; a test adds what it is about from line 9 on."""


def _said(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse(parse_source(text, "a.yaml"), CHANNELS)
    return [str(problem) for problem in caught.value.problems]


def _found(**fields: Any) -> list[tuple[str | None, str]]:
    with pytest.raises(InputError) as caught:
        proposal(announcement_yaml(**fields))
    return [(problem.place.field, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        (
            {"window": window("2030-05-10 00:00", "2030-05-09 00:00")},
            "window.end",
            "the end 2030-05-09 00:00 is not after the start 2030-05-10 00:00",
        ),
        (
            {"resume": "2030-05-15 00:00"},
            "resume",
            "service resumes 2030-05-15 00:00, before its window ends 2030-05-21",
        ),
        (
            {"window": window("2030-05-10 00:00"), "resume": "2030-05-01 00:00"},
            "resume",
            "service resumes 2030-05-01 00:00, before its window starts 2030-05-10 00:00",
        ),
        (
            {"policy": {"reminder": [{"days_before": [-30]}]}},
            "policy.reminder[0].days_before[0]",
            "the reminder would go out at 2030-06-09 10:00, after the end 2030-05-21 00:00",
        ),
        (
            {"policy": {"reminder": [{"days_before": [3, 0]}]}},
            "policy.reminder[0].days_before[1]",
            "the reminder would go out at 2030-05-10 10:00, after the start 2030-05-10 00:00",
        ),
        ({"impacts": [{**IMPACT, "services": []}]}, "impacts[0].services", "an impact without any"),
        ({"impacts": [{**IMPACT, "access_points": []}]}, "impacts[0].access_points", "an impact without any"),
        ({"impacts": [{**IMPACT, "services": ["ghosts"]}]}, "impacts[0].services[0]", "'ghosts' is not defined"),
        (
            {"impacts": [IMPACT, {**IMPACT, "id": "again"}]},
            "impacts[1]",
            "overlaps impact 'all': both speak of payments at hall in the same time",
        ),
        ({"impacts": [IMPACT, {**IMPACT, "services": ["records"]}]}, "impacts", "the id 'all' is used 2 times"),
        ({"title": {"en": "words"}}, "title", "the text lacks zh-Hans"),
        ({"zone": None}, "zone", "the announcement has no zone"),
        ({"zone": None}, "window.start", "'2030-05-10 00:00' has no zone"),
        ({"zone": "Mars/Olympus"}, "zone", "unknown time zone 'Mars/Olympus'"),
        ({"colour": "red"}, "colour", "unknown field 'colour'"),
        ({"slug": None}, "slug", "the field is missing"),
        ({"slug": "Not A Slug"}, "slug", "not in the expected form"),
        ({"services": "all of them"}, "services", "Input should be a valid tuple"),
        ({"window": window("next week")}, "window.start", "'next week' is not a time"),
        ({"window": window("0001-01-01 00:00")}, "window.start", "the year 1 is not between 1970 and 2999"),
        (
            {"policy": {"started": [{"channels": ["fax"]}]}},
            "policy.started[0].channels[0]",
            "no channel is called 'fax'",
        ),
        ({"policy": {"quiet_hours": {"fax": "21:00-08:00"}}}, "policy.quiet_hours.fax", "no channel is called 'fax'"),
        (
            {"policy": {"quiet_hours": {"sms": "08:00-08:00"}}},
            "policy.quiet_hours.sms",
            "quiet hours of sms begin and end",
        ),
        (
            {"policy": {"quiet_hours": {"sms": "at night"}}},
            "policy.quiet_hours.sms",
            "'at night' is not a span of hours",
        ),
        (
            {"policy": {"reminder": [{"days_before": [1], "at": "10"}]}},
            "policy.reminder[0].at",
            "'10' is not a time of day",
        ),
        (
            {"policy": {"reminder": [{"days_before": [10**10]}]}},
            "policy.reminder[0].days_before[0]",
            "Input should be less than or equal to 3660",
        ),
        ({"policy": {"shouting": []}}, "policy.shouting", "unknown field 'shouting'"),
        (
            {"advice": [{"kind": "do_before", "text": WORDS, "deadline": "2030-05-11 00:00"}]},
            "advice[0].deadline",
            "the deadline 2030-05-11 00:00 is after the start 2030-05-10 00:00",
        ),
        (
            {"impacts": [{**IMPACT, "last_acceptance": "2030-05-10 00:01"}]},
            "impacts[0].last_acceptance",
            "the last acceptance 2030-05-10 00:01 is after the start",
        ),
        ({"links": [{"url": "http://plain.example", "name": WORDS}]}, "links[0].url", "not in the expected form"),
    ],
)
def test_a_bad_input_is_found_at_its_field(fields: dict[str, Any], field: str, message: str) -> None:
    """One broken thing at a time: the field, and what is wrong in the operator's words."""
    said = [text for place, text in _found(**fields) if place == field]
    assert [text for text in said if text.startswith(message)], _found(**fields)


def test_everything_wrong_is_said_at_once_each_with_its_line() -> None:
    """One run of `check` is enough, however many mistakes there are."""
    text = HEAD + dedent(
        """\
        zone: Asia/Shanghai
        window:
          start: 2030-05-10 00:00
          end: 2030-05-09 00:00
        impacts:
          - {id: all, services: [payments], access_points: [hall], state: suspended}
          - {id: again, services: [payments, ghosts], access_points: [], state: partial}
          - {id: third, services: [payments], access_points: [hall], state: partial}
        advice:
          - kind: do_before
            text: {zh-Hans: 字}
            deadline: 2030-05-10 08:00
        policy:
          started: [{channels: [fax]}]
          reminder:
            - days_before: [1]
            - days_before: [0]
        """
    )
    assert [said.split(" (")[0] for said in _said(text)] == [
        "a.yaml:12 window.end: the end 2030-05-09 00:00 is not after the start 2030-05-10 00:00",
        "a.yaml:15 impacts[1].services[1]: 'ghosts' is not defined",
        "a.yaml:15 impacts[1].access_points: an impact without any",
        "a.yaml:20 advice[0].deadline: the deadline 2030-05-10 08:00 is after the start 2030-05-10 00:00",
        "a.yaml:19 advice[0].text: the text lacks en",
        "a.yaml:22 policy.started[0].channels[0]: no channel is called 'fax'",
        "a.yaml:25 policy.reminder[1].days_before[0]: "
        "the reminder would go out at 2030-05-10 10:00, after the end 2030-05-09 00:00",
    ]


def test_shapes_of_announcement_and_policy_and_a_repeated_field_are_found_together() -> None:
    """A wrong type in one half of the file does not hide the other half."""
    text = HEAD + dedent(
        """\
        zone: Asia/Shanghai
        window: {start: soon}
        colour: red
        impacts: none
        title: {zh-Hans: 字, en: words}
        policy:
          ongoing: [{every_days: weekly}]
        """
    )
    assert _said(text) == [
        "a.yaml:13 title: the field is given twice",
        "a.yaml:15 policy.ongoing[0].every_days: Input should be a valid integer, unable to parse string as an integer",
        "a.yaml:10 window.start: 'soon' is not a time; expected a date and time such as 2022-02-26 00:00 "
        "or 2022-03-20 24:00",
        "a.yaml:12 impacts: Input should be a valid tuple",
        "a.yaml:11 colour: unknown field 'colour'",
    ]


def test_without_a_zone_every_local_time_is_named() -> None:
    """A time with its own offset has a meaning, and hours of the policy are no instants."""
    text = HEAD + dedent(
        """\
        window: {start: 2030-05-10 00:00, end: 2030-05-20 00:00-05:00}
        impacts: [{id: all, services: [payments], access_points: [hall], state: suspended, resume: 2030-06-01 00:00}]
        policy: {quiet_hours: {sms: {start: "21:00", end: "08:00"}}}
        """
    )
    assert [said.split(" (")[0] for said in _said(text)] == [
        "a.yaml:1 zone: the announcement has no zone",
        "a.yaml:9 window.start: '2030-05-10 00:00' has no zone",
        "a.yaml:10 impacts[0].resume: '2030-06-01 00:00' has no zone",
    ]


@pytest.mark.parametrize("text", ["hello", "- 1\n- 2\n", "---\n...\n", "7"])
def test_a_file_without_fields_says_what_was_expected(text: str) -> None:
    """A word, a list, an empty document, a number."""
    assert _said(text) == ["a.yaml:1: expected fields such as `slug:` and `window:`"]


def test_rows_that_meet_without_sharing_an_instant_do_not_overlap() -> None:
    """Windows are half-open: one row's end is the next row's start."""
    first = {**IMPACT, "window": window("2030-05-10 00:00", "2030-05-12 24:00")}
    then = {**IMPACT, "id": "then", "state": "partial", "window": window("2030-05-13 00:00", "2030-05-20 24:00")}
    assert len(proposal(impacts=[first, then]).announcement.impacts) == 2


def _again(one: Proposal) -> Proposal:
    return parse(parse_source(one.to_yaml(), "again.yaml"), CHANNELS)


FULL = announcement_data(
    zone="Europe/Berlin",
    window=window("2030-10-27 02:30+01:00", "2030-11-03 06:00:30"),
    resume="2030-11-03 08:00",
    impacts=[{**IMPACT, "last_acceptance": "2030-10-26 12:00", "resume": "2030-11-04 00:00"}],
    advice=[{"kind": "do_before", "text": WORDS, "short_text": WORDS, "deadline": "2030-10-25 24:00"}],
    contacts=[{"kind": "phone", "value": "0012333", "name": WORDS, "origin": "added"}],
    links=[{"url": "https://example.org/", "name": WORDS}],
    policy={
        "notice": [{"after_minutes": 5}, {"days_before": [30, 14], "at": "09:30", "channels": ["wechat"]}],
        "started": [{"channels": ["sms"], "audience": "tag:a and not (tag:b or language:en)"}],
        "overrun": [{"every_days": 2, "finish_by": "12:00"}],
        "changed": [],
        "quiet_hours": {"sms": "22:00-07:00", "wechat": "00:00-06:00"},
    },
)
"""Every kind of field, the second 02:30 of an autumn night, and seconds."""


@pytest.mark.parametrize("one", [proposal(), example(), proposal(**FULL), proposal(window=window("2030-05-10 00:00"))])
def test_a_file_written_back_says_the_same(one: Proposal) -> None:
    """To the hash: minimal, the example, every field, an unknown end."""
    assert _again(one) == one
    assert _again(one).digest == one.digest


@pytest.mark.parametrize("one", [proposal(), example(), proposal(**FULL)])
def test_what_is_stored_is_restored(one: Proposal) -> None:
    """The JSON form holds everything."""
    assert Proposal.restore(one.to_data()) == one
    assert Proposal.restore(one.to_data()).digest == one.digest


def test_the_digest_is_of_the_content_not_of_the_file() -> None:
    """Comments and the order of fields do not count."""
    text = EXAMPLE_FILE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.strip().startswith("#")]
    assert proposal("\n".join(lines)).digest == example().digest
    backwards = dict(reversed(announcement_data().items()))
    assert proposal(to_yaml(backwards)).digest == proposal().digest


def test_another_word_is_another_digest() -> None:
    """Everything that is said counts, wording too."""
    assert proposal(title={"zh-Hans": "别的", "en": "words"}).digest != proposal().digest


def test_another_policy_is_another_digest() -> None:
    """When it is told counts as well."""
    assert proposal(policy={"changed": []}).digest != proposal().digest
