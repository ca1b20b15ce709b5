"""Reviewed templates: texts with variables, as vendors and platforms approve them. Pure functions.

A vendor sends no free text. It is given the code of a template that it has reviewed, and a parameter for each of its
variables; what the citizen reads is the two put together. Here a rendered text is taken apart again: the parameters
that make a template say exactly that text, or the proof that there are none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a vendor writes variables in its templates, and what it asks of them."""

    variable: re.Pattern[str]
    """A variable; its first group is the name."""
    numbered: bool
    """Whether variables are called 1, 2, 3, …"""
    adjacent: bool
    """Whether two of them may stand side by side."""
    signed: bool = True
    """Whether the vendor puts a signature before the text, in 【】."""

    def written(self, number: int, name: str) -> str:
        """A variable as it stands in a template; `number` counts from 1."""
        return f"{{{number}}}" if self.numbered else f"${{{name}}}"


NAMED = Syntax(re.compile(r"\$\{([a-zA-Z][a-zA-Z0-9_]{0,19})\}"), numbered=False, adjacent=True)
"""`${name}`"""
NUMBERED = Syntax(re.compile(r"\{(\d{1,2})\}"), numbered=True, adjacent=False)
"""`{1}`"""


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut at its variables: one literal more than there are names."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, syntax: Syntax) -> Template:
        """Cut a text at its variables."""
        pieces = syntax.variable.split(text)
        return cls(tuple(pieces[::2]), tuple(pieces[1::2]))

    def filled(self, parameters: Mapping[str, str]) -> str:
        """The text that the vendor makes of it."""
        said = [parameters[name] for name in self.names]
        return "".join(piece for pair in zip(self.literals, [*said, ""], strict=True) for piece in pair)

    def parameters(self, text: str, longest: int | None = None) -> dict[str, str] | None:
        """Parameters of at least one and at most `longest` characters that make it say `text`; None: there are none."""
        first, rest = self.literals[0], self.literals[1:]
        if not text.startswith(first):
            return None
        cuts = _cuts(rest, text, len(first), longest or len(text))
        if cuts is None:
            return None
        return {name: text[start:end] for name, (start, end) in zip(self.names, cuts, strict=True)}


def faults(text: str, syntax: Syntax) -> list[str]:
    """What no vendor would approve of in a template's text."""
    template = Template.parse(text, syntax)
    names = template.names
    found = []
    if len(set(names)) < len(names):
        found.append("a variable stands in it twice: give each its own name")
    if syntax.numbered and {int(name) for name in names} != set(range(1, len(names) + 1)):
        found.append("its variables are not numbered 1, 2, 3, …")
    if not syntax.adjacent and any(not literal for literal in template.literals[1:-1]):
        found.append("two of its variables stand side by side")
    if names and not any(template.literals):
        found.append("it consists of variables alone")
    if syntax.signed and ("【" in text or "】" in text):
        found.append("it holds 【 or 】: the signature is not part of it")
    return found


def _cuts(literals: Sequence[str], text: str, start: int, longest: int) -> list[tuple[int, int]] | None:
    """Where each variable begins and ends when the literals follow them; None: the text is not made so.

    Looks at each (variable, place) once, so that a text full of a literal takes no longer than another.
    """
    reached: list[dict[int, int]] = [{start: -1}]
    for number, literal in enumerate(literals):
        is_last = number == len(literals) - 1
        places: dict[int, int] = {}
        for begin in reached[-1]:
            for end in _ends(literal, text, begin, longest, is_last=is_last):
                places.setdefault(end + len(literal), begin)
        reached.append(places)
    if len(text) not in reached[-1]:
        return None
    # Back from the end of the text: every place knows from where it was reached.
    places_back = [len(text)]
    for places in reversed(reached[1:]):
        places_back.append(places[places_back[-1]])
    steps = pairwise(reversed(places_back))
    return [(begin, after - len(literal)) for (begin, after), literal in zip(steps, literals, strict=True)]


def _ends(literal: str, text: str, begin: int, longest: int, *, is_last: bool) -> list[int]:
    """Where a variable that begins here may end: before each next place of the literal, within its length."""
    latest = min(begin + longest, len(text) - len(literal))
    if is_last:
        end = len(text) - len(literal)
        return [end] if begin < end <= latest and text.endswith(literal) else []
    return [end for end in range(begin + 1, latest + 1) if text.startswith(literal, end)]
