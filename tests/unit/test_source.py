"""YAML sources: values stay as written, and every field knows its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.announcement.source import MAX_BYTES, dotted, parse_source, read_source, to_yaml
from broadcaster.errors import InputError


def _problem(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_source(text, "a.yaml")
    return caught.value.message


@pytest.mark.parametrize(
    "scalar", ["10:00", "on", "off", "yes", "No", "2022-02-26", "2022-02-26 00:00", "1:2:3", "0x1F", "1_000", ".inf"]
)
def test_what_older_yaml_would_convert_stays_text(scalar: str) -> None:
    """A time is no base-60 number, `on` no boolean, a date no object."""
    assert parse_source(f"value: {scalar}", "a.yaml").data == {"value": scalar}


@pytest.mark.parametrize(
    ("scalar", "value"),
    [("7", 7), ("-7", -7), ("1.5", 1.5), ("2e3", 2000.0), ("true", True), ("False", False), ("~", None), ("", None)],
)
def test_numbers_booleans_and_nothing_are_values(scalar: str, value: object) -> None:
    """The few plain types that a configuration needs."""
    assert parse_source(f"value: {scalar}", "a.yaml").data == {"value": value}


@pytest.mark.parametrize("scalar", ["!!float abc", "!!int ²", "!!bool maybe", ".nan", "9" * 5000])
def test_a_number_that_is_none_is_not_a_crash(scalar: str) -> None:
    """It stays text, and whoever expects a number says so with its line."""
    assert parse_source(f"value: {scalar}", "a.yaml").data == {"value": scalar.rsplit(maxsplit=1)[-1]}


def test_an_old_yaml_directive_does_not_turn_on_into_false() -> None:
    """`%YAML 1.1` knows more booleans than we do."""
    assert parse_source("%YAML 1.1\n---\nvalue: on\n", "a.yaml").data == {"value": "on"}


def test_every_field_knows_its_line() -> None:
    """Mappings, lists and values in them; a field that is not there stands where its parent does."""
    source = parse_source("one: 1\n\ntwo:\n  - x: 3\n    y: 4\n", "a.yaml")
    lines = {dotted(path): source.place(path).line for path in [("one",), ("two",), ("two", 0), ("two", 0, "y")]}
    assert lines == {"one": 1, "two": 3, "two[0]": 4, "two[0].y": 5}
    assert str(source.place(("two", 0, "z"))) == "a.yaml:4 two[0].z"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one: 1\ntwo: [1, 2\n", "a.yaml:3: not valid YAML"),
        ("one: 1\ntwo:\tx\n", "a.yaml:2: not valid YAML"),
        ("one: 1\n---\ntwo: 2\n", "a.yaml:2: not valid YAML"),
        ("one: *nobody\n", "a.yaml:1: not valid YAML: found undefined alias 'nobody'"),
        ("one: \x01\n", "a.yaml: not valid YAML: unacceptable character"),
    ],
)
def test_a_syntax_error_is_shown_with_its_line(text: str, said: str) -> None:
    """An open bracket, a tab, a second document, an alias without an anchor, a control character."""
    assert _problem(text).startswith(said)


@pytest.mark.parametrize("text", ["one: &me [*me]\n", "[" * 900])
def test_a_bottomless_file_is_refused(text: str) -> None:
    """An alias that holds itself, and brackets without end."""
    assert _problem(text) == "a.yaml: nested too deeply, or an alias that holds itself"


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_file_is_named_as_such(text: str) -> None:
    """Nothing is not an announcement without fields."""
    assert _problem(text) == "a.yaml: the file is empty"


def test_a_field_that_is_given_twice_is_found_with_its_second_line() -> None:
    """One of the two would be lost in silence."""
    source = parse_source("one:\n  x: 1\n  y: 2\n  x: 3\n", "a.yaml")
    assert [str(problem) for problem in source.repeats()] == ["a.yaml:4 one.x: the field is given twice"]


def test_a_file_that_is_not_utf_8_is_refused_with_the_byte(tmp_path: Path) -> None:
    """GB 18030 is what an editor on an office machine may have saved."""
    path = tmp_path / "a.yaml"
    path.write_bytes("title: 暂停".encode("gb18030"))
    with pytest.raises(InputError, match="not UTF-8 text at byte 7"):
        read_source(path)


def test_a_byte_order_mark_is_no_part_of_the_first_field(tmp_path: Path) -> None:
    """Windows editors write one."""
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufefftitle: 暂停\n".encode())
    assert read_source(path).data == {"title": "暂停"}


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """One byte over a megabyte."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="larger than 1,000,000 bytes"):
        read_source(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what the operating system says about it."""
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read: No such file"):
        read_source(tmp_path / "none.yaml")


_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x9FFF, exclude_categories=["Cs", "Cc"]))
_LEAF = st.one_of(_TEXT, st.booleans(), st.none(), st.integers(-(10**9), 10**9))
_KEY = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
_DATA = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=3))


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(_KEY, _DATA, min_size=1, max_size=4))
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    """Whatever plain data: `to_yaml` and `parse_source` are each other's inverse."""
    assert parse_source(to_yaml(data), "a.yaml").data == data
