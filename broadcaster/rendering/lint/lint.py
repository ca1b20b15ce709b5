"""The consistency lint: reads every rendered message and every text back, and finds what contradicts the facts.

`docs/consistency.md` says what is read and which rules hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby

from broadcaster.announcement.model import Announcement
from broadcaster.errors import Problem
from broadcaster.rendering.lint.agreement import Version, field_disagreements, message_disagreements, untold
from broadcaster.rendering.lint.case import Case, seen
from broadcaster.rendering.lint.places import Places
from broadcaster.rendering.lint.services import service_problems
from broadcaster.rendering.lint.statements import field_problems, message_problems
from broadcaster.rendering.lint.zones import zone_problems
from broadcaster.rendering.message import Message, MessageSpec
from broadcaster.rendering.view import Occasion


def contradictions(
    announcement: Announcement,
    messages: Iterable[Message],
    specs: Iterable[MessageSpec],
    places: Places,
    occasion: Occasion,
) -> list[Problem]:
    """Every contradiction between the facts, the texts and the messages, each once, with its two places."""
    case = Case.of(announcement, occasion, places, {spec.slug: spec for spec in specs})
    versions = _field_versions(case)
    found = [
        *_fields(case, versions),
        *_messages(case, list(messages), _quoted(case), _excused(case, versions)),
    ]
    return list(dict.fromkeys(found))


def _field_versions(case: Case) -> list[list[Version]]:
    """Each text that tells something, read in every language."""
    return [
        [
            Version(case.read(field.text[language], language), case.field((*field.path, language)))
            for language in case.announcement.languages
        ]
        for field in case.fields
        if field.tells
    ]


def _fields(case: Case, versions: Sequence[Sequence[Version]]) -> Iterator[Problem]:
    for field in versions:
        for version in field:
            yield from field_problems(case, version.reading, version.place)
        yield from field_disagreements(case, field)


def _quoted(case: Case) -> Mapping[str, frozenset[str]]:
    """By language: what is told in texts and names, as it stands there; those are read for themselves."""
    found: dict[str, set[str]] = {language: set() for language in case.announcement.languages}
    for field in case.fields:
        for language, quotes in found.items():
            reading = case.read(field.text[language], language)
            quotes.update(telling.quote for telling in reading.times)
            quotes.update(number.quote for number in reading.numbers)
    return {language: frozenset(quotes) for language, quotes in found.items()}


def _excused(case: Case, versions: Sequence[Sequence[Version]]) -> frozenset[str]:
    """What a text tells in one language only: reported for the text, and not for each message that shows it."""
    return frozenset(
        quote
        for field in versions
        for one in field
        for other in field
        for quote in untold(case, one.reading, other.reading)
    )


def _messages(
    case: Case, messages: Sequence[Message], quoted: Mapping[str, frozenset[str]], excused: frozenset[str]
) -> Iterator[Problem]:
    ordered = sorted(messages, key=lambda message: (message.channel, message.phase))
    for (channel, _), group in groupby(ordered, key=lambda message: (message.channel, message.phase)):
        spec, rows = case.specs[channel], list(group)
        versions = [_version(case, spec, message) for message in rows]
        for version, message in zip(versions, rows, strict=True):
            where = partial(case.places.template, spec, message)
            yield from message_problems(case, version.reading, where, quoted[message.language])
            yield from zone_problems(case, spec, version.reading, version.place)
            yield from service_problems(case, version.reading, version.place)
        yield from message_disagreements(case, versions, rows, excused)


def _version(case: Case, spec: MessageSpec, message: Message) -> Version:
    text = "\n".join(seen(message, spec).values())
    return Version(case.read(text, message.language), case.places.template(spec, message))
