"""A segment counts in the database whom it describes."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from broadcaster import clock
from broadcaster.audience import segments as sql
from broadcaster.audience.segment import Segment, contains, parse_segment
from broadcaster.storage import recipients
from broadcaster.storage.database import Database
from tests.builders import segments

PEOPLE = [
    (f"+861000000000{number}", "", language, tags)
    for number, (language, tags) in enumerate(
        (language, tags) for language in ("en", "zh-Hans") for tags in ([], ["a"], ["a", "b"], ["b", "c"])
    )
]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(segments())
def test_the_database_and_the_rule_agree(database: Database, segment: Segment) -> None:
    """The SQL counts exactly the people whom the pure rule contains."""
    with database.begin() as connection:
        recipients.merge_people(connection, PEOPLE, clock.now())
        counted = sql.count(connection, segment)
    assert counted == sum(contains(segment, language, set(tags)) for _, _, language, tags in PEOPLE)


def test_a_tag_that_nobody_has_is_found_out(database: Database) -> None:
    """A slip of the pen is not an empty segment."""
    with database.begin() as connection:
        recipients.merge_people(connection, PEOPLE, clock.now())
        assert sql.unknown_tags(connection, ["a", "retierd"]) == ["retierd"]
        assert sql.count(connection, parse_segment("tag:a")) == 4
