"""The books: what is kept of calls that nobody made."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.lives.books import Books, Entry, Left
from tests.lives.truth import Statement, Status

CANCELLED = Statement(Status.CANCELLED)


def test_a_call_that_was_only_written_down_is_of_the_provider_it_was_written_down_for() -> None:
    """A receipt of the call is its provider's word; from a neighbour's the product would not take it."""
    books = Books()
    made = datetime(2030, 5, 1, tzinfo=UTC)
    of_first = {"first-account": CANCELLED}
    books.entries["1"] = Entry(
        "1", "wechat", "first-account", "broadcast", "cancelled", 1, of_first, {"first-account": 7}, made, 1
    )
    ids = {"second-account": 8}
    books.doubt(Left("2", "broadcast", 1, "second-account", ids, {"second-account": None}))
    assert books.entries["2"].provider == "second-account"
    assert books.entries["2"].statements == {"second-account": CANCELLED}
