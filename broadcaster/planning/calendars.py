"""Calendars: which days are public holidays and which are working days, in a country or a part of one.

China's working days follow a decree of each year, which also makes some weekends working days (调休): `chinesecalendar`
has them. `holidays` has other countries. Both are imported when they are first asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from holidays import HolidayBase

NONE = "none"
"""The calendar without any public holiday; working days are Monday to Friday."""
CHINA = "CN"
LONG_HOLIDAY = 3
"""Days off in a row, a public holiday among them, from which on a holiday counts as long."""

_MONDAY_TO_FRIDAY = range(5)
_OR_NONE = "`calendar: none` considers none, and does not warn"
_LONGEST_HOLIDAY = 31


class Calendar(Protocol):
    """The days of a country; of a year that it does not know, weekdays are all that it can say."""

    @property
    def name(self) -> str:
        """What it is called in a policy."""
        ...

    @property
    def remedy(self) -> str:
        """What an operator can do about a year that it does not know."""
        ...

    def knows(self, year: int) -> bool:
        """Whether it has the public holidays of a year."""
        ...

    def is_working_day(self, day: date) -> bool:
        """Whether people are at work."""
        ...

    def holiday(self, day: date) -> str | None:
        """What the public holiday on a day is called; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class LongHoliday:
    """Days off in a row, both ends included, and what they are called."""

    first: date
    last: date
    name: str

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1


def long_holiday_after(day: date, calendar: Calendar) -> LongHoliday | None:
    """The long holiday that begins on the next day; None when none does."""
    first = last = day + timedelta(days=1)
    names: list[str] = []
    while not calendar.is_working_day(last) and (last - first).days < _LONGEST_HOLIDAY:
        names += [name for name in [calendar.holiday(last)] if name]
        last += timedelta(days=1)
    found = LongHoliday(first, last - timedelta(days=1), names[0] if names else "")
    return found if names and found.days >= LONG_HOLIDAY else None


def calendar_called(name: str) -> Calendar:
    """The calendar of an ISO 3166 code, such as `CN`, `US-CA`, or `none`; raises ValueError when there is none."""
    if name == NONE:
        return _Weekdays()
    return _China() if name == CHINA else _country(name)


def calendar_of(zone: str) -> Calendar:
    """The calendar of the country that a time zone is in, as far as one is known; else that without any holiday."""
    try:
        return calendar_called(_countries().get(zone, NONE))
    except ValueError:  # zones and calendars come from two sources, of which one may be newer
        return _Weekdays()


@dataclass(frozen=True, slots=True)
class _Weekdays:
    name: str = NONE
    remedy: str = ""

    def knows(self, _year: int) -> bool:
        return True

    def is_working_day(self, day: date) -> bool:
        return day.weekday() in _MONDAY_TO_FRIDAY

    def holiday(self, _day: date) -> str | None:
        return None


class _China:
    """The decrees of the State Council; that of a year comes out in the autumn before."""

    name = CHINA
    remedy = (
        "look at the State Council's decree, which comes out in the autumn before; once `chinesecalendar` has it,"
        f" upgrade that; {_OR_NONE}"
    )

    def knows(self, year: int) -> bool:
        return year in self._years

    def is_working_day(self, day: date) -> bool:
        if day in self._shifted:
            return True
        return day.weekday() in _MONDAY_TO_FRIDAY and day not in self._holidays

    def holiday(self, day: date) -> str | None:
        return self._holidays.get(day)

    @cached_property
    def _years(self) -> frozenset[int]:
        return frozenset(day.year for day in self._holidays)

    @cached_property
    def _holidays(self) -> Mapping[date, str]:
        from chinese_calendar import constants  # noqa: PLC0415 - see the module's docstring

        found: Mapping[date, str] = constants.holidays
        return found

    @cached_property
    def _shifted(self) -> Mapping[date, str]:
        from chinese_calendar import constants  # noqa: PLC0415 - see the module's docstring

        found: Mapping[date, str] = constants.workdays
        return found


@dataclass(frozen=True, slots=True)
class _Country:
    name: str
    known: HolidayBase
    remedy: str = f"look at the dates yourself; a newer release of `holidays` may know it; {_OR_NONE}"

    def knows(self, year: int) -> bool:
        return self.known.start_year <= year <= self.known.end_year

    def is_working_day(self, day: date) -> bool:
        return bool(self.known.is_working_day(day))

    def holiday(self, day: date) -> str | None:
        found: str | None = self.known.get(day)
        return found


@lru_cache(maxsize=20)
def _country(name: str) -> Calendar:
    from holidays import country_holidays  # noqa: PLC0415 - it takes a tenth of a second, which `--help` has not

    country, _, subdivision = name.partition("-")
    chosen: dict[str, Any] = {"subdiv": subdivision} if subdivision else {}
    try:
        known = country_holidays(country, **chosen)
        languages = sorted(language for language in known.supported_languages if language.startswith("en"))
        if languages and not str(known.default_language).startswith("en"):
            known = country_holidays(country, language=languages[0], **chosen)
    except NotImplementedError as error:
        raise ValueError(f"no calendar is known for {name!r}") from error
    return _Country(name, known)


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    """Time zone → ISO 3166-1 code, from the table that comes with the zones."""
    text = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {zone: country for country, _, zone, *_ in rows}
