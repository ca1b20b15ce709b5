"""The verdict on a campaign: who was lost, who was told twice, who stays unknown, and whether that is allowed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from broadcaster.channels.base import Idempotency
from broadcaster.reporting.consistency import Account, contradictions

Shown = Mapping[str, Mapping[int, int]]
"""Broadcast → recipient id → how often the public saw it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known after a campaign: `unknown` is by the class of the provider that the ledger names.

    `receipts_missing` counts accepted recipients without a receipt; `full_disk_told`: an export without room said so.
    """

    accounts: Sequence[Account]
    shown: Shown
    unknown: Mapping[Idempotency, int]
    receipts_missing: int
    finished: bool
    full_disk_told: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """How many may stay unknown with a provider of class `none`: a call's recipients, a worker, a kill."""

    call: int
    workers: int
    kills: int

    @property
    def unknown(self) -> int:
        """Recipients."""
        return self.call * self.workers * self.kills


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figures of a campaign, and every bound that is broken."""

    sent: int
    lost: int
    duplicated: int
    unknown: int
    unknown_by_class: Mapping[str, int]
    broken: Sequence[str] = field(default_factory=tuple)

    @property
    def data(self) -> dict[str, Any]:
        """As it stands in the report."""
        return {
            "sent": self.sent,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "unknown": self.unknown,
            "unknown_by_class": dict(self.unknown_by_class),
            "broken": list(self.broken),
        }


def judge(evidence: Evidence, limits: Limits) -> Verdict:
    """Count, and hold the counts against what is allowed."""
    outcomes = Counter(outcome for account in evidence.accounts for outcome in account.outcomes.values())
    lost = sum(_lost(account, evidence.shown.get(account.id, {})) for account in evidence.accounts)
    duplicated = sum(times > 1 for of_broadcast in evidence.shown.values() for times in of_broadcast.values())
    broken = list(_broken(evidence, limits, lost, duplicated))
    unknown = {str(kind): number for kind, number in evidence.unknown.items()}
    return Verdict(outcomes["accepted"], lost, duplicated, outcomes["unknown"], unknown, broken)


def _lost(account: Account, shown: Mapping[int, int]) -> int:
    """Not accounted for, or accepted and never shown."""
    accepted = {id_ for id_, outcome in account.outcomes.items() if outcome == "accepted"}
    return max(0, account.recipients - len(account.outcomes)) + len(accepted - shown.keys())


def _broken(evidence: Evidence, limits: Limits, lost: int, duplicated: int) -> Iterator[str]:
    if not evidence.finished:
        yield "the campaign did not come to its end in time"
    if lost:
        yield f"{lost} lost"
    if duplicated:
        yield f"{duplicated} saw it twice"
    for kind, number in evidence.unknown.items():
        most = limits.unknown if kind is Idempotency.NONE else 0
        if number > most:
            yield f"{number} unknown at a provider of class {kind}, {most} allowed"
    if evidence.receipts_missing:
        yield f"{evidence.receipts_missing} receipts are missing"
    if not evidence.full_disk_told:
        yield "an export to a full disk did not end with a clear error"
    yield from contradictions(list(evidence.accounts), evidence.shown)
