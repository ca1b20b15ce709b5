"""Numbers to call: which digits of a text are one, and which are dates, counts and codes."""

from __future__ import annotations

import pytest

from broadcaster.rendering.lint.grammars import grammar_of
from broadcaster.rendering.lint.numbers import numbers, same


def given(text: str, language: str = "zh-Hans", names: tuple[str, ...] = ()) -> list[str]:
    """The numbers in a text, as they stand there."""
    return [number.quote for number in numbers(text, grammar_of(language), names)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("咨询电话：12333。", ["12333"]),
        ("请拨打12333、12345咨询", ["12333", "12345"]),
        ("或12333热线", ["12333"]),
        ("0532-85912333", ["0532-85912333"]),
        ("（0532）8591 2333", ["（0532）8591 2333"]),
        ("电话85912333/85912444", ["85912333", "85912444"]),
        ("４００－８１２－３４５６", ["４００－８１２－３４５６"]),
        ("+86 532 8591 2333", ["+86 532 8591 2333"]),
        ("13800138000", ["13800138000"]),
        ("电话：1月2日起为12333", ["12333"]),
    ],
)
def test_numbers_to_call(text: str, found: list[str]) -> None:
    """With separators, brackets and full-width digits; a short one needs a word that says what it is."""
    assert given(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "共有12333人办理，第12345号",
        "邮编266000",
        "身份证号370202199001011234",
        "2022年2月26日0时至3月20日24时",
        "2022-02-26 00:00",
        "拨打后请等待120秒",
        "24小时客服",
        "人社发〔2022〕12号",
        "金额12345.00元，10,000,000元",
        "拨打400客服",
        "https://example.org/12333 电话",
    ],
)
def test_digits_that_are_no_number_to_call(text: str) -> None:
    """Counts, codes, dates, sums and addresses."""
    assert given(text) == []


def test_english_cues() -> None:
    """The same words in English, before the number or after it."""
    assert given("Call 12333 or ring (030) 123 4567.", "en") == ["12333", "(030) 123 4567"]
    assert given("the 12333 hotline", "en") == ["12333"]
    assert given("call within 120 minutes, 12333 people wait", "en") == []


def test_the_name_of_a_contact_is_a_cue() -> None:
    """`Front desk: 4455` calls nobody else's words to mind, but the announcement knows the front desk."""
    assert given("Front desk: 4455", "en") == []
    assert given("Front desk: 4455", "en", ("Front desk",)) == ["4455"]


def test_one_number_in_several_writings() -> None:
    """Area and country may be left out of a long number; a short one is itself or another."""
    assert same("053285912333", "8653285912333")
    assert same("85912333", "053285912333")
    assert not same("053385912333", "053285912333")
    assert not same("2333", "12333")
