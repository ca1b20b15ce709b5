"""Keywords: what may stand for each in a template message. Pure data and functions.

The name of a keyword begins with its kind: `thing1`, `time2`. Source: developers.weixin.qq.com, 模板消息 and 订阅消息
(参数值内容限制说明), which share these kinds. A limit of the platform may differ from account to account, and
change: a site can say another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Kind(NamedTuple):
    """The most characters of a kind of keyword (None: its form is limit enough), and the form that it has."""

    longest: int | None
    form: re.Pattern[str]
    words: str
    """What the form is, for people."""


_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_DAY = r"(?:(?:\d{4}年)?\d{1,2}月\d{1,2}日|\d{4}年\d{1,2}月|(?:\d{4}[-/.])?\d{1,2}[-/.]\d{1,2}|\d{4}[-/.]\d{1,2})"


def _span(one: str) -> re.Pattern[str]:
    """One, or two of them with `~` between."""
    return re.compile(f"{one}(?:~{one})?")


_ANYTHING = re.compile(r"[^\x00-\x1f\x7f]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]+")

KINDS: Mapping[str, Kind] = {
    "thing": Kind(20, _ANYTHING, "text of one line"),
    "const": Kind(20, _ANYTHING, "one of the words that the template lists"),
    "number": Kind(32, re.compile(r"-?\d+(?:\.\d+)?"), "a number"),
    "letter": Kind(32, re.compile(r"[A-Za-z]+"), "letters"),
    "symbol": Kind(5, re.compile(r"[^\w\s]+"), "symbols"),
    "character_string": Kind(32, re.compile(r"[\x21-\x7e]+"), "digits, letters and symbols"),
    "time": Kind(None, _span(rf"(?:{_DAY} ?)?{_CLOCK}"), "a time such as 2019年10月1日 15:01"),
    "date": Kind(None, _span(rf"{_DAY}(?: ?{_CLOCK})?"), "a date such as 2019年10月1日 or 2019年10月1日 15:01"),
    "amount": Kind(None, re.compile(r"[^\w\s]?\d{1,10}(?:\.\d+)?元?"), "a sum of money"),
    "phone_number": Kind(17, re.compile(r"[\d+*#() -]+"), "a telephone number"),
    "car_number": Kind(8, re.compile(r"\w[A-Za-z0-9]*\w"), "the number of a car"),
    "name": Kind(20, re.compile(r"[\u3400-\u9fffA-Za-z·]{1,10}|[A-Za-z .'-]{1,20}"), "10 characters, or 20 letters"),
    "phrase": Kind(5, _CHINESE, "Chinese characters"),
    "enum": Kind(None, _ANYTHING, "one of the words that the template lists"),
}


def kind_of(keyword: str) -> str:
    """The kind that a keyword's name says."""
    return keyword.rstrip("0123456789")


def objection(keyword: str, value: str, limits: Mapping[str, int]) -> str | None:
    """Why a value cannot stand for a keyword; None when it can. `limits`: kind → the most characters, where it is not
    ours; of a kind that is not known, the only thing that is."""
    name = kind_of(keyword)
    kind = KINDS.get(name)
    if kind is None and name not in limits:
        return f"{keyword} is of no kind that is known: say how long it may be in `limits`"
    longest = limits.get(name, kind.longest if kind else None)
    if longest is not None and len(value) > longest:
        return f"{keyword} would have {len(value)} characters, the limit is {longest}"
    if kind is not None and not kind.form.fullmatch(value):
        return f"{keyword} must be {kind.words}"
    return None
