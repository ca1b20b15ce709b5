"""The rules for one text: its times, weekdays and numbers are those of the announcement."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from broadcaster.errors import Place, Problem
from broadcaster.rendering.lint.case import Case, Reading
from broadcaster.rendering.lint.numbers import same
from broadcaster.rendering.lint.telling import Telling

Where = Callable[[str], Place]
"""The place of a quotation."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TEMPLATE_HINT = "a template takes its times from the announcement: write its name, such as {{ window }}"
_FIELD_HINT = "mend one of the two; a day that the text tells on purpose goes into `also_true`"


def field_problems(case: Case, reading: Reading, place: Place) -> Iterator[Problem]:
    """What contradicts the facts in a text of the announcement. It may tell dates of other times than the outage's."""

    def where(_quote: str) -> Place:
        return place

    for telling in reading.times:
        if case.truths.meant(telling) or case.truths.elsewhere(telling):
            yield from _weekday(case, telling, where)
        else:
            yield _no_such_time(case, telling, where, _FIELD_HINT)
    yield from _numbers(case, reading, where)


def message_problems(case: Case, reading: Reading, where: Where, quoted: frozenset[str]) -> Iterator[Problem]:
    """What contradicts the facts in a message, but for what it quotes from texts of the announcement."""
    for telling in reading.times:
        if telling.quote in quoted:
            continue
        if case.truths.meant(telling):
            yield from _weekday(case, telling, where)
        else:
            yield _no_such_time(case, telling, where, _TEMPLATE_HINT)
    yield from _numbers(case, reading, where, quoted)


def _no_such_time(case: Case, telling: Telling, where: Where, hint: str) -> Problem:
    nearest = case.truths.nearest(telling)
    message = f"“{telling.quote}” is no time of the announcement; the nearest is {nearest.shown()}"
    return Problem(message, where(telling.quote), hint, against=case.field(nearest.path))


def _weekday(case: Case, telling: Telling, where: Where) -> Iterator[Problem]:
    if telling.weekday is None or case.truths.fits_weekday(telling):
        return
    nearest = case.truths.nearest(telling)
    real = " or ".join(sorted({_WEEKDAYS[day.weekday()] for day in case.truths.days(telling)}))
    message = f"“{telling.quote}”: that day is a {real}, not a {_WEEKDAYS[telling.weekday]}"
    against = case.field(nearest.path) if case.truths.meant(telling) else None
    yield Problem(message, where(telling.quote), against=against)


def _numbers(case: Case, reading: Reading, where: Where, quoted: frozenset[str] = frozenset()) -> Iterator[Problem]:
    known = case.known_numbers
    for number in reading.numbers:
        if number.quote not in quoted and not any(same(number.digits, other) for other in known):
            message = f"“{number.quote}” is no number of the contacts"
            path = next((path for path, _ in case.phones()), ("contacts",))
            hint = "mend it, or add it to `contacts`"
            yield Problem(message, where(number.quote), hint, against=case.field(path))
