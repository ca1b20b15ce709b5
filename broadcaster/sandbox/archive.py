"""What the sandbox received, kept as the public saw it, by campaign time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from broadcaster.channels.base import Fate
from broadcaster.channels.simulation import Exhibit, Reception


@dataclass(slots=True)
class Moment:
    """A broadcast as it reached the public: when its first exhibit came, how many came, and one text a language."""

    at: int
    channel: str
    phase: str
    broadcast: str
    count: int = 0
    samples: dict[str, Exhibit] = field(default_factory=dict)
    accounts: dict[str, Exhibit] = field(default_factory=dict)
    replaced: dict[str, tuple[Fate, ...]] = field(default_factory=dict)
    """Account → what it did with its earlier posts when it posted this."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The answer that a call got, and from when on questions are told of it, by the monotonic clock."""

    answer: dict[str, Any]
    visible_at: float


class Archive:
    """Everything received since the start: what each call was answered, and how often each recipient was shown it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, _Kept] = {}
        self._shown: dict[str, Counter[str]] = {}
        self._moments: dict[str, Moment] = {}
        self._documents: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.repeats = 0

    def answer_for(self, key: str) -> dict[str, Any] | None:
        """The answer that a call of this key got before; counted as a repeat."""
        with self._lock:
            found = self._answers.get(key)
            self.repeats += found is not None
            return found.answer if found else None

    def answer_about(self, key: str) -> dict[str, Any] | None:
        """The answer to a question about a key: what the call got, None when it was not seen, or is not visible yet."""
        with self._lock:
            found = self._answers.get(key)
            return found.answer if found and found.visible_at <= time.monotonic() else None

    def keep(
        self,
        key: str,
        channel: str,
        at: int,
        data: dict[str, Any],
        reception: Reception,
        *,
        hidden_for: float = 0.0,
    ) -> dict[str, Any]:
        """Keep what a call showed to the public; gives the answer, which questions learn `hidden_for` seconds later."""
        answer: dict[str, Any] = {
            "reference": key[:12],
            "rejected": [{"id": id_, "reason": reason} for id_, reason in reception.rejected.items()],
        }
        if reception.replaced:
            answer["replaced"] = [fate._asdict() for fate in reception.replaced]
        with self._lock:
            self._answers.setdefault(key, _Kept(answer, time.monotonic() + hidden_for))
            self._keep_exhibits(channel, at, data["broadcast"], data["phase"], reception)
        return answer

    def show(self, channel: str, at: int, broadcast: str, phase: str, reception: Reception) -> None:
        """Keep what a stand-in with a format of its own showed to the public."""
        with self._lock:
            self._keep_exhibits(channel, at, broadcast, phase, reception)

    def replace(self, successor: str, account: str, fates: tuple[Fate, ...]) -> None:
        """Keep what an account did with earlier posts when it had posted their successor already."""
        with self._lock:
            moment = self._moments.get(successor)
            if moment:
                moment.replaced[account] = (*moment.replaced.get(account, ()), *fates)

    def keep_document(self, surface: str, at: int, document: dict[str, Any]) -> None:
        """Keep a surface document that an endpoint fetched, unless it is the one that is kept already."""
        with self._lock:
            kept = self._documents.setdefault(surface, [])
            if not kept or kept[-1][1]["seq"] != document["seq"]:
                kept.append((at, document))

    def document_at(self, surface: str, at: int) -> dict[str, Any] | None:
        """The document that endpoints had at an instant, with its clock set to it."""
        with self._lock:
            known = [document for fetched_at, document in self._documents.get(surface, []) if fetched_at <= at]
        return {**known[-1], "clock": at} if known else None

    def moments(self) -> list[Moment]:
        """Every broadcast received so far, in order."""
        with self._lock:
            return sorted(self._moments.values(), key=lambda moment: (moment.at, moment.channel))

    def totals(self) -> dict[str, int]:
        """`received`: shown after dedupe; `duplicates`: shown to one twice; `repeats`: calls under a used key."""
        with self._lock:
            shown = sum(counter.total() for counter in self._shown.values())
            distinct = sum(len(counter) for counter in self._shown.values())
            return {"received": shown, "duplicates": shown - distinct, "repeats": self.repeats}

    def shown(self) -> Iterator[tuple[str, dict[str, int]]]:
        """Broadcast → recipient (our id, or the address that a supplier knows) → how often it was shown to them."""
        with self._lock:
            snapshot = {broadcast: dict(counter) for broadcast, counter in self._shown.items()}
        yield from snapshot.items()

    def _keep_exhibits(self, channel: str, at: int, broadcast: str, phase: str, reception: Reception) -> None:
        counter = self._shown.setdefault(broadcast, Counter())
        moment = self._moments.setdefault(broadcast, Moment(at, channel, phase, broadcast))
        for exhibit in reception.exhibits:
            counter[exhibit.recipient] += 1
            moment.samples.setdefault(exhibit.language, exhibit)
        moment.count += len(reception.exhibits)
        posted = {exhibit.shown_to: exhibit for exhibit in reception.exhibits if exhibit.posted}
        moment.accounts.update(posted)
        moment.replaced.update(dict.fromkeys(posted, reception.replaced))
