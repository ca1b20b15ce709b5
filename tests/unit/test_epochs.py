"""Epochs: what was true when, and what each change changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row

from broadcaster.announcement.facts import FactChange, Facts
from broadcaster.reporting.changes import Epoch, epochs
from tests.builders import at

BEGIN = at("2030-05-01 10:00")
START, END, LATER, BACK = (f"2030-05-{day}T00:00:00+08:00" for day in (10, 20, 27, 18))


@dataclass(frozen=True)
class Happened:
    """An event as it is stored."""

    verb: str
    at: datetime
    details: dict[str, Any] = field(default_factory=dict)


def plan(end: str = END, **more: str) -> Facts:
    """The facts of a revision that ends then."""
    return {"window.start": START, "window.end": end, "resume": end, "impact.pumps.end": end} | more


def found(*events: tuple[str, dict[str, Any]], plans: tuple[Facts, ...]) -> list[Epoch]:
    """The epochs of some events, a day after each other."""
    rows = [Happened(verb, BEGIN + timedelta(days=day), said) for day, (verb, said) in enumerate(events)]
    return epochs(cast("list[Row[Any]]", rows), dict(enumerate(plans, 1)))


APPROVED = ("approve", {"revision": 1})
EXTENDED = ("approve", {"revision": 2, "why": "rain"})


def test_an_extension_changes_what_moved() -> None:
    """By path, with the operator's reason; the first approval changes nothing that was told."""
    first, second = found(APPROVED, EXTENDED, plans=(plan(), plan(LATER)))
    assert (first.until, second.until) == (second.since, None)
    assert second.changed == tuple(
        FactChange(path, END, LATER) for path in ("impact.pumps.end", "resume", "window.end")
    )
    assert second.why == "rain"


def test_a_revision_in_other_words_is_no_epoch() -> None:
    """Nor is a start: the same is true before and after."""
    assert len(found(APPROVED, ("start", {}), EXTENDED, plans=(plan(), plan()))) == 1


def test_an_end_that_passed_changes_how_the_outage_stands() -> None:
    """And nothing else that is known of it; the extension then moves the end that was told."""
    _, overrun, extended = found(APPROVED, ("start", {}), ("end_passed", {}), EXTENDED, plans=(plan(), plan(LATER)))
    assert overrun.changed == (FactChange("status", "planned", "overrun"),)
    assert {change.path: (change.old, change.new) for change in extended.changed} == {
        "status": ("overrun", "planned"),
        "window.end": (END, LATER),
        "resume": (END, LATER),
        "impact.pumps.end": (END, LATER),
    }


def test_a_finish_tells_when_service_came_back() -> None:
    """Earlier than it was said to."""
    _, over = found(APPROVED, ("start", {}), ("finish", {"at": BACK}), plans=(plan(),))
    assert over.changed == (FactChange("resume", END, BACK), FactChange("status", "planned", "restored"))


def test_a_cancelled_outage_that_is_reinstated_as_it_was_changed_only_its_status() -> None:
    """There and back."""
    cancelled, back = found(APPROVED, ("cancel", {"reason": "storm"}), ("reinstate", {}), plans=(plan(),))[1:]
    assert cancelled.changed == (FactChange("status", "planned", "cancelled"),)
    assert cancelled.why == "storm"
    assert back.changed == (FactChange("status", "cancelled", "planned"),)


def test_an_impact_row_that_goes_is_a_change() -> None:
    """A fact that is not there any more is none."""
    gone = {path: value for path, value in plan().items() if path != "impact.pumps.end"}
    _, second = found(APPROVED, EXTENDED, plans=(plan(), gone))
    assert second.changed == (FactChange("impact.pumps.end", END, None),)
