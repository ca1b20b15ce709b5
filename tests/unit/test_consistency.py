"""Consistency: every way in which ledger, counters and what the public saw can contradict each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broadcaster.reporting.consistency import Account, contradictions

CLEAN = Account(
    id="b1",
    state="closed",
    recipients=4,
    accepted=1,
    rejected=1,
    unknown=1,
    skipped=1,
    outcomes={1: "accepted", 2: "rejected", 3: "unknown", 4: "skipped"},
)
SEEN = {"b1": {1: 1}}


def test_a_clean_ledger_is_clean() -> None:
    """One of each outcome; whoever was accepted saw it once."""
    assert list(contradictions([CLEAN], SEEN)) == []


def test_an_unknown_outcome_may_or_may_not_have_been_seen() -> None:
    """That is what unknown means."""
    assert list(contradictions([CLEAN], {"b1": {1: 1, 3: 1}})) == []


@pytest.mark.parametrize("state", ["skipped", "revoked"])
def test_what_was_never_sent_has_nothing_to_account_for(state: str) -> None:
    """No recipients, no outcomes, nothing seen."""
    never = Account("b1", state, 0, 0, 0, 0, 0, {})
    assert list(contradictions([never], {})) == []


@pytest.mark.parametrize(
    ("change", "shown", "said"),
    [
        ({"state": "open"}, SEEN, ["b1: still open"]),
        ({"state": "planned"}, SEEN, ["b1: still planned"]),
        ({"recipients": 5}, SEEN, ["b1: 5 recipients, but 4 accounted for"]),
        (
            {"skipped": 2, "recipients": 5},
            SEEN,
            ["b1: counters say 5, the ledger holds 4"],
        ),
        ({}, {}, ["b1: 1 accepted recipients saw nothing"]),
        ({}, {"b1": {1: 1, 2: 1, 4: 1, 9: 1}}, ["b1: 3 saw it who are neither accepted nor unknown"]),
        ({}, {"b1": {1: 2}}, ["b1: 1 saw it twice"]),
        ({}, {**SEEN, "b2": {1: 1}}, ["b2: shown to the public, but not in the plan"]),
    ],
)
def test_a_contradiction_is_found(change: dict[str, Any], shown: dict[str, dict[int, int]], said: list[str]) -> None:
    """One at a time, with the broadcast and the numbers."""
    assert list(contradictions([replace(CLEAN, **change)], shown)) == said


def test_several_contradictions_are_all_found() -> None:
    """In one broadcast and in another."""
    other = replace(CLEAN, id="b2", state="open")
    found = list(contradictions([replace(CLEAN, recipients=9), other], {"b1": {1: 3}, "b2": {}}))
    assert found == [
        "b1: 9 recipients, but 4 accounted for",
        "b1: 1 saw it twice",
        "b2: still open",
        "b2: 1 accepted recipients saw nothing",
    ]
