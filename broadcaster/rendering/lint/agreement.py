"""The rules between languages: a message says the same in each, and so does a text of the announcement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from broadcaster.announcement.rules import FieldPath
from broadcaster.announcement.source import dotted
from broadcaster.errors import Place, Problem
from broadcaster.rendering.lint.case import Case, Reading, seen
from broadcaster.rendering.lint.numbers import digit_runs, same
from broadcaster.rendering.lint.telling import Telling
from broadcaster.rendering.message import Message


@dataclass(frozen=True, slots=True)
class Version:
    """A text in one language, and where it comes from."""

    reading: Reading
    place: Place


def field_disagreements(case: Case, versions: Sequence[Version]) -> Iterator[Problem]:
    """Times and numbers that a text of the announcement tells in one language only."""
    for one, other in permutations(versions, 2):
        for quote in untold(case, one.reading, other.reading):
            yield _lacks(one, other, f"“{quote}”")


def message_disagreements(
    case: Case, versions: Sequence[Version], messages: Sequence[Message], excused: frozenset[str]
) -> Iterator[Problem]:
    """What a message tells in one language and not in the other; `excused` are quotations that were reported before."""
    for (one, first), (other, second) in permutations(zip(versions, messages, strict=True), 2):
        found = [
            *(_lacks(one, other, f"the part {part}") for part in _parts_untold(case, first, second)),
            *(
                _lacks(one, other, f"“{quote}”")
                for quote in untold(case, one.reading, other.reading)
                if quote not in excused
            ),
            *(_lacks(one, other, what) for what in _matters_untold(case, one.reading, other.reading)),
        ]
        # Whatever is missing makes a paragraph less as well; its number alone is told when nothing else is known.
        yield from found or _paragraphs(case, one, other, first, second)


def untold(case: Case, one: Reading, other: Reading) -> Iterator[str]:
    """Quotations of the times and the contacts' numbers that `one` tells and `other` does not."""
    told = [_sense(case, telling) for telling in other.times]
    for telling in one.times:
        is_wrong = not case.truths.meant(telling) and not case.truths.elsewhere(telling)  # and told for itself
        if not is_wrong and not any(_sense(case, telling) & sense for sense in told):
            yield telling.quote
    runs = list(digit_runs(other.text))
    known = [digits for _, digits in case.phones()]
    for number in one.numbers:
        is_contact = any(same(number.digits, digits) for digits in known)
        if is_contact and not any(same(number.digits, run) for run in runs):
            yield number.quote


def _sense(case: Case, telling: Telling) -> frozenset[object]:
    """What two tellings of one time have in common, in whatever words."""
    meant = case.truths.meant(telling)
    return frozenset(meant or {(moment.month, moment.day) for moment in telling.moments})


def _parts_untold(case: Case, first: Message, second: Message) -> list[str]:
    spec = case.specs[first.channel]
    return [part for part in seen(first, spec) if part not in seen(second, spec)]


def _matters_untold(case: Case, one: Reading, other: Reading) -> Iterator[str]:
    told = case.matters[one.language].told(one.text)
    heard = case.matters[other.language].told(other.text)
    for path in sorted(told.surely - heard.perhaps, key=str):
        yield f"{dotted(path)} ({_beginning(case, path, one.language)})"


def _beginning(case: Case, path: FieldPath, language: str) -> str:
    text = next(field.text[language] for field in case.fields if field.path[: len(path)] == path)
    return f"“{text[:16]}…”" if len(text) > 17 else f"“{text}”"


def _paragraphs(case: Case, one: Version, other: Version, first: Message, second: Message) -> Iterator[Problem]:
    spec = case.specs[first.channel]
    for part in sorted(spec.html_parts):
        count, less = (seen(message, spec).get(part, "").count("\n") + 1 for message in (first, second))
        if count > less:
            what = f"a paragraph: {part} has {less}, and {count} in {one.reading.language}"
            yield _lacks(one, other, what)


def _lacks(one: Version, other: Version, what: str) -> Problem:
    language = one.reading.language
    message = f"lacks {what}" if what.startswith("a paragraph") else f"lacks {what}, which {language} tells"
    return Problem(message, other.place, "every language tells the same", against=one.place)
