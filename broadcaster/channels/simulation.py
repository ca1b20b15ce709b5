"""What a stand-in provider makes of a call: what the public saw, whom it refused, whom it will report as failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from broadcaster.channels.call import Fate
from broadcaster.channels.callback import Callback
from broadcaster.channels.provider import Provider

REFUSED_ENDING = "999"
UNREACHABLE_ENDING = "888"
SPECIAL_ENDINGS = (REFUSED_ENDING, UNREACHABLE_ENDING)
"""Numbers with a meaning, so that partial success can be seen: refused, or accepted and later reported as failed."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Something shown to somebody: the recipient's id, whom the public knows it by, language and parts.

    Where a supplier's format does not carry our id, `recipient` is the address, as the provider knows it."""

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


class Target(StrEnum):
    """What of a channel goes wrong."""

    CALLS = "calls"
    QUESTIONS = "questions"


class Stage(Protocol):
    """What the sandbox lends to the stand-in of one provider of a supplier with a format of its own."""

    @property
    def provider(self) -> Provider:
        """The provider that it stands in for, with the secrets that both sides know."""
        ...

    @property
    def hidden_for(self) -> float:
        """Seconds for which questions about the request in hand are to be answered as if it had never been seen."""
        ...

    def show(self, broadcast: str, phase: str, reception: Reception) -> None:
        """Let the public see this. `phase` may be empty where the format does not tell."""
        ...

    def replace(self, successor: str, account: str, fates: tuple[Fate, ...]) -> None:
        """Let the public see what an account did with its earlier posts after it had shown the successor."""
        ...

    def is_away(self, address: str) -> bool:
        """Whether somebody cannot be reached, so that the receipt will say `failed`."""
        ...

    def call_back(self, make: Callable[[], Callback], delay: float = 0.0) -> None:
        """Send a callback to the product after so many seconds, and again until it is taken.

        `make` is asked anew for each attempt, so that what it signs is fresh."""
        ...


@dataclass(frozen=True, slots=True)
class Simulator:
    """The stand-in of a supplier's API, on its real paths below the provider's address.

    `app` is an ASGI application. `target` says of a request (method, path, query and headers, names in lower case)
    whether it is a call or a question, for which faults can be ordered; None: neither."""

    app: Any
    target: Callable[[str, str, Mapping[str, str], Mapping[str, str]], Target | None]


def receive_surface(data: dict[str, Any]) -> Reception:
    """Read the payload of `surface.published`: what is shown is the document that the endpoint then fetches."""
    exhibits = tuple(Exhibit(row["id"], row["endpoint"], "", {}) for row in data["to"])
    return Reception(exhibits, document=data["document"])
