"""Rehearsal scripts: what an operator does, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.errors import InputError
from broadcaster.rehearsal.script import Act, Verb, default_script, read_script
from tests.builders import at, example, proposal, window

EXAMPLE = example().announcement


def _write(folder: Path, text: str) -> Path:
    path = folder / "script.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_deeds_are_done_in_the_order_of_time(tmp_path: Path) -> None:
    """Whatever their order in the file; local times are those of the announcement."""
    path = _write(
        tmp_path,
        "- {at: 2022-03-20 24:00, do: finish}\n- {at: 2022-03-01 09:00, do: cancel, reason: put off}\n",
    )
    assert read_script(path, EXAMPLE).acts == (
        Act(at=at("2022-03-01 09:00"), do=Verb.CANCEL, reason="put off"),
        Act(at=at("2022-03-21 00:00"), do=Verb.FINISH),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {at: 2022-03-01 09:00, do: nothing}", r"script\.yaml:1 \[0\]\.do: Input should be"),
        ("- {do: finish}", r"script\.yaml:1 \[0\]\.at: the field is missing"),
        ("- {at: soon, do: finish}", r"\[0\]\.at: 'soon' is not a time"),
        ("\n- {at: 2022-03-01 09:00, do: finish, loudly: true}", r"script\.yaml:2 \[0\]\.loudly: unknown field"),
        ("- {at: 2022-03-01 09:00, do: finish, do: cancel}", r"\[0\]\.do: the field is given twice"),
        ("at: 2022-03-01 09:00", r"script\.yaml:1: Input should be a valid tuple"),
    ],
)
def test_a_wrong_script_is_found_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    """A deed that nobody can do, a missing or wrong time, an unknown or repeated field, no list."""
    with pytest.raises(InputError, match=said):
        read_script(_write(tmp_path, text), EXAMPLE)


def test_every_problem_of_a_script_is_said_at_once(tmp_path: Path) -> None:
    """A repeated field does not hide a missing one."""
    with pytest.raises(InputError) as caught:
        read_script(_write(tmp_path, "- {do: finish, do: cancel}\n"), EXAMPLE)
    assert [problem.message for problem in caught.value.problems] == [
        "the field is given twice",
        "the field is missing",
    ]


def test_without_a_script_somebody_finishes_at_the_planned_end() -> None:
    """The shortest rehearsal."""
    assert default_script(EXAMPLE).acts == (Act(at=at("2022-03-21 00:00"), do=Verb.FINISH),)


def test_without_an_end_nobody_can_say_when_it_is_over() -> None:
    """So nothing is done."""
    assert default_script(proposal(window=window("2030-05-10 00:00")).announcement).acts == ()
