"""Generated people for rehearsals: numbers of a block that no carrier uses, and openids that no platform gives, so that
a mistake reaches nobody."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from broadcaster.storage.audiences import Row

ENGLISH_EVERY = 20
"""Every twentieth generated person reads English."""


def generated_people(size: int, avoid: tuple[str, ...] = ()) -> Iterator[Row]:
    """`size` people with consecutive numbers from +8610000000000: mainland mobiles never begin with 10.

    `avoid` are endings that no number has.
    """
    numbers = (number for number in itertools.count() if not f"{number:03}".endswith(avoid or ("-",)))
    for number in itertools.islice(numbers, size):
        yield (f"+86{10_000_000_000 + number}", *_known_of(number))


def generated_followers(size: int, avoid: tuple[str, ...] = ()) -> Iterator[Row]:
    """As many followers of an account, in the same way."""
    numbers = (number for number in itertools.count() if not f"{number:03}".endswith(avoid or ("-",)))
    for number in itertools.islice(numbers, size):
        yield (f"oGeneratedFollower{number:010}", *_known_of(number))


def _known_of(number: int) -> tuple[str, str, list[str]]:
    """Name, language, tags."""
    language = "en" if number % ENGLISH_EVERY == 0 else "zh-Hans"
    return f"Person {number}", language, ["retired"] if number % 3 == 0 else []
