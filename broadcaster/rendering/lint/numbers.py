"""Numbers to call: where a text gives one, and when two writings are the same number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from broadcaster.rendering.lint.grammar import Grammar
from broadcaster.rendering.lint.words import plain, time_words, unread

_SEPARATED = r"[ ()\-‐‑–]{0,2}"
_SURE = (
    rf"\+\d(?:{_SEPARATED}\d){{6,14}}",  # international
    rf"\(?0\d(?:{_SEPARATED}\d){{5,11}}",  # with an area code
    r"[48]00[ -]?\d{3,4}[ -]?\d{3,4}",  # China's free and shared lines
    r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}",  # a mobile phone
)
"""Forms that nothing else has."""
_CUED = (r"\(?\d{3}\)?[ -]\d{3}[ -]\d{4}", r"\d{4}[ -]\d{4}", r"(?![48]00(?!\d))\d{3,15}")
"""Forms that a count or a code can have too: numbers to call when the words around say so."""
_EDGES = r"(?<![A-Za-z0-9+])(?<!\d[.,\-])(?:{})(?![A-Za-z0-9]|[.,:\-]\d)"
_FORM = re.compile(_EDGES.format("|".join([f"(?P<sure>{'|'.join(_SURE)})", *_CUED])))
_CUE_WITHIN = 24
"""Characters before a number in which its cue stands."""
_SENTENCE_END = re.compile(r"[。!?;\n]|\.(?=\s)")
_BLANK = "\ufffc"
_LONG = 7
"""Digits from which a number stands for itself, with or without its area or country."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a text gives, in its own writing."""

    quote: str
    digits: str


def numbers(text: str, grammar: Grammar, names: Iterable[str] = ()) -> list[Number]:
    """The numbers to call in `text`; `names` are what its contacts are called, which is a cue too."""
    seen = _without_times(text, grammar)
    wanted = tuple(plain(name) for name in names)
    found = []
    for match in _FORM.finditer(seen):
        if match["sure"] or _is_cued(seen, match, grammar, wanted):
            found.append(Number(text[match.start() : match.end()].strip(), _digits(match[0])))
    return found


def same(first: str, second: str) -> bool:
    """Whether two runs of digits are one number: one of them may lack the area or the country."""
    short, long = sorted((first.lstrip("0"), second.lstrip("0")), key=len)
    return first == second or (len(short) >= _LONG and long.endswith(short))


def digit_runs(text: str) -> Iterator[str]:
    """Everything in `text` that could be a number to call, whether or not it is one."""
    for match in _FORM.finditer(unread(plain(text))):
        yield _digits(match[0])


def _without_times(text: str, grammar: Grammar) -> str:
    seen = unread(plain(text))
    for word in time_words(seen, grammar):
        seen = f"{seen[: word.start]}{_BLANK * (word.end - word.start)}{seen[word.end :]}"
    return seen


def _is_cued(seen: str, match: re.Match[str], grammar: Grammar, names: tuple[str, ...]) -> bool:
    if grammar.counted.match(seen[match.end() :]):
        return False
    before = _SENTENCE_END.split(seen[max(0, match.start() - _CUE_WITHIN) : match.start()])[-1]
    if grammar.number_cue.search(before) or grammar.number_cue_after.match(seen[match.end() :]):
        return True
    return any(name in seen[max(0, match.start() - len(name) - 3) : match.start()] for name in names)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
