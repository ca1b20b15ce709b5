"""Cautions of days: an outage over days on which people need the service, or that begins or ends when nobody works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from broadcaster.announcement.model import AdviceKind
from broadcaster.announcement.rules import Finding
from broadcaster.planning.calendars import Calendar, long_holiday_after
from broadcaster.planning.cautions.concern import Concern, listed, weekday
from broadcaster.planning.lead_time import Unit
from broadcaster.planning.moments import HORIZON
from broadcaster.planning.precautions import Level

_LEVELS = ("policy", "precautions", "levels")
_OFF = "choose another day, or set it to off when somebody is there to answer"


def payment_days(concern: Concern) -> Iterator[Finding]:
    """It covers days on which people are paid."""
    found = [day for day in _covered(concern) if concern.precautions.pays_on(day)]
    if found:
        told = any(row.kind is AdviceKind.PAYMENT_MOVED for row in concern.announcement.advice)
        hint = "people are told by its advice `payment_moved`: set levels.payment_days to off when that is enough"
        untold = "move the outage, or move the payment and tell it with an advice `payment_moved`"
        message = f"the outage covers {_counted(found, 'payment day')}: {listed(found)}"
        yield Finding(("policy", "precautions", "payment_days"), message, hint if told else untold)


def first_working_days(concern: Concern) -> Iterator[Finding]:
    """It covers some of the first working days of a month."""
    most = concern.precautions.first_working_days
    found = [day for day in _covered(concern) if day in _first_of_month(day, most, concern.calendar)]
    if found:
        first = "first working day" if most == 1 else f"first {most} working days"
        message = f"the outage covers {_counted(found, 'day')} of the {first} of a month: {listed(found)}"
        yield Finding(("policy", "precautions", "first_working_days"), message, "move the outage")


def holidays(concern: Concern) -> Iterator[Finding]:
    """It starts, or service returns, on a public holiday or on the last working day before a long one."""
    for what, instant in _edges(concern):
        day = concern.day(instant)
        name, after = concern.calendar.holiday(day), long_holiday_after(day, concern.calendar)
        if name:
            message = f"{what} {concern.minute(instant)}, a public holiday ({name})"
            yield Finding((*_LEVELS, "holidays"), message, _OFF)
        elif after and concern.calendar.is_working_day(day):
            span = f"{after.name}, {weekday(after.first)} to {weekday(after.last)}"
            message = f"{what} {concern.minute(instant)}, the last working day before {after.days} days off ({span})"
            yield Finding((*_LEVELS, "holidays"), message, _OFF)


def weekends(concern: Concern) -> Iterator[Finding]:
    """It starts, or service returns, on a day that is no working day, though no public holiday."""
    for what, instant in _edges(concern):
        day = concern.day(instant)
        if not concern.calendar.is_working_day(day) and not concern.calendar.holiday(day):
            yield Finding((*_LEVELS, "weekends"), f"{what} {concern.minute(instant)}, no working day", _OFF)


def unknown_years(concern: Concern) -> Iterator[Finding]:
    """Years of the outage whose calendar is not known though a rule asks for it."""
    if not _needs_calendar(concern):
        return
    start, returns = concern.announcement.window.start, concern.announcement.resumes_at
    first, last = concern.day(start).year, concern.day(returns or start).year
    for year in range(first, last + 1):
        if not concern.calendar.knows(year) and not concern.is_past(returns or start):
            message = (
                f"the public holidays of {year} are not known for {concern.calendar.name}, nor the weekends that are"
                " worked for them: its days count as plain weekdays and weekends"
            )
            yield Finding(("policy", "precautions", "calendar"), message, concern.calendar.remedy)


def _needs_calendar(concern: Concern) -> bool:
    precautions = concern.precautions
    levels, notice = precautions.levels, precautions.minimum_notice
    on = [levels.holidays, levels.weekends, levels.holiday_broadcasts]
    on += [levels.first_working_days] if precautions.first_working_days else []
    spans = (notice.notice, notice.reminder, notice.changed)
    on += [levels.minimum_notice for span in spans if span.unit is Unit.WORKING_DAY]
    return any(level is not Level.OFF for level in on)


def _covered(concern: Concern) -> list[date]:
    """The days still to come on which something stops, if only for a part of them."""
    found: set[date] = set()
    for impact in concern.affected:
        window = concern.announcement.window_of(impact)
        start = max(window.start, concern.frame.now, key=datetime.timestamp)
        # While nobody knows the end, a month is looked at, as it is planned.
        end = window.end or start + HORIZON
        day, last = concern.day(start), concern.day(end - timedelta(microseconds=1))
        found |= {day + timedelta(days=number) for number in range((last - day).days + 1)}
    return sorted(found)


def _first_of_month(day: date, most: int, calendar: Calendar) -> list[date]:
    month = [day.replace(day=number) for number in range(1, day.day + 1)]
    return [row for row in month if calendar.is_working_day(row)][:most]


def _edges(concern: Concern) -> Iterator[tuple[str, datetime]]:
    """When something stops and when it is back, each instant once, with words; without what is past."""
    announcement, seen = concern.announcement, set[tuple[str, float]]()
    found: list[tuple[str, str, datetime | None]] = [
        ("start", "the outage starts", announcement.window.start),
        ("return", "service returns", announcement.resumes_at),
    ]
    for impact in concern.affected:
        found += [
            ("start", f"impact {impact.id!r} starts", announcement.window_of(impact).start),
            ("return", f"service of impact {impact.id!r} returns", announcement.resume_of(impact)),
        ]
    for kind, what, instant in found:
        if instant and not concern.is_past(instant) and (kind, instant.timestamp()) not in seen:
            seen.add((kind, instant.timestamp()))
            yield what, instant


def _counted(days: list[date], what: str) -> str:
    return f"a {what}" if len(days) == 1 else f"{len(days)} {what}s"
