"""How `status` shows an announcement's times, and what operators were told."""

from __future__ import annotations

from typing import Any

from broadcaster.cli import asked_view as view

END = "2022-03-21T00:00:00+08:00"


def row(**changed: Any) -> dict[str, Any]:
    """A question that was taken."""
    return {
        "type": "owner.asked",
        "announcement": "pump-works",
        "operator": "duty-desk",
        "planned_end": END,
        "lead": "2 days before",
        "broadcast": None,
        "reason": None,
        "at": "2022-03-19T00:00:00+08:00",
        "state": "accepted",
        "ended_at": "2022-03-19T00:00:01+08:00",
        "attempts": 1,
        "trouble": "",
    } | changed


LATER = row(lead="2 hours before", ended_at="2022-03-20T22:00:00+08:00")
REFUSED = row(state="waiting", ended_at=None, attempts=3, trouble="duty-desk answered 503")


def shown(*asked: dict[str, Any], state: str = "in_progress", operators: tuple[str, ...] = ("duty-desk",)) -> list[str]:
    """The lines of an announcement of which this was asked."""
    window = {"start": "2022-02-26T00:00:00+08:00", "end": END}
    times = {"planned": window, "revised": [], "actual": dict.fromkeys(("start", "end", "cancelled"))}
    data = {"announcement": {"state": state}, "times": times, "asked": list(asked), "operators": list(operators)}
    return [line.plain for line in view.of_one(data)]


def test_the_planned_window_is_shown() -> None:
    """In the announcement's zone, to the minute."""
    assert shown() == ["planned  2022-02-26 00:00 – 2022-03-21 00:00"]


def test_the_newest_question_is_shown_with_what_became_of_it() -> None:
    """Those before it are in the data."""
    assert shown(row(), LATER)[1:] == [
        "asked    owner.asked (2 hours before, 2022-03-21 00:00) · duty-desk: accepted 2022-03-20 22:00"
    ]


def test_what_was_not_taken_is_loud() -> None:
    """With why, and how often it was tried."""
    assert shown(REFUSED)[1:] == [
        "asked    owner.asked (2 days before, 2022-03-21 00:00) · duty-desk: waiting",
        " NOT TOLD duty-desk: owner.asked of pump-works: duty-desk answered 503; tried 3 times ",
    ]


def test_a_question_that_has_not_been_tried_yet_is_no_trouble() -> None:
    """It is about to be asked."""
    waiting = row(state="waiting", ended_at=None, attempts=0)
    assert not list(view.of_trouble([waiting]))


def test_a_site_without_operators_is_told_so_while_it_matters() -> None:
    """Nobody will say that service is back unless somebody thinks of it."""
    warning = " nobody is asked whether the planned end holds: the site has no operators "
    assert shown(operators=())[1:] == [warning]
    assert shown(operators=(), state="scheduled")[1:] == []
