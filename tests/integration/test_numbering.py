"""The number of a surface's document rises with every change that is committed, whatever the order they began in."""

from __future__ import annotations

import pytest

from broadcaster.announcement.lifecycle import Event
from broadcaster.storage import events
from broadcaster.storage.database import Database
from tests.support.examples import SLUG, local

NOW = local("2022-02-18 10:00")


def seq(database: Database) -> int:
    """The number of the documents now."""
    with database.begin() as connection:
        return events.newest_seq(connection)


def test_nothing_is_decided_yet(database: Database) -> None:
    """A screen takes any document for newer."""
    assert seq(database) == 0


@pytest.mark.parametrize("event", list(Event))
def test_every_event_of_the_lifecycle_counts(database: Database, event: Event) -> None:
    """Two in the same millisecond have two numbers."""
    found = []
    for _ in range(3):
        with database.begin() as connection:
            events.record(connection, "test", str(event), SLUG, NOW)
        found.append(seq(database))
    assert found == sorted(set(found))


def test_sending_changes_no_document(database: Database) -> None:
    """Nor do notes of the operators."""
    with database.begin() as connection:
        events.record(connection, "test", str(Event.APPROVE), SLUG, NOW)
    before = seq(database)
    with database.begin() as connection:
        events.record(connection, "test", "open", SLUG, NOW)
    assert seq(database) == before


def test_a_change_that_is_committed_late_raises_the_number(database: Database) -> None:
    """It was recorded before the other one, but nobody could see it until now."""
    with database.begin() as slow:
        events.record(slow, "test", str(Event.APPROVE), SLUG, NOW)
        with database.begin() as quick:
            events.record(quick, "test", str(Event.APPROVE), "another", NOW)
        between = seq(database)
    assert seq(database) > between
