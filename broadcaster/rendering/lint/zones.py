"""The rule of the zone: whoever reads a clock time can know of which clocks it speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from broadcaster.errors import Place, Problem
from broadcaster.rendering.lint.case import Case, Reading
from broadcaster.rendering.lint.grammars import grammar_of
from broadcaster.rendering.lint.told import squeezed
from broadcaster.rendering.lint.words import plain
from broadcaster.rendering.message import MessageSpec
from broadcaster.rendering.view import zone_name

_OFFSET = re.compile(r"(?:UTC|GMT)\s?(?P<sign>[+\-−–])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?")


def zone_problems(case: Case, spec: MessageSpec, reading: Reading, where: Place) -> Iterator[Problem]:
    """A message that tells a clock time without its zone, or with an offset that is not the zone's then.

    A brief message need not name it in a language whose readers take it for granted.
    """
    told = [telling for telling in reading.times if telling.has_clock]
    if not told:
        return
    name = zone_name(case.announcement, reading.language)
    against = case.field(("zone_name",) if case.announcement.zone_name else ("zone",))
    offsets = {_offset(match) for match in _OFFSET.finditer(plain(reading.text))}
    named = offsets or any(squeezed(known) in squeezed(reading.text) for known in (name, case.announcement.zone))
    taken_for_granted = spec.brief and grammar_of(reading.language).understands_its_zone
    if not named and not taken_for_granted:
        hint = "write {{ zone }} beside them"
        yield Problem(f"tells clock times without their zone, {name}", where, hint, against=against)
    meant = [instant for telling in told for instant in case.truths.meant(telling) if isinstance(instant, datetime)]
    real = {instant.utcoffset() for instant in meant}
    for wrong in sorted(offsets - real if real else ()):
        yield Problem(f"tells times of {case.announcement.zone} as those of {_shown(wrong)}", where, against=against)


def _offset(match: re.Match[str]) -> timedelta:
    size = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    return size if match["sign"] == "+" else -size


def _shown(offset: timedelta) -> str:
    minutes = abs(offset) // timedelta(minutes=1)
    return f"UTC{'-' if offset < timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
