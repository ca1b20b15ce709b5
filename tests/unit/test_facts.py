"""Facts: what a message tells, free of wording, and what differs between two revisions."""

from __future__ import annotations

from broadcaster.announcement.facts import FactChange, difference, facts
from tests.builders import announcement_data, example, proposal, window


def test_facts_are_windows_services_deadlines_and_status() -> None:
    """The minimal announcement has one impact row; its times are the announcement's own."""
    assert facts(proposal().announcement) == {
        "window.start": "2030-05-10T00:00:00+08:00",
        "window.end": "2030-05-21T00:00:00+08:00",
        "resume": "2030-05-21T00:00:00+08:00",
        "impact.all.services": "payments",
        "impact.all.access_points": "hall",
        "impact.all.state": "suspended",
        "impact.all.start": "2030-05-10T00:00:00+08:00",
        "impact.all.end": "2030-05-21T00:00:00+08:00",
        "impact.all.last_acceptance": "2030-05-10T00:00:00+08:00",
        "impact.all.resume": "2030-05-21T00:00:00+08:00",
    }


def test_a_time_that_nobody_knows_is_a_fact_too() -> None:
    """An outage without an end tells that its end is unknown."""
    found = facts(proposal(window=window("2030-05-10 00:00")).announcement)
    assert (found["window.end"], found["resume"], found["impact.all.resume"]) == ("unknown", "unknown", "unknown")


def test_the_example_tells_its_deadline_and_its_telephone() -> None:
    """Advice without a deadline is no fact."""
    found = facts(example().announcement)
    assert found["advice.0.do_before.deadline"] == "2022-02-26T00:00:00+08:00"
    assert [path for path in found if path.startswith("advice.1")] == []
    assert found["contact.phone.12333"] == "12333"


def test_nothing_differs_from_itself() -> None:
    """An unchanged announcement wakes nobody."""
    assert difference(facts(example().announcement), facts(example().announcement)) == ()


def test_better_words_are_no_change() -> None:
    """Wording is not a fact."""
    better = proposal(title={"zh-Hans": "更好的字", "en": "better words"})
    assert difference(facts(proposal().announcement), facts(better.announcement)) == ()


def test_the_order_of_services_is_no_change() -> None:
    """Rows compare as sets."""
    impact = announcement_data()["impacts"][0]
    one = proposal(impacts=[{**impact, "services": ["payments", "records"]}])
    other = proposal(impacts=[{**impact, "services": ["records", "payments"]}])
    assert difference(facts(one.announcement), facts(other.announcement)) == ()


def test_a_later_end_changes_every_time_that_follows_from_it() -> None:
    """Path by path, with the old value and the new."""
    later = proposal(window=window("2030-05-10 00:00", "2030-05-25 00:00"))
    found = difference(facts(proposal().announcement), facts(later.announcement))
    old, new = "2030-05-21T00:00:00+08:00", "2030-05-25T00:00:00+08:00"
    paths = ("impact.all.end", "impact.all.resume", "resume", "window.end")
    assert found == tuple(FactChange(path, old, new) for path in paths)


def test_a_row_that_goes_away_is_gone_as_a_whole() -> None:
    """None stands for a fact that is not there."""
    extra = {"id": "app-too", "services": ["records"], "access_points": ["app"], "state": "partial"}
    both = proposal(impacts=[*announcement_data()["impacts"], extra])
    found = difference(facts(both.announcement), facts(proposal().announcement))
    assert {change.path.split(".")[1] for change in found} == {"app-too"}
    assert {change.new for change in found} == {None}


def test_whom_alone_an_impact_row_concerns_stands_with_it() -> None:
    """Named only where it is not everyone."""
    rows = [{**announcement_data()["impacts"][0], "audience": "tag:retired"}]
    assert facts(proposal(impacts=rows).announcement)["impact.all.audience"] == "tag:retired"
