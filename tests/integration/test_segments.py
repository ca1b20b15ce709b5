"""A segment counts in the database whom it describes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from broadcaster.audience import segments as counted
from broadcaster.planning.segment import Everyone, Segment, contains, parse_segment
from broadcaster.storage.database import Database
from broadcaster.vault import Vault
from tests.builders import segments
from tests.support.people import gather, new_vault

PEOPLE = [
    (f"+861000000000{number}", "", language, tags)
    for number, (language, tags) in enumerate(
        (language, tags) for language in ("en", "zh-Hans") for tags in ([], ["a"], ["a", "b"], ["b", "c"])
    )
]


@pytest.fixture
def vault() -> Vault:
    """The vault that the people are sealed by."""
    return new_vault()


@pytest.fixture
def peopled(database: Database, vault: Vault) -> Database:
    """A database whose audience is one person of each kind."""
    gather(database, vault, PEOPLE)
    return database


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(segments())
def test_the_database_and_the_rule_agree(peopled: Database, segment: Segment) -> None:
    """Exactly the people are counted whom the pure rule contains."""
    with peopled.begin() as connection:
        number = counted.count(connection, segment)
    assert number == sum(contains(segment, language, set(tags)) for _, _, language, tags in PEOPLE)


def test_a_tag_that_nobody_has_is_found_out(peopled: Database) -> None:
    """A slip of the pen is not an empty segment."""
    with peopled.begin() as connection:
        assert counted.unknown_tags(connection, ["a", "retierd"]) == ["retierd"]
        assert counted.count(connection, parse_segment("tag:a")) == 4


def test_only_the_newest_version_is_counted(peopled: Database, vault: Vault) -> None:
    """Who left with it is counted no more, nor is a tag that only they had."""
    gather(peopled, vault, PEOPLE[:2])
    with peopled.begin() as connection:
        assert counted.count(connection, Everyone()) == 2
        assert counted.unknown_tags(connection, ["a", "b"]) == ["b"]


def test_an_audience_that_was_never_imported_is_empty(database: Database) -> None:
    """Nobody is in it, and no tag is known."""
    with database.begin() as connection:
        assert counted.count(connection, Everyone()) == 0
        assert counted.unknown_tags(connection, ["a"]) == ["a"]
