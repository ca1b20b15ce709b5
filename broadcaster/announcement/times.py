"""Local times: reading them, and turning them into aware instants of one zone.

A date and a clock time without an offset are local time in the announcement's zone. `24:00` is the next day's 00:00.
A local time that a clock change leaves out becomes the next instant that exists; one that occurs twice is the first.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo

YEARS = range(1970, 3000)
"""A year outside is a slip of the pen, and near the ends of the calendar arithmetic has no room."""
EXPECTED = "a date and time such as 2022-02-26 00:00 or 2022-03-20 24:00"
_PATTERN = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[ T](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"\s?(?P<offset>Z|[+-]\d{2}:\d{2})?"
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone `name`; raises ValueError when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}; expected an IANA name such as Asia/Shanghai") from error


def localize(naive: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the clocks of `zone` show `naive`."""
    local = naive.replace(tzinfo=zone, fold=0)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive:
        return local
    return _first_after_gap(naive, zone)


def at_clock(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant of `clock` on the calendar day `day` in `zone`."""
    return localize(datetime.combine(day, clock), zone)


def parse_instant(value: object, zone: ZoneInfo | None) -> datetime:
    """Read a local or offset time into an aware datetime in `zone`; raises ValueError that says what was expected."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(zone) if zone else value
    match = _PATTERN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a time; expected {EXPECTED}")
    naive = _naive(match)
    if match["offset"]:
        aware = datetime.fromisoformat(f"{naive.isoformat()}{match['offset']}")
        return aware.astimezone(zone) if zone else aware
    if zone is None:
        raise ValueError(f"{value!r} has no zone; give the announcement a `zone`, or the time an offset such as +08:00")
    return localize(naive, zone)


def _naive(match: re.Match[str]) -> datetime:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    day = datetime.fromisoformat(match["date"])
    if day.year not in YEARS:
        raise ValueError(f"the year {day.year} is not between {YEARS[0]} and {YEARS[-1]}")
    if hour == 24 and (minute, second) == (0, 0):
        return day + timedelta(days=1)
    return day.replace(hour=hour, minute=minute, second=second)


def _first_after_gap(naive: datetime, zone: ZoneInfo) -> datetime:
    # Read with the offset of after the gap the time lies before it, read with the one of before it lies after:
    # the change itself is between the two.
    low = int(naive.replace(tzinfo=zone, fold=1).timestamp())
    high = int(naive.replace(tzinfo=zone, fold=0).timestamp())
    before = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, zone)


def parse_day(value: object) -> date:
    """Read a calendar day such as `2022-02-24`; raises ValueError that says what was expected."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value.strip()):
        raise ValueError(f"{value!r} is not a day; expected one such as 2022-02-24")
    return date.fromisoformat(value.strip())


def _validate(value: Any, info: ValidationInfo) -> datetime:
    zone = (info.context or {}).get("zone")
    return parse_instant(value, zone)


Instant = Annotated[
    datetime,
    BeforeValidator(_validate),
    PlainSerializer(lambda value: value.isoformat(), return_type=str, when_used="json"),
]
"""An aware datetime. Validation takes the zone of local times from the context key `zone`."""

Day = Annotated[date, BeforeValidator(parse_day)]
"""A calendar day, in whatever zone."""
