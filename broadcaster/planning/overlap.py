"""Overlap: whom segments have in common, so that nobody who is in two of them is told twice. Pure.

A segment is a formula over facts (a person has a tag, or speaks a language). Whether anybody can be in it is found by
supposing its facts one after the other, whatever people were imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from broadcaster.planning.segment import Both, Either, Everyone, Not, Segment, Speaks, Tagged

_NOBODY = Not(Everyone())


@lru_cache(maxsize=10_000)  # suppositions that leave the same question would otherwise be followed one by one
def anybody(segment: Segment) -> bool:
    """Whether somebody can be in the segment at all."""
    fact = _fact(segment)
    if fact is None:
        return _suppose(segment, Everyone(), holds=True) == Everyone()
    return any(anybody(_suppose(segment, fact, holds=holds)) for holds in (True, False))


def overlap(one: Segment, other: Segment) -> bool:
    """Whether somebody can be in both."""
    return anybody(Both(one, other))


def within(segment: Segment, others: Iterable[Segment]) -> bool:
    """Whether everybody who can be in the segment is in one of the others."""
    return not anybody(without(segment, others))


def without(segment: Segment, others: Iterable[Segment]) -> Segment:
    """Whoever is in the segment and in none of the others; the segment as it is where they have nobody in common."""
    for other in others:
        if overlap(segment, other):
            segment = _both(segment, _not(other))
    return segment


def _fact(segment: Segment) -> Tagged | Speaks | None:
    """The first fact that the segment depends on."""
    match segment:
        case Tagged() | Speaks():
            return segment
        case Not(inner):
            return _fact(inner)
        case Both(left, right) | Either(left, right):
            return _fact(left) or _fact(right)
        case Everyone():
            return None


def _suppose(segment: Segment, fact: Segment, *, holds: bool) -> Segment:
    """What is left of the segment where a fact is known; `everyone` and its opposite only as a whole."""
    match segment:
        case Tagged() | Speaks() if segment == fact:
            return Everyone() if holds else _NOBODY
        case Speaks() if holds and isinstance(fact, Speaks):
            return _NOBODY  # a person has one language
        case Not(inner):
            return _not(_suppose(inner, fact, holds=holds))
        case Both(left, right):
            return _both(_suppose(left, fact, holds=holds), _suppose(right, fact, holds=holds))
        case Either(left, right):
            # Not one or the other is neither: the rules of `and` are those of `or` as well.
            neither = _both(_not(_suppose(left, fact, holds=holds)), _not(_suppose(right, fact, holds=holds)))
            return _not(neither)
        case _:
            return segment


def _both(left: Segment, right: Segment) -> Segment:
    if _NOBODY in (left, right):
        return _NOBODY
    if Everyone() in (left, right):
        return right if left == Everyone() else left
    return Both(left, right)


def _not(segment: Segment) -> Segment:
    return segment.inner if isinstance(segment, Not) else Not(segment)
