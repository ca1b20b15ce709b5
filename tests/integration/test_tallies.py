"""Running sums in the database: raised by many workers at once, read by the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from broadcaster.storage import tallies
from broadcaster.storage.database import Database
from broadcaster.storage.tallies import Key


def add(database: Database, amounts: Mapping[Key, float]) -> None:
    """Raise tallies in a transaction of their own."""
    with database.begin() as connection:
        tallies.add(connection, amounts)


def read(database: Database) -> dict[Key, float]:
    """Every tally."""
    with database.begin() as connection:
        return tallies.read(connection)


def test_a_tally_begins_at_nothing_and_rises(database: Database) -> None:
    """Two batches of one provider are one sum; another label is another."""
    add(database, {("outcomes", "sms|east|accepted"): 900, ("latency_seconds", "sms"): 1.5})
    add(database, {("outcomes", "sms|east|accepted"): 100, ("outcomes", "sms|east|unknown"): 1})
    assert read(database) == {
        ("outcomes", "sms|east|accepted"): 1000,
        ("outcomes", "sms|east|unknown"): 1,
        ("latency_seconds", "sms"): 1.5,
    }


@pytest.mark.parametrize("amounts", [{}, {("outcomes", "sms|east|accepted"): 0}])
def test_nothing_touches_no_row(database: Database, amounts: Mapping[Key, float]) -> None:
    """A batch that did nothing does not wait for the others."""
    add(database, amounts)
    assert read(database) == {}


def test_what_is_taken_back_is_not_counted(database: Database) -> None:
    """A tally belongs to the transaction of what it counts."""
    with pytest.raises(ZeroDivisionError), database.begin() as connection:
        tallies.add(connection, {("outcomes", "sms|east|accepted"): 5})
        _ = 1 / 0
    assert read(database) == {}


def test_workers_that_raise_the_same_rows_in_another_order_do_not_block_each_other(database: Database) -> None:
    """However each collected its sums, the rows are locked in one order: no deadlock, nothing lost."""
    labels = [f"sms|{name}|accepted" for name in "abcdefgh"]

    def work(turn: int) -> None:
        ordered = labels if turn % 2 else labels[::-1]
        for _ in range(25):
            add(database, {("outcomes", label): 1.0 for label in ordered})

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, turn) for turn in range(4)]:
            done.result()
    assert read(database) == {("outcomes", label): 100 for label in labels}
