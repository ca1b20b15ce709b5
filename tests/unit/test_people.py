"""Rows become people; what is wrong with a row is its own, and said without what stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from broadcaster.audience.people import LONGEST_NAME, LONGEST_TAGS, People, Person
from broadcaster.audience.readers import Sheet
from broadcaster.errors import InputError

HEADER = ("phone", "name", "language", "tags")
PHONE = "13800138000"


class Read:
    """What came of some rows, the first of them in line 2."""

    def __init__(self, header: Sequence[str], *rows: Sequence[str]) -> None:
        self.rejected: list[tuple[int, str]] = []
        sheet = Sheet(list(header), self._numbered(rows), lambda: 1.0, "UTF-8")
        self.people = People(sheet, "people.csv", lambda line, reason, _: self.rejected.append((line, reason)))
        self.good: list[Person] = list(self.people.rows())

    @staticmethod
    def _numbered(rows: Sequence[Sequence[str]]) -> Iterator[tuple[int, Sequence[str]]]:
        return enumerate(rows, 2)


def test_a_row_becomes_a_person() -> None:
    """Cells lose the spaces around them, tags are sorted and each is there once."""
    read = Read(HEADER, [" 138 0013 8000 ", " 王伟 ", " en ", " b; a;b;; "])
    assert read.good == [("+8613800138000", "王伟", "en", ("a", "b"))]


def test_columns_stand_in_any_order_among_others() -> None:
    """What is not ours is not looked at."""
    read = Read(["notes", "tags", "phone"], ["\udcff", "a", PHONE], ["", "", PHONE, "one more"])
    assert read.good == [("+8613800138000", "", "zh-Hans", ("a",)), ("+8613800138000", "", "zh-Hans", ())]


def test_only_the_phone_is_needed() -> None:
    """Nameless people read Chinese and have no tags."""
    assert Read(["phone"], [PHONE]).good == [("+8613800138000", "", "zh-Hans", ())]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([PHONE], "1 columns, but the header has 4"),
        (["", "name", "", ""], "not a phone number"),
        (["12345", "", "", ""], "not a valid phone number"),
        (["=cmd()", "", "", ""], "not a phone number"),
        ([PHONE, "", "Chinese", ""], "the language is not a BCP 47 tag such as zh-Hans or en"),
        ([PHONE, "\udcc1\udcf5", "", ""], "not UTF-8 text"),
        ([PHONE, "", "", "\udcc1"], "not UTF-8 text"),
        ([PHONE, "a\0b", "", ""], "the name has a control character"),
        ([PHONE, "a\x1bb", "", ""], "the name has a control character"),
        ([PHONE, "", "", "a\0b"], "a tag has a control character"),
        ([PHONE, "n" * (LONGEST_NAME + 1), "", ""], "the name has more than 200 characters"),
        ([PHONE, "", "", "t" * (LONGEST_TAGS + 1)], "the tags have more than 1000 characters"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_reason(row: list[str], reason: str) -> None:
    """And those around it are not."""
    read = Read(HEADER, [PHONE, "", "", ""], row, [PHONE, "", "", ""])
    assert read.rejected == [(3, reason)]
    assert len(read.good) == 2


@pytest.mark.parametrize(
    "name", ["欧阳 娜娜", "O’Neil-Müller", "\u3000王\u3000伟", "👩\u200d⚕", "زينب\u200c", "n" * LONGEST_NAME]
)
def test_names_of_all_scripts_are_kept(name: str) -> None:
    """Wide spaces and joiners belong to them; only the wide spaces around a name go."""
    assert Read(HEADER, [PHONE, name, "", ""]).good[0][1] == name.strip()


def test_blank_rows_are_none() -> None:
    """Spreadsheets leave them at the end."""
    read = Read(HEADER, [], [""], ["", " ", "", ""], [PHONE, "", "", ""])
    assert (len(read.good), read.rejected) == (1, [])


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ([], "people.csv:1: the column `phone` is missing"),
        (["name"], "expected a first line with the columns phone, name, language, tags"),
        (["phone", "name", "phone"], "the column `phone` is there twice"),
    ],
)
def test_a_header_must_have_phones_once(header: list[str], words: str) -> None:
    """Else the file is not one of people."""
    with pytest.raises(InputError, match=words):
        Read(header)


def test_tags_that_no_segment_can_name_are_told() -> None:
    """They are kept, but a filter cannot ask for them."""
    read = Read(HEADER, [PHONE, "", "", "old age;ok"], [PHONE, "", "", "(x)"])
    assert read.people.unnameable == {"old age", "(x)"}
