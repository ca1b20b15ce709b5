"""The benchmark's own arithmetic: a wrong figure would be worse than none."""

from __future__ import annotations

import pytest

from bench.ours import Sent
from bench.pacing import LIMIT, most_in_a_second, paced
from bench.receipt_sender import rows_of
from bench.results import Arm, Results
from bench.schedule import percentile
from bench.targets import judged


def test_a_second_does_not_hold_its_own_end() -> None:
    """Calls exactly a second apart are in two windows."""
    assert most_in_a_second([0.0, 1.0, 2.0]) == 1
    assert most_in_a_second([0.0, 0.5, 0.99, 1.0, 1.4]) == 4


def test_a_kept_limit_has_no_overshoot() -> None:
    """Calls at the limit's own spacing are not above it."""
    found = paced([number / LIMIT for number in range(200)])
    assert found.overshoot == 0
    assert found.most_in_a_second <= LIMIT + 1


def test_a_broken_limit_shows_by_how_much() -> None:
    """Calls that come half as far apart are twice as many."""
    assert paced([number / (2 * LIMIT) for number in range(200)]).overshoot == pytest.approx(1.0)


def test_a_rate_is_from_due_to_closed() -> None:
    """The wait for a tick counts; processor time is told for a thousand recipients."""
    sent = Sent(10_000, seconds=2.0, sending=1.0, cpu={"delivery": 0.5})
    assert sent.rate == 5_000
    assert sent.cpu_ms_per_1000 == {"delivery": 50.0}


def test_a_ratio_needs_both_of_its_arms() -> None:
    """What was not measured has no ratio, and the median of the runs is what counts."""
    results = Results(arms={"personalised": Arm(10, [100.0, 300.0, 200.0]), "floor": Arm(10, [400.0])})
    assert results.ratios() == {"personalised_vs_floor": 0.5}


def test_a_missed_target_is_told() -> None:
    """A figure below its target does not count as met; one that is missing is not judged."""
    results = Results(arms={"personalised": Arm(10, [100.0]), "floor": Arm(10, [400.0])}, receipts_per_s=20_000.0)
    found = {target.name: target.met(value) for target, value in judged(results.data())}
    assert found == {"ratios.personalised_vs_floor": False, "receipts_per_s": True}


def test_a_percentile_is_one_of_the_values() -> None:
    """The worst of a hundred is above the 99th only by itself."""
    assert percentile([float(number) for number in range(100)], 99) == 99.0
    assert percentile([5.0], 99) == 5.0


def test_a_receipt_is_made_for_each_member_of_a_call() -> None:
    """Ids and broadcast are taken from the call as it came."""
    call = b'{"data":{"broadcast":"abc","to":[{"id":"17","phone":"+8610"},{"id":"18","phone":"+8611"}]}}'
    rows = rows_of(call)
    assert [row.split(b',"status"')[0] for row in rows] == [
        b'{"broadcast":"abc","id":17',
        b'{"broadcast":"abc","id":18',
    ]
