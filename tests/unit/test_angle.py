"""From which side people are told: the impact rows that concern them."""

from __future__ import annotations

from broadcaster.announcement.model import Announcement
from broadcaster.planning.angle import WHOLE, Angle, angles, divides, narrowed, rows_for
from broadcaster.planning.tellings import Kind
from tests.support.examples import example

INSURANCE, SETTLEMENT, SHARING = (impact.id for impact in example().announcement.impacts)


def divided(*audiences: str) -> Announcement:
    """The example, whose impact rows have these audiences."""
    announcement = example().announcement
    rows = zip(announcement.impacts, audiences, strict=True)
    impacts = tuple(impact.model_copy(update={"audience": audience}) for impact, audience in rows)
    return announcement.model_copy(update={"impacts": impacts})


def kind(*tags: str) -> Kind:
    """People with these tags."""
    return Kind("zh-Hans", frozenset(tags))


def test_rows_for_everybody_divide_nobody() -> None:
    """The usual case costs nothing."""
    whole = example().announcement
    assert not divides(whole)
    assert angles(whole) == [WHOLE]
    assert rows_for(whole, kind("retired")) == ()


def test_a_row_concerns_its_audience() -> None:
    """And one without an audience everybody."""
    announcement = divided("tag:retired", "tag:hospital", "everyone")
    assert divides(announcement)
    assert rows_for(announcement, kind("retired")) == (INSURANCE, SHARING)
    assert rows_for(announcement, kind()) == (SHARING,)
    assert rows_for(announcement, kind("retired", "hospital")) == ()


def test_whom_no_row_concerns_is_told_all_of_it() -> None:
    """An empty message would be a riddle."""
    assert rows_for(divided("tag:a", "tag:b", "tag:c"), kind()) == ()


def test_narrowed_to_some_rows() -> None:
    """The others are not there; without any it is as it was."""
    announcement = divided("tag:retired", "tag:hospital", "everyone")
    assert [impact.id for impact in narrowed(announcement, (SHARING,)).impacts] == [SHARING]
    assert narrowed(announcement, ()) is announcement


def test_what_is_looked_at_before_anybody_is_told() -> None:
    """The whole, what is left for most, and what each audience of a row reads."""
    announcement = divided("tag:retired", "tag:hospital", "everyone")
    assert angles(announcement) == [
        WHOLE,
        Angle(rows=(SHARING,)),
        Angle(rows=(SETTLEMENT, SHARING)),
        Angle(rows=(INSURANCE, SHARING)),
    ]
