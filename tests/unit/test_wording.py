"""Times in words: Chinese official style and clear English."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from broadcaster.rendering.wording import Chinese, English, wording

ZONE = ZoneInfo("Asia/Shanghai")
ZH, EN = Chinese(), English()


def at(text: str) -> datetime:
    """A local time in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("time", "chinese", "english"),
    [
        ("2022-02-26 00:00", "2月26日0时", "00:00 on 26 February"),
        ("2022-02-26 08:05", "2月26日8时05分", "08:05 on 26 February"),
        ("2022-12-01 17:30", "12月1日17时30分", "17:30 on 1 December"),
    ],
)
def test_an_instant_names_minutes_only_when_there_are_any(time: str, chinese: str, english: str) -> None:
    """Chinese leaves out zero minutes; English always writes a 24-hour clock."""
    assert ZH.instant(at(time), year=False) == chinese
    assert EN.instant(at(time), year=False) == english


def test_an_end_at_midnight_is_24_of_the_day_before() -> None:
    """The same instant is 24:00 as an end and 00:00 as a start."""
    midnight = at("2022-03-21 00:00")
    assert ZH.end(midnight, year=True) == "2022年3月20日24时"
    assert ZH.instant(midnight, year=True) == "2022年3月21日0时"
    assert EN.end(midnight, year=True) == "24:00 on 20 March 2022"
    assert EN.instant(midnight, year=True) == "00:00 on 21 March 2022"


def test_an_end_at_new_year_is_the_last_hour_of_the_old_year() -> None:
    """Midnight of 1 January belongs to 31 December when something ends then."""
    assert ZH.end(at("2023-01-01 00:00"), year=True) == "2022年12月31日24时"
    assert EN.end(at("2023-01-01 00:00"), year=True) == "24:00 on 31 December 2022"


@pytest.mark.parametrize(
    ("start", "end", "chinese", "english"),
    [
        (
            "2022-02-26 00:00",
            "2022-03-21 00:00",
            "2022年2月26日0时至3月20日24时",
            "00:00 on 26 February to 24:00 on 20 March 2022",
        ),
        ("2022-03-05 09:00", "2022-03-05 11:30", "2022年3月5日9时至11时30分", "09:00 to 11:30 on 5 March 2022"),
        ("2022-03-05 00:00", "2022-03-06 00:00", "2022年3月5日0时至24时", "00:00 to 24:00 on 5 March 2022"),
        (
            "2022-12-30 22:00",
            "2023-01-02 06:00",
            "2022年12月30日22时至2023年1月2日6时",
            "22:00 on 30 December 2022 to 06:00 on 2 January 2023",
        ),
        (
            "2022-12-31 22:00",
            "2023-01-01 00:00",
            "2022年12月31日22时至24时",
            "22:00 to 24:00 on 31 December 2022",
        ),
        (
            "2022-03-05 22:00",
            "2022-03-06 02:00",
            "2022年3月5日22时至3月6日2时",
            "22:00 on 5 March to 02:00 on 6 March 2022",
        ),
    ],
)
def test_a_window_says_no_more_than_it_must(start: str, end: str, chinese: str, english: str) -> None:
    """The day is written once within a day, the year once within a year, both when the window crosses one."""
    assert ZH.window(at(start), at(end), year=True) == chinese
    assert EN.window(at(start), at(end), year=True) == english


def test_a_short_window_leaves_out_the_year() -> None:
    """A text message has no room for what everybody knows."""
    start, end = at("2022-02-26 00:00"), at("2022-03-21 00:00")
    assert ZH.window(start, end, year=False) == "2月26日0时至3月20日24时"
    assert EN.window(start, end, year=False) == "00:00 on 26 February to 24:00 on 20 March"


def test_a_window_without_an_end_reads_on_like_one_with_an_end() -> None:
    """An English window follows the word "from" either way, so that a template needs no case for it."""
    start = at("2022-02-26 00:00")
    assert ZH.window(start, None, year=True) == "2022年2月26日0时起"
    assert EN.window(start, None, year=False) == "00:00 on 26 February until further notice"


@pytest.mark.parametrize(
    ("language", "kind"), [("zh-Hans", Chinese), ("zh-Hant-HK", Chinese), ("en-GB", English), ("fr", English)]
)
def test_a_language_finds_its_wording_by_its_primary_tag(language: str, kind: type[object]) -> None:
    """Script and region do not matter, and a language without a wording of its own gets the English one."""
    assert isinstance(wording(language), kind)
