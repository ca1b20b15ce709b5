"""Books: what a provider really showed to whom, what it answered, and what everybody may therefore believe.

The model's own account of beliefs, from the provider's side of the counter: an accepted message replaces what somebody
held, one in doubt only adds to it, a refused one leaves it, and a failure that is reported later undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from tests.lives.truth import Statement

Reader = tuple[str, str]
"""Channel and address: a person's phone, or an account's name."""


@dataclass(slots=True)
class Entry:
    """One call at a provider. `statements`: address → what it tells them; `ids`: address → recipient id."""

    key: str
    channel: str
    provider: str
    broadcast: str
    phase: str
    revision: int
    statements: Mapping[str, Statement]
    ids: Mapping[str, int]
    at: datetime
    """When it was first made, campaign time."""
    made: int
    """Its place in the order of events when it was first made."""
    seen: int | None = None
    """Its place when the public saw it; None while nobody has."""
    shown: frozenset[str] = frozenset()
    """Who saw it."""
    answered: bool = False
    """Whether the product got an answer about every member."""
    void: bool = False
    """Whether the product knows that nobody saw it, and that nobody will under this key."""
    doubted: bool = False
    """Whether the product ever had to wonder."""
    unmade: bool = False
    """Whether it was only written down by the product, so that its statements are those of its neighbours."""
    receipts: dict[str, bool] = field(default_factory=dict)
    """Address → whether the provider said afterwards that it arrived."""


@dataclass(frozen=True, slots=True)
class Left:
    """A call that a worker had written down when it ended. `ids`: address → recipient id; `counters`: address → until
    when counters take business, as its words tell it; None where they do not."""

    key: str
    broadcast: str
    revision: int
    provider: str
    ids: Mapping[str, int]
    counters: Mapping[str, datetime | None]


@dataclass(slots=True)
class Books:
    """Every call of one life."""

    entries: dict[str, Entry] = field(default_factory=dict)
    showings: list[tuple[str, str]] = field(default_factory=list)
    """(broadcast, address) of each time that somebody saw something."""
    _ticks: count[int] = field(default_factory=lambda: count(1))

    def moment(self) -> int:
        """The next place in the order of events."""
        return next(self._ticks)

    def doubt(self, left: Left) -> None:
        """A worker ended that had written this call down: the product knows nothing of what came of it."""
        entry = self.entries.get(left.key)
        if entry is None:
            entry = self.entries[left.key] = self._unmade(left)
        entry.answered, entry.void, entry.doubted = False, False, True

    def _unmade(self, left: Left) -> Entry:
        """What would have been said is known from a neighbour, but for what that one's reader is not told."""
        occasion = left.broadcast, left.revision
        like = [row for row in self.entries.values() if (row.broadcast, row.revision) == occasion][-1]
        said = next(iter(like.statements.values()))
        plan = said.start is not None
        statements = {one: replace(said, counters=hours if plan else None) for one, hours in left.counters.items()}
        entry = replace(like, key=left.key, provider=left.provider, statements=statements, ids=left.ids, unmade=True)
        entry.made, entry.seen, entry.shown, entry.receipts = self.moment(), None, frozenset(), {}
        return entry

    def show(self, entry: Entry, to: Iterable[str]) -> None:
        """Let the public see a call."""
        entry.seen, entry.shown = self.moment(), frozenset(to)
        self.showings += [(entry.broadcast, address) for address in sorted(entry.shown)]

    def beliefs(self, reader: Reader, besides: str = "", *, heard: bool = True) -> list[tuple[int, Statement]]:
        """What a reader may hold, each with its place in the order of events; `besides` is a call that is left out.

        `heard`: whether what providers said afterwards counts already.
        """
        held: list[tuple[int, Statement]] = []
        for at, entry in sorted(self._of(reader), key=lambda row: row[0]):
            if entry.key == besides:
                continue
            statement = entry.statements[reader[1]]
            if self._surely_told(entry, reader[1], heard=heard):
                held = [(at, statement)]
            elif self._perhaps_told(entry, reader[1], heard=heard):
                held.append((at, statement))
        return held

    def ever_told(self, reader: Reader, besides: str = "") -> list[tuple[int, Statement]]:
        """Everything that a reader was told, or may have been, whatever came after; `besides` is left out."""
        sides = (self._surely_told, self._perhaps_told)
        return [
            (at, entry.statements[reader[1]])
            for at, entry in self._of(reader)
            if entry.key != besides and any(side(entry, reader[1]) for side in sides)
        ]

    def tried(self, reader: Reader) -> list[tuple[int, Entry]]:
        """Every call of which it is known what became of it for a reader, or which is in doubt; in order."""
        return sorted(self._of(reader), key=lambda row: row[0])

    def readers(self) -> set[Reader]:
        """Everybody of whom any call spoke."""
        return {(entry.channel, address) for entry in self.entries.values() for address in entry.statements}

    def _of(self, reader: Reader) -> list[tuple[int, Entry]]:
        channel, address = reader
        return [
            (entry.seen or entry.made, entry)
            for entry in self.entries.values()
            if entry.channel == channel and address in entry.statements and not entry.void
        ]

    @staticmethod
    def _surely_told(entry: Entry, address: str, *, heard: bool = True) -> bool:
        if heard and address in entry.receipts:
            return entry.receipts[address]
        return entry.answered and address in entry.shown

    @staticmethod
    def _perhaps_told(entry: Entry, address: str, *, heard: bool = True) -> bool:
        return not entry.answered and not (heard and address in entry.receipts)
