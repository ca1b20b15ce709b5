"""Approved templates: the keywords that make one of an account's templates say exactly a rendered message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadcaster.channels.followers.keywords import objection
from broadcaster.channels.followers.official.options import SYNTAX, ApprovedTemplate, TemplateOptions
from broadcaster.channels.reviewed import Template
from broadcaster.channels.supplier import Quote
from broadcaster.rendering.message import Message


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with what stands for its keywords."""

    template_id: str
    keywords: Mapping[str, str]


def fill(options: TemplateOptions, message: Message) -> Filled | str:
    """The first of the account's templates that gives a message, with its keywords; or why there is none."""
    wanted = [row for row in options.templates if row.language == message.language and message.phase in row.phases]
    what = f"{message.phase} {message.language}"
    if not wanted:
        return f"the account has no template for {what}"
    found = _filled(wanted, message.parts["text"], options.limits)
    return found if isinstance(found, Filled) else f"{what}: {found}"


def lined(text: str) -> str:
    """A template's content without what differs in form only: blank lines, and spaces around a line."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def shown(row: ApprovedTemplate, keywords: Mapping[str, str]) -> str:
    """What a follower reads; raises KeyError when a keyword is missing."""
    return Template.parse(lined(row.text), SYNTAX).filled(keywords)


def quote(message: Message, options: TemplateOptions) -> Quote:
    """The template that gives a message; template messages cost nothing."""
    found = fill(options, message)
    return Quote("", 1, None, found) if isinstance(found, str) else Quote(found.template_id, 1, None, None)


def _filled(rows: Sequence[ApprovedTemplate], text: str, limits: Mapping[str, int]) -> Filled | str:
    why = ""
    for row in rows:
        keywords = Template.parse(lined(row.text), SYNTAX).parameters(text)
        if keywords is None:
            continue
        objections = [said for name, value in keywords.items() if (said := objection(name, value, limits))]
        if not objections:
            return Filled(row.template_id, keywords)
        why = why or f"of {row.template_id}, {'; '.join(objections)}"
    ids = ", ".join(row.template_id for row in rows)
    return why or f"none of the account's templates ({ids}) gives the text that is to be sent"
