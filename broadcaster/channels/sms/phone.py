"""What a phone shows of a vendor's stand-in, and which numbers it refuses or cannot reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from broadcaster.channels.simulation import REFUSED_ENDING, UNREACHABLE_ENDING, Exhibit, Stage


class Letter(NamedTuple):
    """A text on its way to a phone (E.164), the signature included."""

    phone: str
    language: str
    text: str


def is_refused(number: str) -> bool:
    """Whether the stand-in takes nothing for this number."""
    return number.endswith(REFUSED_ENDING)


def exhibits(letters: Sequence[Letter]) -> tuple[Exhibit, ...]:
    """What the public sees, by phone: a vendor knows no ids of ours."""
    return tuple(Exhibit(row.phone, row.phone, row.language, {"text": row.text}) for row in letters)


def failing(letters: Sequence[Letter], stage: Stage) -> frozenset[str]:
    """The phones whose receipts will say that they were not reached."""
    return frozenset(row.phone for row in letters if row.phone.endswith(UNREACHABLE_ENDING) or stage.is_away(row.phone))
