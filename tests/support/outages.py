"""Outages of every kind, for property tests: their windows, zones, deadlines, contacts and texts vary."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")
PHONES = ("12333", "96120", "400-812-3456", "0532-85912333", "+49 30 1234567", "(010) 6526 1166", "13800138000")
ZONE_NAMES = {"zh-Hans": "当地时间", "en": "local time"}
_WORDS = (
    {"zh-Hans": "户口登记", "en": "household registration"},
    {"zh-Hans": "燃气缴费", "en": "gas bills"},
    {"zh-Hans": "水表报装", "en": "new water meters"},
    {"zh-Hans": "图书借阅", "en": "library loans"},
    {"zh-Hans": "公积金提取", "en": "housing fund withdrawals"},
    {"zh-Hans": "不动产查询", "en": "land register look-ups"},
    {"zh-Hans": "车辆年检预约", "en": "vehicle inspection bookings"},
)
_KINDS = ("do_before", "alternative", "catch_up", "payment_moved", "entitlement_kept")
_ADVICE = {
    kind: {"zh-Hans": f"{zh}。", "en": f"{en}."}
    for kind, zh, en in zip(
        _KINDS,
        (
            "急事请早办，15日内办结",
            "可到12个网点办理",
            "之后可补办，无需3次申请",
            "款项照发，共10000元",
            "资格不受影响",
        ),
        (
            "Please come early, it takes 15 days",
            "There are 12 other counters",
            "It can be done later, within 24 hours",
            "Payment comes all the same, to 10000 people",
            "Rights are kept in 2 of 3 cases",
        ),
        strict=True,
    )
}


def _written(local: datetime) -> str:
    return f"{local:%Y-%m-%d %H:%M}"


@st.composite
def times(draw: st.DrawFn) -> datetime:
    """A local time; midnights are as frequent as all others together."""
    day = draw(st.datetimes(datetime(2024, 1, 1), datetime(2034, 12, 31))).replace(second=0, microsecond=0)  # noqa: DTZ001 - local times of any zone
    return day.replace(hour=0, minute=0) if draw(st.booleans()) else day


def _later(most: timedelta) -> st.SearchStrategy[timedelta]:
    days = st.integers(1, max(1, most.days)).map(lambda count: timedelta(days=count))
    minutes = st.integers(1, int(most.total_seconds() // 60)).map(lambda count: timedelta(minutes=count))
    return st.one_of(days, minutes)


@st.composite
def windows(draw: st.DrawFn) -> dict[str, str]:
    """A window's data; its end may be unknown."""
    start = draw(times())
    end = start + draw(_later(timedelta(days=300)))
    return {"start": _written(start), **({"end": _written(end)} if draw(st.integers(0, 4)) else {})}


@st.composite
def outages(draw: st.DrawFn) -> dict[str, Any]:
    """The data of an announcement in two languages that any template can tell."""
    window = draw(windows())
    start = datetime.fromisoformat(window["start"])
    end = datetime.fromisoformat(window.get("end", window["start"]))
    count = draw(st.integers(1, 7))
    services = [{"id": f"s{number}", "name": words} for number, words in enumerate(_WORDS[:count])]
    data: dict[str, Any] = {
        "slug": "outage",
        "zone": draw(st.sampled_from(ZONES)),
        "languages": ["zh-Hans", "en"],
        "owner": {
            "name": {"zh-Hans": "市民中心", "en": "Civic centre"},
            "signature": {"zh-Hans": "市民", "en": "Civic"},
        },
        "title": {"zh-Hans": "线上业务暂停", "en": "Online pause"},
        "subject": {"zh-Hans": "线上业务", "en": "online business"},
        "reason": {"zh-Hans": "2.0版系统升级", "en": "the move to system 2.0"},
        "window": window,
        "services": services,
        "access_points": [
            {"id": "hall", "kind": "hall", "name": {"zh-Hans": "大厅", "en": "the hall"}},
            {"id": "line", "kind": "phone_line", "name": {"zh-Hans": "12388专线", "en": "12388 line"}},
        ],
        "impacts": [
            {"id": "all", "services": [row["id"] for row in services], "access_points": ["hall"], "state": "suspended"},
            *draw(_exceptions(start, end)),
        ],
        "advice": draw(_advice(start)),
        "contacts": [
            {"kind": "phone", "value": value, "name": {"zh-Hans": f"窗口{number}", "en": f"Desk {number}"}}
            for number, value in enumerate(draw(st.lists(st.sampled_from(PHONES), unique=True, max_size=3)))
        ],
    }
    if draw(st.booleans()):
        data["zone_name"] = ZONE_NAMES
    if draw(st.booleans()):
        data["resume"] = _written(end + draw(_later(timedelta(days=20))))
    return data


@st.composite
def _exceptions(draw: st.DrawFn, start: datetime, end: datetime) -> list[dict[str, Any]]:
    if not draw(st.booleans()):
        return []
    state = draw(st.sampled_from(["suspended", "partial", "read_only", "unaffected"]))
    row: dict[str, Any] = {"id": "line", "services": ["s0"], "access_points": ["line"], "state": state}
    if draw(st.booleans()):
        row["last_acceptance"] = _written(start - draw(_later(timedelta(days=9))))
    if draw(st.booleans()):
        row["resume"] = _written(end + draw(_later(timedelta(days=40))))
    return [row]


@st.composite
def _advice(draw: st.DrawFn, start: datetime) -> list[dict[str, Any]]:
    rows = []
    for kind in draw(st.lists(st.sampled_from(_KINDS), unique=True)):
        row: dict[str, Any] = {"kind": kind, "text": _ADVICE[kind]}
        if draw(st.booleans()):
            row["deadline"] = _written(start - draw(_later(timedelta(days=20))))
        rows.append(row)
    return rows
