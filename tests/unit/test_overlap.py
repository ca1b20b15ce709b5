"""Overlap: whom segments have in common, whatever tags people turn out to have."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.planning.overlap import anybody, overlap, within, without
from broadcaster.planning.segment import MAX_CHARACTERS, Not, Segment, contains, parse_segment
from tests.builders import segments

_TAGS = [set(chosen) for size in range(4) for chosen in combinations("abc", size)]
PEOPLE = list(product(["en", "zh-Hans", "fr"], _TAGS))
"""Everybody there can be, as far as the segments of the tests can tell."""


def _inside(segment: Segment) -> list[int]:
    return [number for number, person in enumerate(PEOPLE) if contains(segment, *person)]


@settings(deadline=None)  # a busy machine is no failure
@given(segments())
def test_it_knows_whether_there_can_be_anybody(segment: Segment) -> None:
    """The same answer as asking everybody."""
    assert anybody(segment) == bool(_inside(segment))


@settings(deadline=None)  # a busy machine is no failure
@given(segments(), st.lists(segments(), max_size=3))
def test_without_others_nobody_is_in_two(segment: Segment, others: list[Segment]) -> None:
    """Who is left is in the segment and in no other; nobody else is lost."""
    taken = {number for other in others for number in _inside(other)}
    assert _inside(without(segment, others)) == [number for number in _inside(segment) if number not in taken]


@settings(deadline=None)  # a busy machine is no failure
@given(segments(), st.lists(segments(), max_size=3))
def test_within_others_nobody_is_left_out(segment: Segment, others: list[Segment]) -> None:
    """Also where only all of them together hold it."""
    taken = {number for other in others for number in _inside(other)}
    assert within(segment, others) == (set(_inside(segment)) <= taken)


@pytest.mark.parametrize(
    ("segment", "others", "left"),
    [
        ("everyone", ["tag:a"], "not tag:a"),
        ("everyone", ["not tag:a"], "tag:a"),
        ("tag:b", ["tag:a"], "tag:b and not tag:a"),
        ("tag:b", ["tag:a", "tag:c"], "tag:b and not tag:a and not tag:c"),
        ("tag:b and not tag:a", ["tag:a"], "tag:b and not tag:a"),
        ("language:en", ["language:fr"], "language:en"),
        ("tag:b", ["tag:a or tag:c"], "tag:b and not (tag:a or tag:c)"),
    ],
)
def test_what_is_left_is_written_as_a_person_would(segment: str, others: list[str], left: str) -> None:
    """Nothing is taken out that was not in."""
    assert str(without(parse_segment(segment), [parse_segment(other) for other in others])) == left


@pytest.mark.parametrize(("term", "join"), [("tag:a{0}", " or "), ("(tag:a{0} or tag:b{0})", " and ")])
def test_the_longest_segment_is_compared_with_itself(term: str, join: str) -> None:
    """As long as a file may have it; a comparison that tried every set of tags would not end."""
    terms = [term.format(number) for number in range(100)]
    fitting = MAX_CHARACTERS // 2 // len(terms[-1] + join)
    segment = parse_segment(join.join(terms[:fitting]))
    assert overlap(segment, segment)
    assert not overlap(segment, Not(segment))
    assert within(segment, [segment])
