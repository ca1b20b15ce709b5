"""English: `00:00 on 26 February to 24:00 on 20 March 2022`, `Wednesday, March 2, 9.30 a.m.`, `noon`."""

from __future__ import annotations

import re

from broadcaster.rendering.lint.grammar import CLOCK, DAY, RELATIVE, WEEKDAY, Grammar

_MONTH_WORDS = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    "|Nov(?:ember)?|Dec(?:ember)?"
)
_MONTH_NUMBERS = {
    **{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6},
    **{"jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12},
}
# With a capital or in capitals only: "may" and "march" are words of their own.
_MONTH = rf"(?P<month>{_MONTH_WORDS}|{_MONTH_WORDS.upper()})\b\.?"
_DAY = r"(?<![\d.,:])(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>\d{4})(?![\d:]))?"
_HALF_OF_DAY = r"(?P<part>[AaPp]\.?\s?[Mm])\b\.?"


def _before_noon(hour: int) -> int:
    return 0 if hour == 12 else hour


def _after_noon(hour: int) -> int:
    return hour + 12 if hour < 12 else hour


ENGLISH = Grammar(
    days=(
        re.compile(rf"{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}"),
        re.compile(rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?!\s*[AaPp]\.?[Mm]\b){_YEAR}"),
        re.compile(
            r"(?<![\d./-])(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\d/]|[-.]\d)"
        ),
        # A day without its month: "26 to 28 February", and "February 26–28".
        re.compile(
            rf"{_DAY}(?=\s*(?:-|–|—|to|and|until|till|&)\s*\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH_WORDS})\b)"
        ),
        re.compile(rf"(?:(?<=\d[-–])|(?<=\d to )|(?<=\d and )|(?<=\d – ))(?P<day>\d{{1,2}})(?:th)?(?![\d:.]){_YEAR}"),
    ),
    clocks=(
        re.compile(r"(?<![\d:.])(?:12(?::00)?\s*)?(?P<word>noon|midday|midnight|Noon|Midday|Midnight)\b"),
        re.compile(rf"(?<![\d:.])(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})\s*{_HALF_OF_DAY}"),
        re.compile(rf"(?<![\d:.])(?P<hour>\d{{1,2}})\s*{_HALF_OF_DAY}"),
        re.compile(r"(?<![\d:.])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?(?!\d)"),
    ),
    weekdays=re.compile(r"\b(?P<weekday>Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:s|nes|rs?|ur)?(?:day)?\b\.?"),
    relative=re.compile(r"\b(?:today|tomorrow|yesterday|(?:the )?(?:next|following|same) day)\b", re.IGNORECASE),
    number=int,
    months=_MONTH_NUMBERS,
    weekday_names={"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6},
    parts={"am": _before_noon, "pm": _after_noon},
    words={"noon": (720,), "midday": (720,), "midnight": (0, 1440)},
    halves={},
    links={
        (DAY, CLOCK): re.compile(r"\s*[,)]?\s*(?:at\s+|from\s+)?"),
        (DAY, WEEKDAY): re.compile(r"\s*[,(]?\s*"),
        (DAY, RELATIVE): re.compile(r"\s*[,(]\s*"),
        (WEEKDAY, CLOCK): re.compile(r"\s*[,)]?\s*(?:at\s+)?"),
        (WEEKDAY, DAY): re.compile(r"\s*[,(]?\s*(?:the\s+)?"),
        (RELATIVE, CLOCK): re.compile(r"\s*[,)]?\s*(?:at\s+)?"),
        (RELATIVE, DAY): re.compile(r"\s*[,(]\s*"),
        (CLOCK, DAY): re.compile(r"\s*,?\s*(?:on\s+)?(?:the\s+)?"),
        (CLOCK, WEEKDAY): re.compile(r"\s*,?\s*(?:on\s+)?"),
        (CLOCK, RELATIVE): re.compile(r"\s*"),
    },
    firm_links={(CLOCK, DAY): re.compile(r"\s+on\s+(?:the\s+)?"), (CLOCK, WEEKDAY): re.compile(r"\s+on\s+")},
    through=re.compile(r"\s*\)?\s*,?\s*(?:to|until|till|through|up to|-|–|—|~)\s*(?:the\s+)?"),
    beside=re.compile(r"\s*\)?\s*,?\s*(?:and|or|&)\s*(?:the\s+)?"),
    since_before=re.compile(r"\b(?:from|since|as of|starting|beginning)(?:\s+on)?\s+(?:the\s+)?$", re.IGNORECASE),
    since_after=re.compile(r"\s*\)?\s*onwards?\b"),
    number_cue=re.compile(
        r"\b(?:call|phone|telephone|tel|dial|ring|hotline|helpline|contact|mobile|fax|line)\b", re.IGNORECASE
    ),
    number_cue_after=re.compile(r"\s+(?:\w+\s)?(?:hotline|helpline)\b", re.IGNORECASE),
    counted=re.compile(
        r"\s*(?:%|(?:more |other |working |business )?(?:people|persons|customers|users|times|days?|hours?|minutes?"
        r"|weeks?|months?|years?|yuan|cases?|items?|counters?|banks?|halls?|offices?|million|thousand)\b)",
        re.IGNORECASE,
    ),
    and_more=re.compile(r"andmore|andothers|amongothers|etc\b"),
)
