"""Precautions: what the policy asks of an announcement's dates, and how strictly. `cautions.py` judges by them.

They are the `precautions:` of a policy. `docs/policy.md` explains each field with an example.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from broadcaster.announcement.model import Frozen
from broadcaster.announcement.rules import Finding
from broadcaster.planning.calendars import NONE, calendar_called
from broadcaster.planning.lead_time import LeadTime, Unit

LAST = "last"
"""The last day of each month."""

_CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Level(StrEnum):
    """What comes of it when a precaution is not taken: nothing, a word to the operator, or a refusal."""

    OFF = "off"
    WARNING = "warning"
    ERROR = "error"


def _code(name: str) -> str:
    if name != NONE and not _CODE.fullmatch(name):
        raise ValueError(f"{name!r} is no calendar; expected an ISO 3166 code such as CN, US-CA, or none")
    return name


def _payment_day(value: object) -> object:
    if value == LAST or isinstance(value, date):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        return date.fromisoformat(value)
    if type(value) is int and value in range(1, 32):  # `true` is an int too
        return value
    raise ValueError(f"{value!r} is no payment day; expected a day of the month, last, or a date such as 2022-03-10")


Code = Annotated[str, AfterValidator(_code)]
PaymentDay = Annotated[int | str | date, BeforeValidator(_payment_day)]


class _Said(Frozen):
    @model_serializer(mode="wrap")
    def _without_what_is_not_said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A field that came later must not change what an older file is stored and hashed as.
        data: dict[str, Any] = dump(self)
        unsaid = type(self)()
        return {name: value for name, value in data.items() if getattr(self, name) != getattr(unsaid, name)}


class MinimumNotice(_Said):
    """How long before the start it must be told of at the latest, by phase."""

    notice: LeadTime = LeadTime(number=3, unit=Unit.DAY)
    """The first word of the outage, whether a notice or a reminder."""
    reminder: LeadTime = LeadTime(number=0, unit=Unit.DAY)
    """The first reminder."""
    changed: LeadTime = LeadTime(number=1, unit=Unit.DAY)
    """A start that is moved: before the new one."""


class Levels(_Said):
    """What comes of it when a precaution is not taken, by rule."""

    minimum_notice: Level = Level.WARNING
    payment_days: Level = Level.WARNING
    first_working_days: Level = Level.WARNING
    holidays: Level = Level.WARNING
    """It starts or returns on a public holiday, or on the last working day before a long one."""
    weekends: Level = Level.OFF
    """It starts or returns on another day that is no working day."""
    holiday_broadcasts: Level = Level.WARNING
    """People are told on a public holiday."""
    quiet_hours: Level = Level.WARNING
    """What the policy wants told at a time is moved, or lost, by quiet hours."""


class Precautions(_Said):
    """What the policy asks of dates: enough notice, no payment days, no public holidays; and how strictly."""

    calendar: Code | None = None
    """Whose public holidays and working days: an ISO 3166 code, or `none`; those of the zone's country when absent."""
    minimum_notice: MinimumNotice = MinimumNotice()
    payment_days: tuple[PaymentDay, ...] = ()
    """Days of the month (`last` too) or dates on which people are paid."""
    first_working_days: Annotated[int, Field(ge=0, le=20)] = 0
    """How many working days at the beginning of each month the outage should leave alone."""
    levels: Levels = Levels()

    def pays_on(self, day: date) -> bool:
        """Whether a day is a payment day. A month that has no such day has no payment day either."""
        is_last = day.day == monthrange(day.year, day.month)[1]
        return day in self.payment_days or day.day in self.payment_days or (is_last and LAST in self.payment_days)


def no_calendar(precautions: Precautions) -> Iterator[Finding]:
    """What is wrong when a calendar is asked for that nobody has."""
    try:
        calendar_called(precautions.calendar or NONE)
    except ValueError as error:
        yield Finding(("policy", "precautions", "calendar"), str(error), "`none` knows no holidays")
