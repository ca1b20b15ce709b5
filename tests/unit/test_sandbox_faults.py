"""Fault orders: the sandbox misbehaves as told, as often as told, on the channel told."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from broadcaster.channels.simulation import Target
from broadcaster.sandbox.faults import Fault, FaultBook, FaultKind


def test_without_an_order_all_goes_well() -> None:
    """Nobody ordered anything."""
    assert FaultBook().next_for("sms") is None


def test_an_order_holds_for_as_many_calls_as_it_says() -> None:
    """Then all goes well again."""
    book = FaultBook()
    book.order(Fault(channel="sms", kind=FaultKind.STATUS, times=2))
    kinds = [fault.kind if fault else None for fault in (book.next_for("sms") for _ in range(3))]
    assert kinds == [FaultKind.STATUS, FaultKind.STATUS, None]


def test_an_order_is_for_one_channel() -> None:
    """Another channel's call does not use it up."""
    book = FaultBook()
    book.order(Fault(channel="sms", kind=FaultKind.SLOW))
    assert book.next_for("wechat") is None
    assert book.next_for("sms") is not None


def test_orders_are_carried_out_one_after_the_other() -> None:
    """In the order in which they came."""
    book = FaultBook()
    book.order(Fault(channel="sms", kind=FaultKind.DROP_BEFORE))
    book.order(Fault(channel="sms", kind=FaultKind.DROP_AFTER))
    found = [book.next_for("sms"), book.next_for("sms")]
    assert [fault.kind for fault in found if fault] == [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER]


@pytest.mark.parametrize(
    "order", [{"times": 0}, {"status": 200}, {"status": 600}, {"seconds": -1}, {"retry_after": 61}, {"colour": "red"}]
)
def test_an_order_that_makes_no_sense_is_refused(order: dict[str, Any]) -> None:
    """A success is no fault, and nobody waits for hours."""
    with pytest.raises(ValidationError):
        Fault.model_validate({"channel": "sms", "kind": "status", **order})


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "status", "status": 429, "accepted": True},
        {"kind": "status", "status": 503, "accepted": True},
        {"kind": "status", "status": 422, "accepted": True},
        {"kind": "drop_before", "accepted": True},
        {"kind": "receipts_twice", "target": "questions"},
        {"kind": "half_open", "target": "questions", "accepted": True},
        {"kind": "slow", "share": 0},
        {"kind": "slow", "share": 1.1},
    ],
)
def test_an_order_that_no_honest_provider_could_carry_out_is_refused(order: dict[str, Any]) -> None:
    """One that says "not accepted" has not accepted, and a question has no receipts."""
    with pytest.raises(ValidationError):
        Fault.model_validate({"channel": "sms", **order})


def struck(share: float, seed: int, calls: int = 1000) -> list[bool]:
    """Which of so many calls go wrong by chance."""
    book = FaultBook()
    book.order(Fault(channel="sms", kind=FaultKind.SLOW, share=share, seed=seed))
    return [book.next_for("sms") is not None for _ in range(calls)]


def test_a_share_of_the_calls_goes_wrong_until_it_is_cancelled() -> None:
    """About as many as ordered, and the same ones for the same seed."""
    assert 50 < sum(struck(0.1, seed=7)) < 150
    assert struck(0.1, seed=7) == struck(0.1, seed=7)
    assert struck(0.1, seed=7) != struck(0.1, seed=8)
    assert all(struck(1.0, seed=0))


def test_cancelling_lets_all_go_well() -> None:
    """What was ordered by chance, and what was ordered for the next calls."""
    book = FaultBook()
    book.order(Fault(channel="sms", kind=FaultKind.SLOW, share=1.0))
    book.order(Fault(channel="sms", kind=FaultKind.STATUS, times=5))
    book.cancel()
    assert book.next_for("sms") is None


def test_what_is_ordered_for_the_next_calls_goes_before_chance() -> None:
    """Whichever was ordered first."""
    book = FaultBook()
    book.order(Fault(channel="sms", kind=FaultKind.SLOW, share=1.0))
    book.order(Fault(channel="sms", kind=FaultKind.DROP_AFTER))
    found = [book.next_for("sms"), book.next_for("sms")]
    assert [fault.kind for fault in found if fault] == [FaultKind.DROP_AFTER, FaultKind.SLOW]


def test_questions_have_faults_of_their_own() -> None:
    """A call does not use up a question's."""
    book = FaultBook()
    book.order(Fault(channel="sms", kind=FaultKind.DROP_BEFORE, target=Target.QUESTIONS))
    assert book.next_for("sms") is None
    assert book.next_for("sms", Target.QUESTIONS) is not None


def test_faults_are_counted_by_what_they_were() -> None:
    """A report says how many there were of each."""
    book = FaultBook()
    book.order(Fault(channel="sms", kind=FaultKind.STATUS, status=429, retry_after=1, times=2))
    book.order(Fault(channel="sms", kind=FaultKind.HALF_OPEN, accepted=True))
    book.order(Fault(channel="sms", kind=FaultKind.STATUS, status=500, target=Target.QUESTIONS))
    for _ in range(4):
        book.next_for("sms")
    book.next_for("sms", Target.QUESTIONS)
    assert book.done() == {"status_429_retry_after": 2, "half_open_accepted": 1, "question_status_500": 1}
