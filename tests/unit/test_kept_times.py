"""Planned, revised and actual times: nothing that was approved is forgotten, and what happened is beside it."""

from __future__ import annotations

from datetime import datetime

from broadcaster.planning.windows import ApprovedWindow, end_planned_since, told_apart
from broadcaster.reporting.times import Actual, lines, times
from tests.builders import SHANGHAI, at

START = at("2022-02-26 00:00")
A, B = at("2022-03-21 00:00"), at("2022-03-25 00:00")


def approved(number: int, when: str, end: datetime | None = A) -> ApprovedWindow:
    """A revision's window, approved at a local time."""
    return ApprovedWindow(number, at(when), START, end)


FIRST = approved(1, "2022-02-18 10:00")
REWORDED = approved(2, "2022-02-20 10:00")
EXTENDED = approved(4, "2022-03-20 15:00", B)
BACK = approved(5, "2022-03-20 16:00")


def test_the_first_approved_window_is_the_planned_one() -> None:
    """Later ones are revised; a revision that only words it anew is none."""
    assert told_apart([FIRST, REWORDED, EXTENDED]) == [FIRST, EXTENDED]


def test_a_plan_that_comes_back_was_revised_twice() -> None:
    """From A to B to A."""
    assert told_apart([FIRST, EXTENDED, BACK]) == [FIRST, EXTENDED, BACK]


def test_an_end_is_planned_since_it_was_first_said_and_kept() -> None:
    """Rewording it does not set it anew; coming back to it does."""
    assert end_planned_since([FIRST, REWORDED]) == at("2022-02-18 10:00")
    assert end_planned_since([FIRST, EXTENDED]) == at("2022-03-20 15:00")
    assert end_planned_since([FIRST, EXTENDED, BACK]) == at("2022-03-20 16:00")


def test_all_three_are_data() -> None:
    """In the announcement's zone."""
    actual = Actual(START, at("2022-03-22 18:00"))
    assert times([FIRST, EXTENDED], actual, SHANGHAI) == {
        "planned": {"start": "2022-02-26T00:00:00+08:00", "end": "2022-03-21T00:00:00+08:00"},
        "revised": [
            {
                "revision": 4,
                "approved_at": "2022-03-20T15:00:00+08:00",
                "start": "2022-02-26T00:00:00+08:00",
                "end": "2022-03-25T00:00:00+08:00",
            }
        ],
        "actual": {"start": "2022-02-26T00:00:00+08:00", "end": "2022-03-22T18:00:00+08:00", "cancelled": None},
    }


def test_a_draft_has_no_times() -> None:
    """Nothing is approved, nothing has happened."""
    data = times([], Actual(), SHANGHAI)
    assert data == {"planned": None, "revised": [], "actual": {"start": None, "end": None, "cancelled": None}}
    assert lines(data) == []


def test_people_read_a_line_each() -> None:
    """An end that nobody knows yet is a dash."""
    shown = lines(times([approved(1, "2022-02-18 10:00", None), EXTENDED], Actual(START), SHANGHAI))
    assert [" ".join(line.values()).strip() for line in shown] == [
        "planned 2022-02-26 00:00 –",
        "revised 2022-02-26 00:00 2022-03-25 00:00 revision 4, approved 2022-03-20 15:00",
        "actual 2022-02-26 00:00 –",
    ]


def test_what_was_called_off_never_happened() -> None:
    """It says so instead."""
    shown = lines(times([FIRST], Actual(cancelled=at("2022-02-24 12:00")), SHANGHAI))
    assert shown[-1] == {"what": "actual", "start": "–", "end": "–", "note": "cancelled 2022-02-24 12:00"}
