"""Generated people for rehearsals: numbers of a block that no carrier uses, so that a mistake reaches nobody."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

ENGLISH_EVERY = 20
"""Every twentieth generated person reads English."""


def generated_people(size: int, avoid: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str, list[str]]]:
    """`size` people with consecutive numbers from +8610000000000: mainland mobiles never begin with 10.

    `avoid` are endings that no number has.
    """
    numbers = (number for number in itertools.count() if not f"{number:03}".endswith(avoid or ("-",)))
    for number in itertools.islice(numbers, size):
        language = "en" if number % ENGLISH_EVERY == 0 else "zh-Hans"
        yield f"+86{10_000_000_000 + number}", f"Person {number}", language, ["retired"] if number % 3 == 0 else []
