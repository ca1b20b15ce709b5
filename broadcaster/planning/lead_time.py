"""Lead time: how long before the start something must be told, in hours, calendar days or working days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_serializer, model_validator

from broadcaster.announcement.model import Frozen
from broadcaster.announcement.times import at_clock
from broadcaster.planning.calendars import Calendar

MOST = 400
"""Days: as long as an outage may last."""

_WRITTEN = re.compile(r"(?P<number>[0-9]{1,5}) (?P<unit>hour|day|working day)s?")


class Unit(StrEnum):
    """What a lead time is counted in."""

    HOUR = "hour"
    DAY = "day"
    WORKING_DAY = "working day"


class LeadTime(Frozen):
    """So many units before a start; zero asks for nothing."""

    number: Annotated[int, Field(ge=0)]
    unit: Unit

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, dict | cls):
            return value
        match = _WRITTEN.fullmatch(str(value).strip())
        if match is None:
            raise ValueError(f"{value!r} is not a lead time; expected such as 12 hours, 7 days or 5 working days")
        return match.groupdict()

    @model_validator(mode="after")
    def _not_for_ever(self) -> Self:
        if self.number > (MOST * 24 if self.unit is Unit.HOUR else MOST):
            raise ValueError(f"a lead time of more than {MOST} days")
        return self

    @model_serializer
    def _to_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"{self.number} {self.unit}" if self.number == 1 else f"{self.number} {self.unit}s"

    def latest(self, start: datetime, zone: ZoneInfo, calendar: Calendar) -> datetime:
        """The latest instant, in `zone`, that is early enough for a start.

        Days keep the clock time of the start. As many whole working days lie between: a start on a day off counts as
        one at midnight after the last working day.
        """
        local = start.astimezone(zone)
        if self.unit is Unit.HOUR:
            return (start.astimezone(UTC) - timedelta(hours=self.number)).astimezone(zone)
        if self.unit is Unit.DAY:
            return at_clock(local.date() - timedelta(days=self.number), _clock(local), zone)
        day, clock = local.date(), _clock(local)
        if not calendar.is_working_day(day):
            clock = time(0)
        for _ in range(self.number):
            day -= timedelta(days=1)
            while not calendar.is_working_day(day):
                day -= timedelta(days=1)
        return at_clock(day, clock, zone)


def _clock(local: datetime) -> time:
    return local.time().replace(fold=0)
