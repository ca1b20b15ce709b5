"""The verdict of the chaos driver: what counts as lost, told twice, and unknown beyond what is allowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from broadcaster.channels.base import Idempotency
from broadcaster.reporting.consistency import Account
from tests.chaos.strikes import KILLS, PROCESSES, PROVIDER, chances, planned
from tests.chaos.verdict import Evidence, Limits, Verdict, judge

LIMITS = Limits(call=100, workers=4, kills=1)


def account(outcomes: Mapping[int, str], recipients: int = 3) -> Account:
    """A closed broadcast of three recipients."""
    said = Counter(outcomes.values())
    counts = said["accepted"], said["rejected"], said["unknown"], said["skipped"]
    return Account("b1", "closed", recipients, *counts, outcomes)


def verdict(
    outcomes: Mapping[int, str],
    shown: Mapping[int, int],
    unknown: Mapping[Idempotency, int] | None = None,
    receipts_missing: int = 0,
    *,
    finished: bool = True,
) -> Verdict:
    """The verdict on one broadcast."""
    return judge(Evidence([account(outcomes)], {"b1": shown}, unknown or {}, receipts_missing, finished), LIMITS)


def test_a_campaign_that_went_well_breaks_nothing() -> None:
    """Accepted and shown once, or refused and not shown."""
    found = verdict({1: "accepted", 2: "accepted", 3: "rejected"}, {1: 1, 2: 1})
    assert (found.sent, found.lost, found.duplicated, found.unknown, list(found.broken)) == (2, 0, 0, 0, [])


def test_whom_the_ledger_forgot_is_lost() -> None:
    """Whether the public saw it or not."""
    assert verdict({1: "accepted", 2: "accepted"}, {1: 1, 2: 1}).lost == 1
    assert "1 lost" in verdict({1: "accepted", 2: "accepted"}, {1: 1, 2: 1, 3: 1}).broken


def test_who_is_accepted_and_saw_nothing_is_lost() -> None:
    """The ledger would prove something that did not happen."""
    found = verdict({1: "accepted", 2: "accepted", 3: "accepted"}, {1: 1, 2: 1})
    assert found.lost == 1
    assert "1 lost" in found.broken


def test_who_saw_it_twice_is_counted() -> None:
    """Once, however often; whatever the ledger says."""
    found = verdict({1: "accepted", 2: "unknown", 3: "accepted"}, {1: 2, 2: 3, 3: 1})
    assert found.duplicated == 2
    assert "2 saw it twice" in found.broken


@pytest.mark.parametrize(
    ("kind", "number", "allowed"),
    [
        (Idempotency.NONE, 400, True),
        (Idempotency.NONE, 401, False),
        (Idempotency.IDEMPOTENT, 1, False),
        (Idempotency.QUERYABLE, 1, False),
        (Idempotency.QUERYABLE, 0, True),
    ],
)
def test_only_who_can_neither_dedupe_nor_answer_may_leave_somebody_unknown(
    kind: Idempotency, number: int, *, allowed: bool
) -> None:
    """The recipients of a call, a worker, a kill."""
    found = verdict({1: "accepted", 2: "accepted", 3: "unknown"}, {1: 1, 2: 1}, {kind: number})
    assert (list(found.broken) == []) is allowed


def test_a_missing_receipt_and_a_campaign_that_hangs_break_it() -> None:
    """Everything else may be right."""
    outcomes = {1: "accepted", 2: "accepted", 3: "rejected"}
    assert list(verdict(outcomes, {1: 1, 2: 1}, receipts_missing=2).broken) == ["2 receipts are missing"]
    assert "the campaign did not come to its end in time" in verdict(outcomes, {1: 1, 2: 1}, finished=False).broken


def test_shown_without_a_word_in_the_ledger_breaks_it() -> None:
    """What the ledger calls rejected was not to be seen."""
    assert verdict({1: "accepted", 2: "accepted", 3: "rejected"}, {1: 1, 2: 1, 3: 1}).broken


def test_the_same_seed_plans_the_same_strikes() -> None:
    """So that a run can be repeated; another seed plans others."""
    plans = [[strike.name for strike in planned(5, 20, chances(seed))] for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


@pytest.mark.parametrize("kills", [0, 1, 5, 12])
def test_a_plan_has_its_kills_and_leaves_no_more_in_doubt_than_is_allowed(kills: int) -> None:
    """By the most that each strike can do."""
    plan = planned(kills, 4 * kills, chances(kills))
    assert sum(strike.kills for strike in plan) == kills
    assert sum(strike.doubts for strike in plan) <= 4 * kills


def test_without_a_limit_everything_is_planned() -> None:
    """Every kind of fault once, besides the kills."""
    names = {strike.name for strike in planned(3, 1_000_000, chances(0))}
    assert {strike.name for strike in (*PROCESSES, *PROVIDER)} <= names
    assert names & {strike.name for strike in KILLS}
