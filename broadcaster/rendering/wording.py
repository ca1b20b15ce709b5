"""How times are written in a language: Chinese official style and a clear English one. Data and pure functions.

An end at midnight is written as 24:00 of the day before, as the notices of public bodies do.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905 - reads as a calendar
)


class Wording(Protocol):
    """The sentences of one language that code has to make. Every time given is local."""

    addressee: str
    """What somebody is called whose name is not known."""

    def instant(self, local: datetime, *, year: bool) -> str:
        """A point in time: `2022年3月21日0时`."""

    def end(self, local: datetime, *, year: bool) -> str:
        """An exclusive end: `3月20日24时`."""

    def window(self, start: datetime, end: datetime | None, *, year: bool) -> str:
        """From a start to an end that may be unknown."""

    def clock(self, local: datetime) -> str:
        """A point in time for a field that takes nothing else, with a 24-hour clock: `2022年3月21日 00:00`."""


class Chinese:
    """`2022年2月26日0时至3月20日24时`: hours without a leading zero, minutes only when there are any."""

    addressee = "用户"

    def instant(self, local: datetime, *, year: bool) -> str:
        """A point in time."""
        return self._day(local, year) + self._clock(local.hour, local.minute)

    def end(self, local: datetime, *, year: bool) -> str:
        """An exclusive end."""
        if not _is_midnight(local):
            return self.instant(local, year=year)
        return self._day(local - timedelta(days=1), year) + "24时"

    def window(self, start: datetime, end: datetime | None, *, year: bool) -> str:
        """From a start to an end that may be unknown."""
        if end is None:
            return f"{self.instant(start, year=year)}起"
        last_day = _last_day(end)
        if last_day.date() == start.date():
            return f"{self.instant(start, year=year)}至{self.end(end, year=False).split('日')[1]}"
        return f"{self.instant(start, year=year)}至{self.end(end, year=year and last_day.year != start.year)}"

    def clock(self, local: datetime) -> str:
        """A point in time for a field that takes nothing else."""
        return f"{self._day(local, year=True)} {local:%H:%M}"

    @staticmethod
    def _day(local: datetime, year: bool) -> str:
        return (f"{local.year}年" if year else "") + f"{local.month}月{local.day}日"

    @staticmethod
    def _clock(hour: int, minute: int) -> str:
        return f"{hour}时" + (f"{minute:02d}分" if minute else "")


class English:
    """`00:00 on 26 February to 24:00 on 20 March 2022`: 24-hour clock, day before month, month as a word.

    A window reads on after the word "from", whether its end is known or not.
    """

    addressee = "customer"

    def instant(self, local: datetime, *, year: bool) -> str:
        """A point in time."""
        return f"{local:%H:%M} on {self._day(local, year)}"

    def end(self, local: datetime, *, year: bool) -> str:
        """An exclusive end."""
        if not _is_midnight(local):
            return self.instant(local, year=year)
        return f"24:00 on {self._day(local - timedelta(days=1), year)}"

    def window(self, start: datetime, end: datetime | None, *, year: bool) -> str:
        """From a start to an end that may be unknown."""
        if end is None:
            return f"{self.instant(start, year=year)} until further notice"
        if _last_day(end).date() == start.date():
            clock = self.end(end, year=False).split(" on ")[0]
            return f"{start:%H:%M} to {clock} on {self._day(start, year)}"
        show_both = year and _last_day(end).year != start.year
        return f"{self.instant(start, year=show_both)} to {self.end(end, year=year)}"

    def clock(self, local: datetime) -> str:
        """A point in time for a field that takes nothing else."""
        return f"{local:%Y-%m-%d %H:%M}"

    @staticmethod
    def _day(local: datetime, year: bool) -> str:
        return f"{local.day} {_MONTHS[local.month - 1]}" + (f" {local.year}" if year else "")


WORDINGS: dict[str, Wording] = {"zh": Chinese(), "en": English()}


def wording(language: str) -> Wording:
    """The wording of a BCP 47 tag by its primary language; English for one that has none of its own."""
    return WORDINGS.get(language.partition("-")[0], WORDINGS["en"])


def _is_midnight(local: datetime) -> bool:
    return (local.hour, local.minute, local.second) == (0, 0, 0)


def _last_day(end: datetime) -> datetime:
    return end - timedelta(days=1) if _is_midnight(end) else end
