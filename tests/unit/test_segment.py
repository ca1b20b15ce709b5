"""Segments: a small filter over tags and language, read with clear errors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from broadcaster.errors import InputError
from broadcaster.planning.segment import (
    MAX_CHARACTERS,
    Both,
    Either,
    Not,
    Segment,
    Speaks,
    Tagged,
    contains,
    named_tags,
    parse_segment,
)
from tests.builders import segments


def test_and_binds_tighter_than_or() -> None:
    """As in every language that has both."""
    assert parse_segment("tag:a or tag:b and language:en") == Either(Tagged("a"), Both(Tagged("b"), Speaks("en")))


def test_parentheses_and_not() -> None:
    """`not` takes what follows it, a word or a group."""
    assert parse_segment("not (tag:a or tag:b)") == Not(Either(Tagged("a"), Tagged("b")))


@pytest.mark.parametrize(
    ("text", "language", "tags", "inside"),
    [
        ("everyone", "en", set(), True),
        ("tag:retired and not tag:enterprise", "zh-Hans", {"retired"}, True),
        ("tag:retired and not tag:enterprise", "zh-Hans", {"retired", "enterprise"}, False),
        ("language:en or tag:vip", "zh-Hans", {"vip"}, True),
        ("language:en", "zh-Hans", {"en"}, False),
    ],
)
def test_who_is_in_a_segment(text: str, language: str, tags: set[str], inside: bool) -> None:
    """By language and tags alone."""
    assert contains(parse_segment(text), language, tags) is inside


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "column 1: expected tag:NAME, language:TAG, everyone, not or (, found the end"),
        ("tag:", "column 1: expected tag:NAME"),
        ("age:40", "column 1: expected tag:NAME"),
        ("tag:a tag:b", "column 7: expected `and`, `or` or the end, found 'tag:b'"),
        ("(tag:a", "column 7: expected `)`, found the end"),
        ("tag:a and", "column 10: expected tag:NAME"),
        ("x" * (MAX_CHARACTERS + 1), "at most 2000 characters"),
        ("(" * 1000, "column 52: more than 50 brackets and `not`s around a word"),
        ("not " * 100 + "tag:a", "column 205: more than 50 brackets and `not`s around a word"),
    ],
)
def test_an_error_names_the_column_and_what_was_expected(text: str, says: str) -> None:
    """So that it can be mended without a manual."""
    with pytest.raises(InputError) as caught:
        parse_segment(text)
    assert says in caught.value.message


@settings(deadline=None)  # a busy machine is no failure
@given(segments())
def test_what_is_written_back_is_read_the_same(segment: Segment) -> None:
    """A segment's text is the segment."""
    assert parse_segment(str(segment)) == segment


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("((tag:a)) or (tag:b or tag:c)", "tag:a or (tag:b or tag:c)"),
        ("(tag:a or tag:b) and not(tag:c and not language:en)", "(tag:a or tag:b) and not (tag:c and not language:en)"),
        ("tag:a and tag:b or not (everyone)", "tag:a and tag:b or not everyone"),
    ],
)
def test_it_is_written_with_the_brackets_that_it_needs(text: str, written: str) -> None:
    """Whoever wrote it recognises it."""
    assert str(parse_segment(text)) == written


def test_a_long_list_of_tags_is_no_deep_one() -> None:
    """A hundred and fifty tags in a row are read, written and asked like two."""
    segment = parse_segment(" or ".join(f"tag:{number}" for number in range(150)))
    assert parse_segment(str(segment)) == segment
    assert contains(segment, "en", {"149"})


def test_it_knows_the_tags_it_names() -> None:
    """Each of them, also behind `not`, so that a misspelt one is found."""
    assert list(named_tags(parse_segment("tag:a and not (tag:b or language:en)"))) == ["a", "b"]
