"""Rendering: a proposal's announcement → messages, for a channel, phase and language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

from broadcaster.announcement.model import Announcement
from broadcaster.errors import InputError, Place, Problem
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message, MessageSpec
from broadcaster.rendering.view import Occasion, view

AT_PLAN_TIME = Occasion()


def template_name(spec: MessageSpec, phase: Phase, language: str) -> str:
    """`sms/notice.zh-Hans.txt.j2`: the one naming rule of template files."""
    return f"{spec.slug}/{phase}.{language}.{spec.extension}.j2"


def render(
    templates: Templates,
    spec: MessageSpec,
    announcement: Announcement,
    phase: Phase,
    language: str,
    occasion: Occasion = AT_PLAN_TIME,
) -> Message:
    """One message; raises InputError when the template is wrong. A message over its limit is returned with its size."""
    name = template_name(spec, phase, language)
    values = view(announcement, language, occasion)
    templates.check_names(name, set(values))
    parts = {}
    for part, block in _blocks(templates, spec, name):
        keep_html = part in spec.html_parts
        parts[part] = spec.finish(templates.render(name, block, values, keep_html=keep_html), language)
    return Message(spec.slug, phase, language, parts, spec.measure(parts))


def render_all(
    templates: Templates,
    specs: Iterable[MessageSpec],
    announcement: Announcement,
    phases: Iterable[Phase] = tuple(Phase),
    languages: Iterable[str] | None = None,
) -> tuple[list[Message], list[Problem]]:
    """Every message that could ever go out, and every problem met: broken templates and sizes over a limit."""
    messages: list[Message] = []
    problems: list[Problem] = []
    wanted_languages, wanted_phases = tuple(languages or announcement.languages), tuple(phases)
    for spec in specs:
        for phase in wanted_phases:
            for language in wanted_languages:
                try:
                    message = render(templates, spec, announcement, phase, language)
                except InputError as error:
                    problems.extend(error.problems)
                    continue
                messages.append(message)
                problems.extend(_over_limits(message, template_name(spec, phase, language)))
    return messages, problems


def _blocks(templates: Templates, spec: MessageSpec, name: str) -> Iterator[tuple[str, str | None]]:
    """(part, block) pairs; a template without blocks is the part `text`."""
    if not spec.parts:
        yield "text", None
        return
    present = templates.blocks(name)
    for pattern in spec.parts:
        matching = [block for block in present if fnmatch(block, pattern)]
        if not matching:
            raise InputError.one(f"the block {pattern!r} is missing", place=Place(name))
        for block in sorted(matching, key=_natural):
            yield block, block


def _natural(block: str) -> tuple[str, int]:
    head, _, number = block.rpartition("_")
    return (head, int(number)) if number.isdigit() else (block, 0)


def _over_limits(message: Message, template: str) -> Iterator[Problem]:
    for measure in message.over:
        what = f"{message.channel} {message.phase} {message.language}"
        text = f"{what}: {measure.name} has {measure.size} {measure.unit}, the limit is {measure.limit}"
        yield Problem(text, Place(template), "shorten the template or the texts it uses")
