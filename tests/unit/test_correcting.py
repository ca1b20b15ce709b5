"""What the report says of changes: what happened, who was stale, who was corrected, and why somebody still is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from broadcaster.rendering.environment import Templates
from broadcaster.reporting.correcting import correcting, settled, still_stale, what, within
from broadcaster.reporting.page import write_html
from broadcaster.reporting.words import minutes_text
from broadcaster.storage.believers import WAITS
from tests.unit.test_report_page import broadcast, data

FIRST, SECOND, THIRD = (f"2030-03-{day}T00:00:00+08:00" for day in (21, 25, 29))


def fact(path: str, old: str | None, new: str | None) -> dict[str, Any]:
    """One that differs."""
    return {"path": path, "old": old, "new": new}


def numbers(before: int, after: int = 0, seconds: float = 2, minutes: float = 1) -> dict[str, Any]:
    """So many were stale and so many were left; the others were corrected all at once after so many seconds."""
    curve = [{"seconds": wait, "stale": after if wait >= seconds else before} for wait in WAITS]
    said = {"stale_before": before, "corrected": before - after, "stale_after": after, "stale_minutes": minutes}
    return {**said, "curve": curve}


def change(event: str = "approve", *facts: Mapping[str, Any], **channels: Mapping[str, Any]) -> dict[str, Any]:
    """A change as the report's data has it."""
    curve = [
        {"seconds": wait, "stale": sum(row["curve"][place]["stale"] for row in channels.values())}
        for place, wait in enumerate(WAITS)
    ]
    sums = ("stale_before", "corrected", "stale_after", "stale_minutes")
    return {
        "event": event,
        "revision": 2,
        "applied_at": "2030-03-18T10:00:00+08:00",
        "until": None,
        "why": "",
        "facts": list(facts),
        "other_facts": 0,
        **{name: sum(row[name] for row in channels.values()) for name in sums},
        "curve": curve,
        "channels": channels,
    }


def changed(*changes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A report in which something was changed."""
    minutes = {"stale_recipient_minutes": {"sms": 48.5}, "false_statement_minutes": {"kiosk": 0.02}}
    return data(broadcast(1), changes=list(changes), **minutes, **more)


def page(folder: Path, report: Mapping[str, Any]) -> str:
    """The page of a report, as text."""
    write_html(report, folder / "report.html", Templates())
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("event", "facts", "word"),
    [
        ("approve", [fact("window.end", FIRST, SECOND)], "extended"),
        ("extend", [fact("window.end", FIRST, SECOND)], "extended"),
        ("approve", [fact("window.end", SECOND, FIRST)], "shortened"),
        ("approve", [fact("window.start", FIRST, SECOND), fact("window.end", SECOND, THIRD)], "rescheduled"),
        ("approve", [fact("window.end", "unknown", SECOND)], "changed"),
        ("approve", [fact("resume", FIRST, SECOND)], "changed"),
        ("approve", [], "changed"),
        ("finish", [fact("status", "planned", "restored")], "finished"),
        ("end_passed", [fact("status", "planned", "overrun")], "overrun"),
        ("cancel", [fact("status", "planned", "cancelled")], "cancelled"),
        ("reinstate", [fact("status", "cancelled", "planned")], "reinstated"),
    ],
)
def test_a_change_is_called_by_what_it_did(event: str, facts: list[dict[str, Any]], word: str) -> None:
    """An approval by its facts, everything else by its event."""
    assert what(change(event, *facts)) == word


def test_ends_in_other_offsets_compare_as_instants() -> None:
    """The night on which clocks change: half past two may be before two."""
    assert what(change("approve", fact("window.end", "2030-10-27T02:30:00+02:00", "2030-10-27T02:10:00+01:00"))) == (
        "extended"
    )


def test_the_last_correction_is_within_a_bound_that_is_known() -> None:
    """The first one at which nobody more was left; with some left, of those who were corrected."""
    assert within(numbers(9, seconds=2)) == "≤ 2 s"
    assert within(numbers(9, after=1, seconds=3)) == "≤ 5 s"
    assert within(numbers(9, after=9)) == "–"
    late = numbers(9, seconds=WAITS[-1] + 1)
    assert settled(late) is None
    assert within(late) == "> 7 d"


def test_a_resume_time_that_is_the_ends_is_told_once() -> None:
    """And one that differs is told beside it."""
    end, resume = fact("window.end", FIRST, SECOND), fact("resume", FIRST, SECOND)
    later = fact("resume", FIRST, THIRD)
    for facts, names in (([end, resume], ["end"]), ([end, later], ["end", "back"])):
        found = correcting(changed(change("approve", *facts, sms=numbers(1))))
        assert found
        assert [row.name for row in found.changes[0].facts] == names
        assert (found.changes[0].facts[0].old, found.changes[0].facts[0].new) == (
            "2030-03-21 00:00",
            "2030-03-25 00:00",
        )


def test_where_no_time_moved_it_is_told_how_the_outage_stands() -> None:
    """A cancelled one has no other end, but is off."""
    found = correcting(changed(change("cancel", fact("status", "planned", "cancelled"), sms=numbers(1))))
    assert found
    (row,) = found.changes[0].facts
    assert (row.name, row.old, row.new) == ("status", "planned", "cancelled")


def test_each_change_says_who_was_stale_on_which_channel() -> None:
    """With a dash where nobody was; whoever is left is marked."""
    found = correcting(changed(change(sms=numbers(10_000_000, 3)), change(sms=numbers(5), kiosk=numbers(2))))
    assert found
    assert found.channels == ("kiosk", "sms")
    first, second = found.changes
    assert (first.before, first.corrected, first.after, first.share) == ("10,000,000", "9,999,997", "3", ">99.9%")
    assert first.cells[0] is None
    assert first.cells[1] is not None
    assert (first.cells[1].text, first.cells[1].small, first.cells[1].stale) == (
        "10,000,000 → 3",
        "≤ 2 s · 1.0 min",
        True,
    )
    assert [cell.text for cell in second.cells if cell] == ["2 → 0", "5 → 0"]


def test_what_is_left_now_is_what_the_last_change_left() -> None:
    """Whoever an earlier one left is among the stale of the next, and not counted twice."""
    found = correcting(changed(change(sms=numbers(10, 4, seconds=60)), change(sms=numbers(10, 1))))
    assert found
    cards = {card.name: card.number for card in found.cards}
    assert cards == {
        "changes": "2",
        "told otherwise": "20",
        "corrected": "15",
        "still stale": "1",
        "last correction": "≤ 1 min",
        "stale recipient-minutes": "48.5",
        "false-statement minutes": "<0.1",
    }
    assert [(row.name, row.cells) for row in found.minutes] == [
        ("stale recipient-minutes", ("48.5",)),
        ("false-statement minutes", ("",)),
    ]


def test_without_a_change_there_is_nothing_to_say() -> None:
    """Neither of changes nor of whoever is stale."""
    assert correcting(changed()) is None
    assert still_stale([]) is None


def test_minutes_are_never_none_when_there_was_some_time() -> None:
    """A screen that was wrong for a second was wrong."""
    assert [minutes_text(value) for value in (0, 0.01, 0.1, 99.94, 100, 600_123_456.7)] == [
        "0",
        "<0.1",
        "0.1",
        "99.9",
        "100",
        "600,123,457",
    ]


STALE = [
    {
        "channel": "sms",
        "stale": 12,
        "uncorrected": 9,
        "why": {"refused: no such number": 3, "told by ongoing, due 2030-03-26 10:00": 9},
        "counted_at": "2030-03-18T02:47:31+00:00",
    },
    {"channel": "kiosk", "stale": 0, "uncorrected": 0, "why": {}, "counted_at": "2030-03-18T02:47:29+00:00"},
]


def test_whoever_still_is_stale_is_told_with_the_reasons() -> None:
    """The most frequent first, as old as the oldest count."""
    found = still_stale(STALE)
    assert found
    assert (found.number, found.at) == ("12", "2030-03-18 02:47:29 UTC")
    assert [(row.channel, row.words, row.number) for row in found.reasons] == [
        ("sms", "told by ongoing, due 2030-03-26 10:00", "9"),
        ("sms", "refused: no such number", "3"),
    ]


def test_a_page_says_loudly_that_somebody_holds_something_untrue(tmp_path: Path) -> None:
    """In its verdict too: that the figures add up does not mean that all is well."""
    text = page(tmp_path, changed(change(sms=numbers(100, 12)), stale=STALE, consistent=True, problems=[]))
    assert '<a href="#changes">12 hold something untrue</a>' in text
    assert "Nobody holds" not in text
    assert "refused: no such number" in text
    assert text.index("told by ongoing, due 2030-03-26 10:00") < text.index('<h2 id="timeline">')


def test_a_page_says_quietly_that_nobody_does(tmp_path: Path) -> None:
    """Once there was a change; without one nothing is said of it."""
    text = page(tmp_path, changed(change(sms=numbers(100)), stale=STALE[1:]))
    assert "Nobody holds anything untrue" in text
    assert "hold something untrue</a>" not in text
    still = page(tmp_path, changed())
    assert "None after the first approval" in still
    assert "holds anything untrue" not in still


def test_a_purged_announcement_claims_nothing_of_its_changes(tmp_path: Path) -> None:
    """Nobody knows any more who was told what."""
    report = changed()
    report["announcement"]["purged_at"] = "2031-02-18T10:00:00+08:00"
    assert '<h2 id="changes">' not in page(tmp_path, report)


def test_an_operators_reason_is_told_as_text(tmp_path: Path) -> None:
    """Beside the revision, and never as markup."""
    text = page(tmp_path, changed({**change("cancel", sms=numbers(1)), "why": "the <b>tender</b> failed"}))
    assert "r2 · the &lt;b&gt;tender&lt;/b&gt; failed" in text
