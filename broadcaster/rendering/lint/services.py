"""The rule of the services: a message that names what stops names all of it, or says that there is more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from broadcaster.announcement.model import ImpactState
from broadcaster.errors import Place, Problem
from broadcaster.rendering.lint.case import Case, Reading
from broadcaster.rendering.lint.grammars import grammar_of
from broadcaster.rendering.lint.told import squeezed


def service_problems(case: Case, reading: Reading, where: Place) -> Iterator[Problem]:
    """Services that stop and are missing from a message that names others."""
    told = case.matters[reading.language].told(reading.text)
    stopped = stopped_services(case)
    missing = [number for number in stopped if ("services", number) not in told.perhaps]
    named = [number for number in stopped if ("services", number) in told.surely]
    if case.rows_changed or not named or not missing or any(_says_more(case, number, reading) for number in named):
        return
    for number in missing:
        service = case.announcement.services[number]
        name = (service.short_name or service.name)[reading.language]
        message = f"names services that stop, but not “{name}”"
        yield Problem(message, where, "list all of `services`", against=case.field(("services", number)))


def _says_more(case: Case, number: int, reading: Reading) -> bool:
    """Whether the name of a service is followed by words that leave the list open."""
    service = case.announcement.services[number]
    names = [name[reading.language] for name in (service.name, service.short_name) if name]
    form = rf"(?:{'|'.join(re.escape(squeezed(name)) for name in names)})(?:\([^)]*\))?"
    more = grammar_of(reading.language).and_more.pattern
    return re.search(rf"{form}[,;]?(?:{more})", squeezed(reading.text)) is not None


def stopped_services(case: Case) -> list[int]:
    """The places in `services` of those that some impact stops, wholly or in part."""
    touched = {
        name
        for impact in case.announcement.impacts
        if impact.state is not ImpactState.UNAFFECTED
        for name in impact.services
    }
    return [number for number, service in enumerate(case.announcement.services) if service.id in touched]
