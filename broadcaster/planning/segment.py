"""Segments: a small filter over tags and language, such as `tag:retired and not (tag:enterprise or language:en)`.

    segment  = both { "or" both }
    both     = one { "and" one }
    one      = "not" one | "(" segment ")" | "everyone" | "tag:" WORD | "language:" TAG

`and` binds tighter than `or`. Pure: a segment is a value that can be written back as text, with no more brackets than
it needs, and asked about a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from broadcaster.errors import InputError, Place

_TOKEN = re.compile(r"\s*(?:(?P<mark>[()])|(?P<word>[^\s()]+))")
MAX_CHARACTERS = 2000
MAX_DEPTH = 50
"""How many brackets and `not`s may stand around a word."""
_KEYWORDS = frozenset({"and", "or", "not"})
_FIELDS = ("tag", "language")
_EXAMPLE = "such as `tag:retired and not language:en`"


@dataclass(frozen=True, slots=True)
class Everyone:
    """Whoever is in the audience."""

    def __str__(self) -> str:
        return "everyone"


@dataclass(frozen=True, slots=True)
class Tagged:
    """People with a tag."""

    tag: str

    def __str__(self) -> str:
        return f"tag:{self.tag}"


@dataclass(frozen=True, slots=True)
class Speaks:
    """People with a language, by its BCP 47 tag."""

    language: str

    def __str__(self) -> str:
        return f"language:{self.language}"


@dataclass(frozen=True, slots=True)
class Not:
    """People who are not in the inner segment."""

    inner: Segment

    def __str__(self) -> str:
        return f"not {_bracketed(self.inner, Both, Either)}"


@dataclass(frozen=True, slots=True)
class Both:
    """People who are in both segments."""

    left: Segment
    right: Segment

    def __str__(self) -> str:
        return f"{_bracketed(self.left, Either)} and {_bracketed(self.right, Both, Either)}"


@dataclass(frozen=True, slots=True)
class Either:
    """People who are in one segment or the other, or in both."""

    left: Segment
    right: Segment

    def __str__(self) -> str:
        return f"{self.left} or {_bracketed(self.right, Either)}"


Segment = Everyone | Tagged | Speaks | Not | Both | Either


def _bracketed(segment: Segment, *looser: type[Segment]) -> str:
    return f"({segment})" if isinstance(segment, looser) else str(segment)


def parse_segment(text: str) -> Segment:
    """Read a segment; raises InputError that names the column and what was expected there."""
    if len(text) > MAX_CHARACTERS:
        raise InputError.one(f"a segment has at most {MAX_CHARACTERS} characters, this one has {len(text)}")
    return _Parser(text).whole()


def contains(segment: Segment, language: str, tags: Set[str]) -> bool:
    """Whether a person with this language and these tags is in the segment."""
    match segment:
        case Everyone():
            return True
        case Tagged(tag):
            return tag in tags
        case Speaks(wanted):
            return language == wanted
        case Not(inner):
            return not contains(inner, language, tags)
        case Both(left, right):
            return contains(left, language, tags) and contains(right, language, tags)
        case Either(left, right):
            return contains(left, language, tags) or contains(right, language, tags)


def named_tags(segment: Segment) -> Iterator[str]:
    """Every tag that the segment names."""
    match segment:
        case Tagged(tag):
            yield tag
        case Not(inner):
            yield from named_tags(inner)
        case Both(left, right) | Either(left, right):
            yield from named_tags(left)
            yield from named_tags(right)
        case Everyone() | Speaks():
            return


class _Parser:
    """Recursive descent over the words of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [
            (match.start(match.lastgroup or 0), match[match.lastgroup or 0]) for match in _TOKEN.finditer(text)
        ]
        self._at = 0
        self._depth = 0

    def whole(self) -> Segment:
        found = self._either()
        if self._at < len(self._tokens):
            raise self._error("expected `and`, `or` or the end")
        return found

    def _either(self) -> Segment:
        left = self._both()
        while self._take("or"):
            left = Either(left, self._both())
        return left

    def _both(self) -> Segment:
        left = self._one()
        while self._take("and"):
            left = Both(left, self._one())
        return left

    def _one(self) -> Segment:
        if self._depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} brackets and `not`s around a word")
        self._depth += 1
        found = self._nested()
        self._depth -= 1
        return found

    def _nested(self) -> Segment:
        if self._take("not"):
            return Not(self._one())
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise self._error("expected `)`")
            return inner
        return self._term()

    def _term(self) -> Segment:
        word = self._peek()
        if word == "everyone":
            self._at += 1
            return Everyone()
        field, colon, value = (word or "").partition(":")
        if word in _KEYWORDS or word == ")" or field not in _FIELDS or not colon or not value:
            raise self._error("expected tag:NAME, language:TAG, everyone, not or (")
        self._at += 1
        return Tagged(value) if field == "tag" else Speaks(value)

    def _peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def _take(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _error(self, message: str) -> InputError:
        column = self._tokens[self._at][0] + 1 if self._at < len(self._tokens) else len(self._text) + 1
        found = f"found {self._peek()!r}" if self._peek() else "found the end"
        return InputError.one(
            f"column {column}: {message}, {found}", place=Place(f"segment `{self._text}`"), hint=_EXAMPLE
        )
