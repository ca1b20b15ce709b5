"""The one table of grammars, by BCP 47 tag."""

from __future__ import annotations

from broadcaster.rendering.lint.chinese import CHINESE
from broadcaster.rendering.lint.english import ENGLISH
from broadcaster.rendering.lint.grammar import Grammar

GRAMMARS: dict[str, Grammar] = {"zh": CHINESE, "en": ENGLISH}


def grammar_of(language: str) -> Grammar:
    """The grammar of the tag, or of the longest beginning that has one; else English, as times are then worded."""
    tag = language
    while tag and tag not in GRAMMARS:
        tag = tag.rpartition("-")[0]
    return GRAMMARS[tag or "en"]
