"""Phone numbers become E.164, however people write them."""

from __future__ import annotations

import phonenumbers
import pytest

from broadcaster.audience.phone import PLAIN, e164, masked


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("+8613800138000", "+8613800138000"),
        ("86 138 0013 8000", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("(138)\u00a00013 8000", "+8613800138000"),
        ("0086 13800138000", "+8613800138000"),
        ("0532 8591 2345", "+8653285912345"),
        ("+852 9123 4567", "+85291234567"),
        ("+49 30 901820", "+4930901820"),
    ],
)
def test_a_number_is_read_however_it_is_written(written: str, number: str) -> None:
    """Mainland mobiles and landlines without a country code, others with theirs."""
    assert e164(written) == number


@pytest.mark.parametrize("text", ["", "1380013800", "138001380000", "+86 1", "call me", "+999 123456789", "12333"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Too short, too long, words, a country that does not exist, a service line that takes no SMS."""
    with pytest.raises(ValueError, match="not a"):
        e164(text)


def test_the_refusal_does_not_repeat_the_number() -> None:
    """Import reports are shown and kept; a person's number has no place in them."""
    with pytest.raises(ValueError, match="not a") as caught:
        e164("138001380000")
    assert "138" not in str(caught.value)


@pytest.mark.parametrize("beginning", range(100, 200))
def test_the_fast_path_takes_what_the_library_takes(beginning: int) -> None:
    """Whatever 11 digits begin with 1: both agree that it is a mobile, or that it is none."""
    for more in range(100):
        written = f"{beginning}{more:02}123456"
        if written.startswith("10"):
            continue
        parsed = phonenumbers.parse(written, "CN")
        accepted = phonenumbers.is_valid_number(parsed) and len(str(parsed.national_number)) == len(written)
        assert bool(PLAIN.fullmatch(written)) == accepted, written


def test_numbers_of_the_test_block_are_taken() -> None:
    """No carrier has them: a rehearsal with them reaches nobody, whatever goes wrong."""
    assert e164("10000000000") == "+8610000000000"


def test_a_number_is_shown_without_its_middle() -> None:
    """Enough to recognise one's own, too little to call anybody."""
    assert masked("+8613800138000") == "+86138****8000"
