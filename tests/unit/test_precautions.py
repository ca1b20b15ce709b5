"""Precautions in a file: what can be written, what is told back, and what stays unsaid."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from broadcaster.errors import InputError
from broadcaster.planning.cautions import RULES
from broadcaster.planning.policy import DEFAULT, Policy
from broadcaster.planning.precautions import Level, Levels, Precautions
from broadcaster.planning.proposal import Proposal
from tests.builders import announcement_yaml, proposal

WRITTEN: dict[str, Any] = {
    "calendar": "GB-SCT",
    "minimum_notice": {"notice": "5 working days", "changed": "12 hours"},
    "payment_days": [5, "last", "2030-05-13"],
    "first_working_days": 3,
    "levels": {"payment_days": "error", "weekends": "warning", "holidays": "off"},
}


def with_precautions(**precautions: Any) -> Proposal:
    """The minimal announcement with these precautions."""
    return proposal(announcement_yaml(policy={"precautions": precautions}))


def test_everything_that_is_written_comes_back() -> None:
    """As a file, and as it is stored."""
    found = with_precautions(**WRITTEN)
    assert found.policy.model_dump(mode="json", exclude_defaults=True)["precautions"] == WRITTEN
    assert proposal(found.to_yaml()) == found
    assert Proposal.restore(found.to_data()) == found


def test_what_is_not_said_is_not_stored() -> None:
    """A revision from before there were precautions stays the same revision."""
    assert "precautions" not in DEFAULT.model_dump(mode="json")
    assert with_precautions(levels={"weekends": "off"}).digest == proposal().digest
    assert with_precautions(levels={"weekends": "warning"}).digest != proposal().digest


def test_every_rule_has_a_level() -> None:
    """And every level a rule."""
    assert list(RULES) == list(Levels.model_fields)


def test_by_default_a_word_is_said_and_nothing_refused() -> None:
    """Weekends are when outages are: not even a word."""
    assert {level for _, level in Policy().precautions.levels} == {Level.WARNING, Level.OFF}
    assert Policy().precautions.levels.weekends is Level.OFF


@pytest.mark.parametrize(
    ("day", "pays"),
    [
        ("2022-03-05", True),
        ("2022-03-06", False),
        ("2022-03-13", True),
        ("2022-04-13", False),
        ("2022-02-28", True),
        ("2024-02-28", False),
        ("2024-02-29", True),
        ("2022-03-30", True),
        ("2022-03-31", True),
    ],
)
def test_a_payment_day_is_of_every_month_or_of_one(day: str, pays: bool) -> None:
    """The 30th is in no February; `last` is in every month."""
    found = Precautions(payment_days=(5, 30, "last", date(2022, 3, 13)))
    assert found.pays_on(date.fromisoformat(day)) is pays


@pytest.mark.parametrize(
    ("precautions", "words"),
    [
        ({"calendar": "China"}, "precautions.calendar: 'China' is no calendar; expected an ISO 3166 code such as CN"),
        ({"calendar": "XX"}, "precautions.calendar: no calendar is known for 'XX' (`none` knows no holidays)"),
        ({"minimum_notice": {"notice": "soon"}}, "precautions.minimum_notice.notice: 'soon' is not a lead time"),
        ({"minimum_notice": {"started": "1 day"}}, "precautions.minimum_notice.started: unknown field 'started'"),
        ({"payment_days": [32]}, "precautions.payment_days[0]: 32 is no payment day; expected a day of the month"),
        ({"payment_days": [True]}, "precautions.payment_days[0]: True is no payment day"),
        ({"payment_days": ["2022-02-30"]}, "precautions.payment_days[0]: "),
        ({"levels": {"holidays": "severe"}}, "precautions.levels.holidays: "),
        ({"levels": {"sundays": "off"}}, "precautions.levels.sundays: unknown field 'sundays'"),
        ({"first_working_days": 21}, "precautions.first_working_days: "),
    ],
)
def test_what_nobody_can_mean_is_refused_with_its_place(precautions: dict[str, Any], words: str) -> None:
    """File, line and field, as everywhere."""
    with pytest.raises(InputError) as caught:
        with_precautions(**precautions)
    [problem] = caught.value.problems
    assert f"policy.{words}" in str(problem)
    assert problem.place.line is not None
