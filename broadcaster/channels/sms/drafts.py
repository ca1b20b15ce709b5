"""Drafts: the texts to submit to a vendor for review, made from rendered messages.

What a revision may change becomes a variable: every date and time that the text tells, and the reader's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from broadcaster.channels.reviewed import Syntax
from broadcaster.planning.phase import Phase
from broadcaster.rendering.lint.grammars import grammar_of
from broadcaster.rendering.lint.telling import tellings
from broadcaster.rendering.message import ADDRESSEE, Message
from broadcaster.rendering.wording import wording

NAME = "name"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a draft, as it is written there, and what stands for it in the rendered text."""

    written: str
    example: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to submit, without the signature."""

    phase: Phase
    language: str
    text: str
    variables: tuple[Variable, ...]


def draft(message: Message, syntax: Syntax) -> Draft:
    """A message's text with variables."""
    text = unsigned(message.parts["text"])
    pieces: list[str] = []
    variables: list[Variable] = []
    end = times = 0
    for number, (start, stop) in enumerate(_spans(text, message.language), 1):
        value = text[start:stop]
        times += value != ADDRESSEE
        written = syntax.written(number, NAME if value == ADDRESSEE else f"time{times}")
        pieces += [text[end:start], written]
        variables.append(Variable(written, value.replace(ADDRESSEE, wording(message.language).addressee)))
        end = stop
    return Draft(message.phase, message.language, "".join([*pieces, text[end:]]), tuple(variables))


def unsigned(text: str) -> str:
    """A text without the signature that leads it."""
    return text.partition("】")[2] if text.startswith("【") else text


def _spans(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Where variables stand, in order; two without anything between them are one."""
    found = [(row.start, row.end) for row in tellings(text, grammar_of(language))]
    found += [(place, place + 1) for place, sign in enumerate(text) if sign == ADDRESSEE]
    waiting: tuple[int, int] | None = None
    for start, end in sorted(found):
        if waiting and start <= waiting[1]:
            waiting = (waiting[0], max(end, waiting[1]))
            continue
        if waiting:
            yield waiting
        waiting = (start, end)
    if waiting:
        yield waiting
