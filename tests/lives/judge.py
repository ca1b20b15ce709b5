"""The judge: what must hold in every life, worked out from the books and the story alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from broadcaster import clock
from broadcaster.storage import staleness
from broadcaster.storage.believers import Count
from tests.lives.books import Books, Entry, Reader
from tests.lives.truth import Statement, Story
from tests.lives.words import day_of
from tests.lives.world import CHANNELS_TOLD, World, is_concerned

WAITING = """
SELECT 1 FROM broadcasts
WHERE slug = :slug AND channel = :channel AND (
    state IN ('planned', 'open') AND (among = 'stale' OR phase IN ('overrun', 'restored'))
    OR state = 'skipped' AND reason <> '' AND phase IN ('changed', 'overrun', 'restored', 'cancelled')
       AND revision = (SELECT approved_revision FROM announcements WHERE slug = :slug)
)
"""
"""Whether a message with the truth is still to come on a channel, or came too late, which its row says."""
CORRECTIONS = frozenset({"changed", "cancelled"})


@dataclass(slots=True)
class Judge:
    """Watches one life. `silenced` are phones of people who have not wanted messages at some time."""

    books: Books
    story: Story
    broken: list[str] = field(default_factory=list)
    silenced: set[str] = field(default_factory=set)

    def object_to(self, what: str) -> None:
        """Put down what is wrong."""
        self.broken.append(what)

    def verdict(self, when: str) -> None:
        """Raise AssertionError when anything was wrong."""
        assert not self.broken, f"{when}: " + "; ".join(self.broken)

    def before(self, entry: Entry) -> None:
        """Look at a call at the moment at which it is made."""
        now = clock.now()
        if entry.phase == "restored" and self.story.finished_at is None:
            self.object_to("restored is said, and no human said it")
        if entry.phase not in self.story.phases(now):
            self.object_to(f"{entry.phase} is said while it is {self.story.status(now)}")
        for address, said in entry.statements.items():
            wrong = self._wrong((entry.channel, address), said, now)
            if wrong:
                self.object_to(f"{address} is sent a {entry.phase} that is not true: {wrong}")
            # One in doubt that is made again is the same request as before: whom it was for was judged then.
            if entry.phase in CORRECTIONS and not entry.doubted:
                self._correction(entry, address, said, now)

    def _correction(self, entry: Entry, address: str, said: Statement, now: datetime) -> None:
        """It goes to whoever may hold something untrue, once, and says what they were told before."""
        reader = entry.channel, address
        untrue = [(at, row) for at, row in self._possible(reader, entry) if self._wrong(reader, row, now)]
        if not untrue:
            self.object_to(f"{address} is corrected by {entry.phase}, and was told nothing else")
            return
        ends = {day_of(row.end) for _, row in untrue if row.end}
        if said.was_end and said.was_end not in ends:
            self.object_to(f"{address} is told that {said.was_end} was the end, and was told {ends}")
        tried = [
            at
            for at, other in self.books.tried(reader)
            if other.key != entry.key and not self._wrong(reader, other.statements[address], now)
        ]
        newest = max(at for at, _ in untrue)
        if any(at > newest for at in tried) and not self._has_doubts(reader):
            self.object_to(f"{address} is corrected twice by {entry.phase}")

    def _possible(self, reader: Reader, besides: Entry) -> list[tuple[int, Statement]]:
        """What they may hold; what a provider said a moment ago may not have been heard yet.

        Of a call that was in doubt the product learns late, and not when it was seen: perhaps it was seen last."""
        found = [row for heard in (True, False) for row in self.books.beliefs(reader, besides.key, heard=heard)]
        if self._has_doubts(reader):
            found += self.books.ever_told(reader, besides.key)
        return found

    def _has_doubts(self, reader: Reader) -> bool:
        """Whether some call to a reader was ever in doubt, or was said to have failed: then the order is nobody's."""
        return any(entry.doubted or entry.receipts for _, entry in self.books.tried(reader))

    def at_rest(self, world: World) -> None:
        """Look at everybody when nothing is left to do."""
        now = clock.now()
        self._twice(world)
        with world.transaction() as connection:
            counted = staleness.counted(connection, world.slug)
        for channel in CHANNELS_TOLD:
            found = counted[channel].count if channel in counted else Count()
            surely = self._stale(channel, now)
            perhaps = {
                reader
                for reader in self.books.readers()
                if reader[0] == channel
                and any(self._wrong(reader, row, now) for _, row in self.books.ever_told(reader))
                and (reader in surely or self._has_doubts(reader))
            }
            if not len(surely) <= found.stale <= len(surely | perhaps):
                self.object_to(f"{channel}: {found.stale} are counted as stale, and these are: {sorted(surely)}")
            if not world.rows(WAITING, slug=world.slug, channel=channel):
                self._all_tried(channel, found, surely, now)
                if found.uncorrected:
                    self.object_to(f"{channel}: {found.uncorrected} are stale, and nobody will correct them")
                if sum(found.reasons.values()) != found.stale:
                    self.object_to(f"{channel}: {found.stale} are stale, for {dict(found.reasons)}")

    def _all_tried(self, channel: str, found: Count, stale: set[Reader], now: datetime) -> None:
        """A message with the truth was tried for whoever is stale, or skipped for a reason that is listed."""
        untried = [reader for reader in sorted(stale) if not self._tried(reader, now)]
        listed = sum(number for (outcome, _), number in found.reasons.items() if outcome == "skipped")
        if len(untried) > listed:
            self.object_to(f"{untried} hold something untrue on {channel}, and nobody tried to correct it")

    def _tried(self, reader: Reader, now: datetime) -> bool:
        untrue = max(at for at, row in self.books.beliefs(reader) if self._wrong(reader, row, now))
        later = (entry for at, entry in self.books.tried(reader) if at > untrue)
        tried = any(not self._wrong(reader, entry.statements[reader[1]], now) for entry in later)
        return tried or reader[1] in self.silenced or self._has_doubts(reader)

    def _twice(self, world: World) -> None:
        rows = world.rows(
            "SELECT id, channel, phase, occurrence FROM broadcasts WHERE slug = :slug AND opened_at IS NOT NULL",
            slug=world.slug,
        )
        occasions = {row.id: (row.channel, row.phase, row.occurrence) for row in rows}
        seen = Counter((address, *occasions[broadcast]) for broadcast, address in self.books.showings)
        for (address, *occasion), times in seen.items():
            if times > 1:
                self.object_to(f"{address} saw {occasion} {times} times")

    def _stale(self, channel: str, now: datetime) -> set[Reader]:
        return {reader for reader in self._readers(channel) if self._holds_untrue(reader, now)}

    def _readers(self, channel: str) -> Iterator[Reader]:
        return (reader for reader in self.books.readers() if reader[0] == channel)

    def _holds_untrue(self, reader: Reader, now: datetime) -> bool:
        return any(self._wrong(reader, said, now) for _, said in self.books.beliefs(reader))

    def _wrong(self, reader: Reader, said: Statement, now: datetime) -> str:
        return self.story.wrong(said, now, concerned=is_concerned(reader[1]))
