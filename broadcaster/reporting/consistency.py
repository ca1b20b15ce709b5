"""Consistency: does the ledger account for everybody, and does it agree with what the public saw? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broadcaster.planning.broadcast import BroadcastState

OUTCOMES = ("accepted", "rejected", "unknown", "skipped")
"""Whoever is accounted for has exactly one of these."""


@dataclass(frozen=True, slots=True)
class Account:
    """A broadcast's counters, and from the ledger: recipient id → outcome."""

    id: str
    state: str
    recipients: int
    accepted: int
    rejected: int
    unknown: int
    skipped: int
    outcomes: Mapping[int, str]
    due: bool = True
    """Whether its due time has come; one that is planned for later owes nothing yet."""


def contradictions(accounts: list[Account], shown: Mapping[str, Mapping[int, int]]) -> Iterator[str]:
    """Everything that does not add up; `shown` is broadcast → recipient id → how often the public saw it."""
    known = {account.id for account in accounts}
    for account in accounts:
        yield from _sums(account)
        yield from _against_public(account, shown.get(account.id, {}))
    for broadcast in shown.keys() - known:
        yield f"{broadcast}: shown to the public, but not in the plan"


def disagreements(
    broadcasts: Sequence[Mapping[str, Any]], progress: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[str]:
    """Where the broadcasts of a report do not agree with its ledger, both seen at the same moment.

    What is still under way owes only what it has counted; what is closed owes everybody.
    """
    for row in broadcasts:
        if row["state"] == BroadcastState.CLOSED and row["accounted"] != row["recipients"]:
            yield f"{row['id']}: {row['recipients']} recipients, but {row['accounted']} accounted for"
        ledger = progress[row["id"]][-1] if progress.get(row["id"]) else dict.fromkeys(OUTCOMES, 0)
        for outcome in OUTCOMES:
            if row[outcome] != ledger[outcome]:
                yield f"{row['id']}: counters say {row[outcome]} {outcome}, the ledger holds {ledger[outcome]}"


def _sums(account: Account) -> Iterator[str]:
    if account.due and account.state in (BroadcastState.PLANNED, BroadcastState.OPEN):
        yield f"{account.id}: still {account.state}"
    settled = account.accepted + account.rejected + account.unknown + account.skipped
    if settled != account.recipients:
        yield f"{account.id}: {account.recipients} recipients, but {settled} accounted for"
    if len(account.outcomes) != settled:
        yield f"{account.id}: counters say {settled}, the ledger holds {len(account.outcomes)}"


def _against_public(account: Account, shown: Mapping[int, int]) -> Iterator[str]:
    accepted = {id_ for id_, outcome in account.outcomes.items() if outcome == "accepted"}
    perhaps = {id_ for id_, outcome in account.outcomes.items() if outcome == "unknown"}
    if missing := len(accepted - shown.keys()):
        yield f"{account.id}: {missing} accepted recipients saw nothing"
    if surplus := len(shown.keys() - accepted - perhaps):
        yield f"{account.id}: {surplus} saw it who are neither accepted nor unknown"
    if twice := sum(1 for times in shown.values() if times > 1):
        yield f"{account.id}: {twice} saw it twice"
