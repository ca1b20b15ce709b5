"""What a stand-in provider makes of a call: what the public saw, whom it refused, whom it will report as failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broadcaster.channels.base import Fate

REFUSED_ENDING = "999"
UNREACHABLE_ENDING = "888"
SPECIAL_ENDINGS = (REFUSED_ENDING, UNREACHABLE_ENDING)
"""Numbers with a meaning, so that partial success can be seen: refused, or accepted and later reported as failed."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Something shown to somebody: the recipient's id, whom the public knows it by, language and parts."""

    recipient: str
    shown_to: str
    language: str
    parts: Mapping[str, str]
    posted: bool = False
    """Posted by an account for whoever follows it, and not sent to one person."""


@dataclass(frozen=True, slots=True)
class Reception:
    """The exhibits of a call, refused ids with their reasons, and accepted ids whose receipt will say `failed`."""

    exhibits: tuple[Exhibit, ...]
    rejected: Mapping[str, str] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    document: str | None = None
    """Where a surface's endpoint looks for its new document."""
    replaced: tuple[Fate, ...] = ()
    """What the account did with its earlier posts that this one replaces."""


def receive_surface(data: dict[str, Any]) -> Reception:
    """Read the payload of `surface.published`: what is shown is the document that the endpoint then fetches."""
    exhibits = tuple(Exhibit(row["id"], row["endpoint"], "", {}) for row in data["to"])
    return Reception(exhibits, document=data["document"])
