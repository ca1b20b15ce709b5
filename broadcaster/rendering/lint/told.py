"""What a message tells of an announcement's texts: which advice, reason and services stand in it, word for word."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadcaster.announcement.rules import FieldPath
from broadcaster.rendering.lint.fields import TextField
from broadcaster.rendering.lint.words import plain

_ROWS = frozenset({"advice", "services"})
_REASON: FieldPath = ("reason",)
_WORDINGS = frozenset({"text", "short_text", "name", "short_name"})


@dataclass(frozen=True, slots=True)
class Told:
    """The matters that a message tells: `surely` by words of their own, `perhaps` by words that stand in it."""

    surely: frozenset[FieldPath]
    perhaps: frozenset[FieldPath]


@dataclass(frozen=True, slots=True)
class Matters:
    """The texts of one language, squeezed: text → the matters that it stands for, the longest text first."""

    meanings: Mapping[str, frozenset[FieldPath]]

    @classmethod
    def of(cls, fields: Sequence[TextField], language: str) -> Matters:
        """Gather the texts of `language`."""
        found: dict[str, set[FieldPath]] = {}
        for field in fields:
            if language in field.text:
                found.setdefault(squeezed(field.text[language]), set()).add(_matter(field.path))
        ordered = sorted(found.items(), key=lambda row: -len(row[0]))
        return cls({text: frozenset(paths) for text, paths in ordered})

    def told(self, text: str) -> Told:
        """Which matters `text` tells. A text within a longer one that stands there is not told by it surely."""
        whole = rest = squeezed(text)
        surely: set[FieldPath] = set()
        perhaps: set[FieldPath] = set()
        for words, paths in self.meanings.items():
            matters = {path for path in paths if _is_matter(path)}
            if words in whole:
                perhaps |= matters
            if words in rest:
                surely |= matters if len(paths) == 1 else set()
                rest = rest.replace(words, "\ufffc")
        return Told(frozenset(surely), frozenset(perhaps))


def squeezed(text: str) -> str:
    """A text as it can be found again: line breaks and capitals are the channel's, not its own."""
    return re.sub(r"\s+", "", plain(text)).casefold()


def _matter(path: FieldPath) -> FieldPath:
    """The matter of a field: a piece of advice by its long or its short text, a service by either name."""
    return path[:-1] if path[0] in _ROWS and path[-1] in _WORDINGS else path


def _is_matter(path: FieldPath) -> bool:
    """Whether it is something that a message tells or leaves out as a whole: not an item of a service, nor a title."""
    return path == _REASON or (path[0] in _ROWS and len(path) == 2)
