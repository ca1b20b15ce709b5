"""Fault orders: the sandbox misbehaves as told, as often as told, on the channel told."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

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
