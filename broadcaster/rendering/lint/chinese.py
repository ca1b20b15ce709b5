"""Chinese, simplified and traditional: `2022年2月26日（星期六）0时至3月20日24时`, `二月二十六日零时`, `下午3点半`."""

from __future__ import annotations

import re

from broadcaster.rendering.lint.grammar import CLOCK, DAY, RELATIVE, WEEKDAY, Grammar

_DIGITS = {"〇": 0, "○": 0, "零": 0, "两": 2, **{sign: value for value, sign in enumerate("一二三四五六七八九", 1)}}
_SIGNS = "".join(_DIGITS)
_NUMBER = rf"(?:\d{{1,2}}|[{_SIGNS}十廿卅]{{1,3}})"
_YEAR = rf"(?:\d{{4}}|[{_SIGNS}]{{4}})"
_NOT_WITHIN = rf"(?<![\d{_SIGNS}十廿卅.])"
_PARTS = "凌晨|清晨|早晨|早上|上午|中午|正午|下午|傍晚|晚上|晚间|夜间|深夜|早|晚"
# What begins with 时 or 点 and is no clock time.
_HOUR = (
    "(?:[时時](?![间間候段期刻长長限效常代])"
    "|[点點](?![击擊名赞播评評开選选数數位对對多说說要建意原事问問须須提变變注]))"
)


def number(text: str) -> int:
    """The value of `26`, `二十六`, `廿六` or `二〇二二`."""
    if text.isdecimal():
        return int(text)
    spread = text.replace("廿", "二十").replace("卅", "三十")
    if "十" not in spread:
        return int("".join(str(_DIGITS[sign]) for sign in spread))
    tens, _, ones = spread.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        raise ValueError(text)
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _morning(hour: int) -> int:
    return 0 if hour == 12 else hour


def _noon(hour: int) -> int:
    return hour + 12 if hour < 4 else hour


def _afternoon(hour: int) -> int:
    return hour + 12 if hour < 12 else hour


def _evening(hour: int) -> int:
    return hour + 12 if 5 <= hour <= 12 else hour


def _as_written(hour: int) -> int:
    return hour


CHINESE = Grammar(
    days=(
        re.compile(
            rf"(?<!农历)(?<!每年){_NOT_WITHIN}(?:(?P<year>{_YEAR})\s*年\s*)?"
            rf"(?P<month>{_NUMBER})\s*月\s*(?P<day>{_NUMBER})\s*[日号號]"
        ),
        re.compile(
            r"(?<![\d./-])(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\d/]|[-.]\d)"
        ),
        # A day without its month counts only beside a clock time or another date.
        re.compile(rf"(?<!每月){_NOT_WITHIN}(?P<day>{_NUMBER})\s*[日号號]"),
    ),
    clocks=(
        re.compile(rf"(?P<part>{_PARTS})?\s*(?<![\d:.])(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::\d{{2}})?(?!\d)"),
        re.compile(
            rf"(?P<part>{_PARTS})?\s*{_NOT_WITHIN}(?P<hour>{_NUMBER})\s*{_HOUR}\s*"
            rf"(?:(?P<minute>{_NUMBER})\s*分|(?P<half>半|[一三]刻)|整|钟|鐘|(?P<bare>\d{{2}})(?![\d年月日]))?"
        ),
        re.compile("(?P<word>正午|午夜|子夜)"),
    ),
    weekdays=re.compile("(?:星期|礼拜|禮拜|周|週)(?P<weekday>[一二三四五六日天])"),
    relative=re.compile("今日|今天|明日|明天|后天|後天|昨日|昨天|前天|次日|翌日|当日|當日|当天|同日|第二天"),
    number=number,
    months={},
    weekday_names={sign: place for place, sign in enumerate("一二三四五六日")} | {"天": 6},
    parts={
        **dict.fromkeys(("凌晨", "清晨"), _morning),
        **dict.fromkeys(("早晨", "早上", "上午", "早"), _as_written),
        **dict.fromkeys(("中午", "正午"), _noon),
        **dict.fromkeys(("下午", "傍晚"), _afternoon),
        **dict.fromkeys(("晚上", "晚间", "夜间", "深夜", "晚"), _evening),
    },
    words={"正午": (720,), "午夜": (0, 1440), "子夜": (0, 1440)},
    halves={"半": 30, "一刻": 15, "三刻": 45},
    links={
        (DAY, CLOCK): re.compile(r"\s*[,)]?\s*的?\s*"),
        (DAY, WEEKDAY): re.compile(r"\s*[,(]?\s*"),
        (DAY, RELATIVE): re.compile(r"\s*[,(]?\s*"),
        (WEEKDAY, CLOCK): re.compile(r"\s*[,)]?\s*的?\s*"),
        (WEEKDAY, DAY): re.compile(r"\s*[,(]?\s*"),
        (RELATIVE, CLOCK): re.compile(r"\s*[,)]?\s*的?\s*"),
        (RELATIVE, DAY): re.compile(r"\s*[,(]?\s*"),
    },
    firm_links={},
    through=re.compile(r"\s*\)?\s*起?\s*(?:至|到|直至|[-–—~]+)\s*"),
    beside=re.compile(r"\s*\)?\s*(?:、|和|及|与|以及|或)\s*"),
    since_before=re.compile(r"(?:自|从|從|由)\s*$"),
    since_after=re.compile(r"\s*\)?\s*(?:起|开始|開始|之?后|之?後)"),
    number_cue=re.compile("电话|電話|热线|熱線|拨打|撥打|致电|致電|咨询|諮詢|客服|座机|手机号|联系方式|请拨|来电"),
    number_cue_after=re.compile(r"\s*(?:\S{0,4}热线|\S{0,4}熱線|服务电话|咨询电话|电话咨询)"),
    counted=re.compile(
        r"\s*(?:多|余)?(?:%|‰|[个個人次元万萬亿億年月日天号號家户戶件条條项項名位份笔筆层樓楼秒页頁]|分钟|分鐘|小时|小時)"
    ),
    and_more=re.compile("等"),
    understands_its_zone=True,
)
