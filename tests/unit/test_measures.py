"""Sizes of texts, in the units that their media count in."""

from __future__ import annotations

import pytest

from broadcaster.channels.banner.message import one_line as banner_line
from broadcaster.channels.sms.message import one_line as sms_line
from broadcaster.rendering.measures import SmsEncoding, columns, rows, sms_size


@pytest.mark.parametrize(("characters", "segments"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)])
def test_chinese_is_paid_by_70_and_then_by_67(characters: int, segments: int) -> None:
    """One segment holds 70 UCS-2 units; of several, each holds 67."""
    size = sms_size("停" * characters)
    assert (size.encoding, size.characters, size.segments) == (SmsEncoding.UCS2, characters, segments)


@pytest.mark.parametrize(("characters", "segments"), [(160, 1), (161, 2), (306, 2), (307, 3)])
def test_plain_english_is_paid_by_160_and_then_by_153(characters: int, segments: int) -> None:
    """One segment holds 160 septets of the GSM alphabet; of several, each holds 153."""
    size = sms_size("a" * characters)
    assert (size.encoding, size.units, size.segments) == (SmsEncoding.GSM7, characters, segments)


@pytest.mark.parametrize("character", list("^{}\\[~]|€"))
def test_an_extended_character_takes_two_septets(character: str) -> None:
    """A euro sign or a bracket is escaped, so that 159 letters and one of them no longer fit one segment."""
    size = sms_size("a" * 159 + character)
    assert (size.encoding, size.characters, size.units, size.segments) == (SmsEncoding.GSM7, 160, 161, 2)


def test_one_foreign_character_turns_the_whole_text_into_ucs2() -> None:
    """The brackets of a Chinese signature cost an English text more than half of its room."""
    assert sms_size("a" * 71).segments == 1
    assert sms_size("【a】" + "a" * 68).segments == 2


def test_a_surrogate_pair_is_one_character_and_two_units() -> None:
    """An emoji, or a rare Chinese character beyond the basic plane, counts as people count and is paid twice."""
    size = sms_size("😀" * 35)
    assert (size.characters, size.units, size.segments) == (35, 70, 1)
    assert sms_size("𠮷" * 35 + "停").segments == 2


def test_an_empty_text_is_one_segment() -> None:
    """A provider charges for what it sends, even if that is nothing."""
    assert sms_size("").segments == 1


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("停机", 4), ("，", 2), ("e\u0301", 1), ("", 0)])
def test_columns_are_what_a_screen_shows(text: str, width: int) -> None:
    """Chinese and its punctuation are two columns wide, a combining accent none."""
    assert columns(text) == width


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("停" * 22, 1),
        ("停" * 23, 2),
        ("a\n\nb", 3),
        ("a" * 44, 1),
        ("a" * 45, 2),
        ("a" * 89, 3),
        ("a" * 20 + " " + "b" * 24, 2),
        ("a" * 20 + " " + "b" * 23, 1),
        ("a" * 44 + " b", 2),
        ("see " + "b" * 50, 3),
    ],
)
def test_rows_keep_latin_words_whole(text: str, filled: int) -> None:
    """A word that no longer fits starts a row; Chinese may be broken after every character."""
    assert rows(text, 44) == filled


@pytest.mark.parametrize("one_line", [sms_line, banner_line])
def test_folding_puts_a_space_between_english_lines_only(one_line: object) -> None:
    """Writers break lines as they like; Chinese sentences follow each other without a space."""
    assert callable(one_line)
    assert one_line("甲。\n  乙。\n", "zh-Hans") == "甲。乙。"
    assert one_line("One.\n\n Two.\n", "en") == "One. Two."


def test_a_no_break_space_does_not_double_the_price() -> None:
    """It is not in the GSM alphabet; an SMS gets a plain space instead."""
    assert sms_size(sms_line("until\u00a020 March", "en")).encoding is SmsEncoding.GSM7
