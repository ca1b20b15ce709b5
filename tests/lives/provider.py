"""The provider: a stand-in for the world outside that keeps books, and does what a life has in store for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from broadcaster import clock
from broadcaster.channels.base import Call, Delivery, Idempotency, Member, Outcome
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError, PermanentError, TransientError
from broadcaster.rendering.message import personalised
from tests.lives.books import Books, Entry
from tests.lives.words import read
from tests.support.product import Killed


class Fate(StrEnum):
    """What happens to a call."""

    ACCEPTED = "accepted"
    ONE_REFUSED = "one refused"
    REFUSED = "refused"
    BUSY = "busy"
    ANSWER_LOST = "answer lost"
    """Accepted, but nobody hears of it."""
    CALL_LOST = "call lost"
    """Nobody saw it, and nobody hears of that."""
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    INTERRUPTED = "interrupted"
    """Accepted; meanwhile the operator does what the life has in store for this."""


SHOWN = frozenset({Fate.ACCEPTED, Fate.ONE_REFUSED, Fate.ANSWER_LOST, Fate.KILLED_AFTER, Fate.INTERRUPTED})


@dataclass(slots=True)
class StandIn:
    """One adapter for a channel: what it is told to do is in `fates`, what it did is in `books`.

    `watch` looks at every call before anybody sees it, `object_to` takes what is wrong with one, and `meanwhile` is
    what an interruption does."""

    books: Books
    watch: Callable[[Entry], None]
    object_to: Callable[[str], None]
    meanwhile: Callable[[], None]
    idempotency: Idempotency = Idempotency.IDEMPOTENT
    dedupes_for: timedelta = timedelta(hours=24)
    visible_after: timedelta = timedelta(0)
    members_per_call: int = 2
    fates: deque[Fate] = field(default_factory=deque)
    forgotten: set[str] = field(default_factory=set)
    """Keys of calls that are too old to be remembered."""

    def send(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery]:
        """Take the call, or not."""
        entry = self._entry(call, provider)
        self.watch(entry)
        fate = self.fates.popleft() if self.fates else Fate.ACCEPTED
        if self._remembers(entry, provider):
            return self._answer(entry)
        if fate in SHOWN:
            self.books.show(entry, list(entry.statements)[fate is Fate.ONE_REFUSED :])
        if fate is Fate.INTERRUPTED:
            self.meanwhile()
        self._break(fate, entry)
        return self._answer(entry)

    def ask(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery] | None:
        """What became of the call."""
        entry = self.books.entries[call.key]
        if entry.seen is None:
            entry.void = True
            return None
        return self._answer(entry)

    def _remembers(self, entry: Entry, provider: Provider) -> bool:
        repeats = (provider.idempotency or self.idempotency) is Idempotency.IDEMPOTENT
        return repeats and entry.seen is not None and entry.key not in self.forgotten

    def _break(self, fate: Fate, entry: Entry) -> None:
        doubtful = entry.doubted
        match fate:
            case Fate.BUSY:
                entry.void = not doubtful
                raise TransientError("busy")
            case Fate.REFUSED:
                entry.answered = not doubtful
                raise PermanentError("refused")
            case Fate.ANSWER_LOST | Fate.CALL_LOST:
                entry.doubted = True
                raise AmbiguousError("no answer")
            case Fate.KILLED_BEFORE | Fate.KILLED_AFTER:
                entry.doubted = True
                raise Killed
            case _:
                return

    def _answer(self, entry: Entry) -> list[Delivery]:
        entry.answered = True
        found = {True: (Outcome.ACCEPTED, ""), False: (Outcome.REJECTED, "no such number")}
        return [Delivery(id_, *found[address in entry.shown]) for address, id_ in entry.ids.items()]

    def _entry(self, call: Call, provider: Provider) -> Entry:
        known = self.books.entries.get(call.key)
        said = {member.address: read(_text(call, member)) for member in call.members}
        if known is not None:
            known.void = False
            if known.unmade:
                known.statements, known.at, known.unmade = said, clock.now(), False
            if known.statements != said:
                self.object_to(f"a repeated call is another request: {known.statements} became {said}")
            if known.provider != provider.name:
                self.object_to(f"a repeated call goes through another provider: {provider.name}")
            return known
        entry = Entry(
            key=call.key,
            channel=call.channel,
            provider=provider.name,
            broadcast=call.broadcast,
            phase=str(call.phase),
            revision=call.revision,
            statements=said,
            ids={member.address: member.id for member in call.members},
            at=clock.now(),
            made=self.books.moment(),
        )
        self.books.entries[call.key] = entry
        return entry


def _text(call: Call, member: Member) -> str:
    parts = call.messages[member.language].parts
    return personalised(parts.get("text") or parts["digest"], member.name, "")
