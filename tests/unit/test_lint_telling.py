"""Tellings: the times that people write in Chinese and English, as one and the same value."""

from __future__ import annotations

import pytest

from broadcaster.rendering.lint.grammars import grammar_of
from broadcaster.rendering.lint.moment import Moment
from broadcaster.rendering.lint.telling import tellings


def shown(moment: Moment) -> str:
    """`2022-02-26 00:00`, with a dash for whatever is not told."""
    day = "-".join("?" if part is None else f"{part:02d}" for part in (moment.year, moment.month, moment.day))
    return day if moment.minutes is None else f"{day} {moment.minutes // 60:02d}:{moment.minutes % 60:02d}"


def told(text: str, language: str) -> list[str]:
    """Each time that a text tells; several readings of one with a bar between them."""
    return ["|".join(shown(moment) for moment in row.moments) for row in tellings(text, grammar_of(language))]


CHINESE = {
    "2022年2月26日0时至3月20日24时": ["2022-02-26 00:00", "2022-03-20 24:00"],
    "2029年12月28日8时30分至1月3日9时": ["2029-12-28 08:30", "2030-01-03 09:00"],
    "２０２２年２月２６日００：００": ["2022-02-26 00:00"],
    "二〇二二年二月二十六日零时至三月二十日二十四时": ["2022-02-26 00:00", "2022-03-20 24:00"],
    "2月廿六日下午三点半": ["?-02-26 15:30"],
    "2月26日（星期六）上午9:30—11:00": ["?-02-26 09:30", "?-02-26 11:00"],
    "2月26日下午3点、5点": ["?-02-26 15:00", "?-02-26 05:00|?-02-26 17:00"],
    "2月26日晚12点": ["?-02-26 24:00"],
    "2月26日凌晨2点05分": ["?-02-26 02:05"],
    "2月26日中午12点": ["?-02-26 12:00"],
    "2月26日中午1点": ["?-02-26 13:00"],
    "3月20日午夜": ["?-03-20 00:00|?-03-20 24:00"],
    "3月20日24时（21日0时）": ["?-03-20 24:00", "?-?-21 00:00"],
    "2月26日22时至6时": ["?-02-26 22:00", "?-02-27 06:00"],
    "2022年2月28日22时至6时": ["2022-02-28 22:00", "2022-03-01 06:00"],
    "2月26日8时至次日9时": ["?-02-26 08:00", "?-02-26 09:00|?-02-27 09:00"],
    "2月26日至28日": ["?-02-26", "?-02-28"],
    "12月30日至2日": ["?-12-30", "?-01-02"],
    "2022-02-26 00:00至2022/3/20 24:00": ["2022-02-26 00:00", "2022-03-20 24:00"],
    "2月26号9點": ["?-02-26 09:00"],
    "明日0时起": ["?-?-? 00:00"],
    "2月30日25时": ["?-02-30 25:00"],
}
ENGLISH = {
    "From 00:00 on 26 February to 24:00 on 20 March 2022": ["2022-02-26 00:00", "2022-03-20 24:00"],
    "from 28 December to 3 January 2030": ["2029-12-28", "2030-01-03"],
    "08:00 to 12:00 on 5 May 2030": ["2030-05-05 08:00", "2030-05-05 12:00"],
    "2:00–4:30 p.m. on 5 May": ["?-05-05 02:00|?-05-05 14:00", "?-05-05 16:30"],
    "26–28 February 2022": ["2022-02-26", "2022-02-28"],
    "February 26-28, 2022": ["2022-02-26", "2022-02-28"],
    "from 28 to 3 March": ["?-02-28", "?-03-03"],
    "9.30 a.m. on Wednesday, 2 March 2022": ["2022-03-02 09:30"],
    "Wed 2nd of March at 12 noon": ["?-03-02 12:00"],
    "12 am on 26 Feb.": ["?-02-26 00:00"],
    "March 2, 2022 at 9 pm": ["2022-03-02 21:00"],
    "midnight on 26 FEBRUARY": ["?-02-26 00:00|?-02-26 24:00"],
    "26 February, 09:00 on 27 February": ["?-02-26", "?-02-27 09:00"],
    "2022-02-26 00:00": ["2022-02-26 00:00"],
    "tomorrow at 9:00": ["?-?-? 09:00"],
}


@pytest.mark.parametrize(("text", "times"), CHINESE.items())
def test_chinese_times(text: str, times: list[str]) -> None:
    """Full-width digits, numerals, parts of the day, 24:00, and what is left out the second time."""
    assert told(text, "zh-Hans") == times


@pytest.mark.parametrize(("text", "times"), ENGLISH.items())
def test_english_times(text: str, times: list[str]) -> None:
    """Both orders of day and month, the twelve-hour clock, noon and midnight, and half-written ranges."""
    assert told(text, "en") == times


@pytest.mark.parametrize(
    "text",
    [
        "周一至周五9:00—11:30",
        "工作日8:30-17:00",
        "每月15日9时",
        "每年3月15日",
        "农历二月二日",
        "15日内办结，停机24小时",
        "第三点说明",
        "2022年度、3月份、2022年3月",
        "北京时间（UTC+08:00）",
        "https://example.org/2022/02/26/index.html",
        "2.0版，编号2022-13-1-5",
    ],
)
def test_what_tells_no_time_of_one_day(text: str) -> None:
    """Opening hours, spans, months, versions and addresses are nobody's statement about the outage."""
    assert told(text, "zh-Hans") == []


@pytest.mark.parametrize(
    "text",
    ["It may 5 people march 20 steps", "Mon-Fri 9:00-17:00", "UTC+08:00", "24 hours", "version 3.21", "in May 2022"],
)
def test_what_tells_no_time_in_english(text: str) -> None:
    """The same: words that are months elsewhere, opening hours, offsets, spans."""
    assert told(text, "en") == []


def test_a_weekday_belongs_to_the_date_beside_it() -> None:
    """Before it, after it or in brackets; those of a range belong to neither."""
    for text in ("周六（2月26日）0时", "2月26日 星期六", "2月26日（周六）"):
        assert [row.weekday for row in tellings(text, grammar_of("zh"))] == [5]
    assert [row.weekday for row in tellings("Saturday, 26 February", grammar_of("en-GB"))] == [5]
    assert [row.weekday for row in tellings("2月26日至28日（周一至周三）", grammar_of("zh"))] == [None, None]


def test_a_quotation_keeps_the_writing_of_the_text() -> None:
    """An operator finds the very characters in the file."""
    (row,) = tellings("自２月２６日（星期六）起", grammar_of("zh-Hans"))
    assert (row.quote, row.begins) == ("２月２６日（星期六）", True)


def test_a_line_break_ends_a_time() -> None:
    """A kiosk's heading and the line below it are two statements."""
    assert told("3月20日\n24时热线", "zh-Hans") == ["?-03-20"]


def test_a_language_without_a_grammar_is_read_like_its_times_are_written() -> None:
    """Its times are worded in English until it has a wording of its own."""
    assert told("ab 00:00 on 26 February", "de-CH") == ["?-02-26 00:00"]
