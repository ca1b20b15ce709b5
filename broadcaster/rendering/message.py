"""Messages: a broadcast rendered for one channel and language, and what a channel expects of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from broadcaster.planning.phase import Phase


@dataclass(frozen=True, slots=True)
class Measure:
    """A size in its unit (characters, segments, columns, rows, pages); `limit` is the channel's, None for none."""

    name: str
    size: int
    unit: str
    limit: int | None = None
    note: str = ""

    @property
    def over(self) -> bool:
        """Whether the size is above the limit."""
        return self.limit is not None and self.size > self.limit


Parts = Mapping[str, str]
"""Part name → text (or HTML for a part that the channel declares as HTML)."""


@dataclass(frozen=True, slots=True)
class MessageSpec:
    """What a channel's message consists of.

    `parts` are the names of the template's blocks; a name that ends in `*` stands for a numbered series (`page_*` for
    `page_1`, `page_2`, …); an empty tuple takes the whole template as the part `text`. `html_parts` stay HTML, every
    other is plain text. `finish` gives a part its final form for a language; `measure` sizes the finished parts.
    """

    slug: str
    extension: str
    measure: Callable[[Parts], tuple[Measure, ...]]
    parts: tuple[str, ...] = ()
    html_parts: frozenset[str] = frozenset()
    finish: Callable[[str, str], str] = lambda text, _language: text.strip()
    brief: bool = False
    """Whether there is so little room that the zone need not be named to readers who take it for granted."""


ADDRESSEE = "\ue000"
"""Stands in a rendered text where each recipient's own name goes: a private-use character that no text holds."""


@dataclass(frozen=True, slots=True)
class Message:
    """A broadcast's text for one channel and language, with its measures against that channel's limits.

    A text may hold `ADDRESSEE`: then it is one text a recipient, and `personalised` makes it theirs."""

    channel: str
    phase: Phase
    language: str
    parts: Parts
    measures: tuple[Measure, ...]
    personal: bool = field(init=False)
    """Whether each recipient gets a text of their own."""

    def __post_init__(self) -> None:
        # Asked for every recipient, so it is found out once.
        object.__setattr__(self, "personal", any(ADDRESSEE in text for text in self.parts.values()))

    @property
    def over(self) -> tuple[Measure, ...]:
        """The measures that are over their limit."""
        return tuple(measure for measure in self.measures if measure.over)


def personalised(text: str, name: str, otherwise: str) -> str:
    """A plain text for one recipient: `otherwise` is what somebody without a name is called."""
    return text.replace(ADDRESSEE, name or otherwise)
