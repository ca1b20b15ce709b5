"""The printed report: the verdict, the numbers and the picture say exactly what the data says."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from broadcaster.rendering.environment import Templates
from broadcaster.reporting.axis import scale_of, ticks
from broadcaster.reporting.page import proportions, write_html
from broadcaster.reporting.report import COUNTERS
from broadcaster.reporting.timeline import stack, timeline
from broadcaster.reporting.words import sent, share_text

SHANGHAI = ZoneInfo("Asia/Shanghai")


def broadcast(number: int, **changed: Any) -> dict[str, Any]:
    """A closed notice to ten people by SMS, all of whom accepted it; `changed` says what is different."""
    row = {
        "id": f"{number:020x}",
        "phase": "notice",
        "channel": "sms",
        "occurrence": "approval",
        "revision": 1,
        "state": "closed",
        "reason": "",
        "note": "",
        "due_at": "2030-02-18T10:00:00+08:00",
        "expires_at": "2030-02-23T10:00:00+08:00",
        "opened_at": "2030-02-18T10:00:09+08:00",
        "closed_at": "2030-02-18T10:00:12+08:00",
        "lateness_seconds": 12.0,
        "accounted": 10,
    }
    return row | dict.fromkeys(COUNTERS, 0) | {"recipients": 10, "accepted": 10, "delivered": 10} | changed


def revoked(number: int, **changed: Any) -> dict[str, Any]:
    """A broadcast that never went out."""
    nothing = {
        "opened_at": None,
        "closed_at": None,
        "lateness_seconds": None,
        **dict.fromkeys((*COUNTERS, "accounted"), 0),
    }
    return broadcast(number, state="revoked", reason="no longer in the plan", **nothing, **changed)


def data(*broadcasts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A report over some broadcasts."""
    return {
        "announcement": {"slug": "a-2030", "state": "completed", "revision": 3, "zone": "Asia/Shanghai"},
        "totals": {name: sum(row[name] for row in broadcasts) for name in COUNTERS},
        "broadcasts": list(broadcasts),
        "reasons": [],
        "times": {"planned": None, "revised": [], "actual": dict.fromkeys(("start", "end", "cancelled"))},
        "asked": [],
        **more,
    }


def page(folder: Path, report: dict[str, Any]) -> str:
    """The page of a report, as text."""
    path = folder / "out" / "report.html"
    write_html(report, path, Templates())
    return path.read_text(encoding="utf-8")


def picture(text: str) -> ElementTree.Element:
    """The timeline of a page."""
    found = re.search(r"<svg viewBox.*?</svg>", text, re.DOTALL)
    assert found
    return ElementTree.fromstring(found[0])  # noqa: S314 - our own page


def test_a_consistent_report_says_so_and_fetches_nothing(tmp_path: Path) -> None:
    """One file that shows who, what and when, with no outside resource and no script."""
    sandbox = {"received": 12345, "duplicates": 0, "repeats": 2}
    text = page(tmp_path, data(broadcast(1), consistent=True, problems=[], sandbox=sandbox))
    assert "✓ consistent" in text
    assert "NOT consistent" not in text
    assert "What does not add up" not in text
    assert [word for word in ("a-2030", "12,345", "2030-02-18 10:00", "10:00:09 – 10:00:12") if word not in text] == []
    assert not re.search(r"<script|<link|src=|@import|url\((?!#)|https?:", text)


def test_an_inconsistent_report_lists_its_problems_and_marks_their_rows(tmp_path: Path) -> None:
    """A problem leads to the broadcast that it is about; one about an unlisted broadcast is listed all the same."""
    problems = [f"{1:020x}: 2 saw it twice", "feed: shown to the public, but not in the plan"]
    text = page(tmp_path, data(broadcast(1), broadcast(2), consistent=False, problems=problems))
    assert "✗ NOT consistent" in text
    assert f'<li><a href="#b-{1:020x}">{problems[0]}</a></li>' in text
    assert f"<li>{problems[1]}</li>" in text
    assert text.count('class="told wrong"') == 1


def test_an_unknown_outcome_is_never_hidden_by_a_good_verdict(tmp_path: Path) -> None:
    """Unknown adds up, yet the official must see that some may not have been told."""
    doubtful = broadcast(1, accepted=9, delivered=9, unknown=1)
    reasons = [{"channel": "sms", "outcome": "unknown", "reason": "", "number": 1}]
    text = page(tmp_path, data(doubtful, consistent=True, problems=[], reasons=reasons))
    assert "1 with an unknown outcome" in text
    assert "no reason was given" in text
    assert 'aria-label="accepted 9, unknown 1"' in text


def test_a_report_without_broadcasts_or_check_claims_nothing(tmp_path: Path) -> None:
    """Nothing planned, nobody checked: the page says exactly that."""
    text = page(tmp_path, data())
    assert "Not checked" in text
    assert "No broadcasts." in text
    assert "consistent</b>" not in text
    assert "Sandbox" not in text
    assert "<svg viewBox" not in text


def test_what_a_report_says_is_escaped(tmp_path: Path) -> None:
    """A reason from outside is text, not markup."""
    text = page(tmp_path, data(broadcast(1, note="<b>&")))
    assert "<span>&lt;b&gt;&amp;</span>" in text


def test_the_picture_has_a_lane_for_each_channel_and_a_dot_for_each_broadcast(tmp_path: Path) -> None:
    """What went out is solid, what was revoked is hollow, and its title says when and what."""
    due = "2030-03-21T00:30:00+08:00"
    rows = [broadcast(1), broadcast(2, channel="kiosk"), revoked(3, phase="overrun", due_at=due)]
    svg = picture(page(tmp_path, data(*rows)))
    dots = list(svg.iter("g"))
    assert [dot.get("class") for dot in dots] == [
        "dot p-notice told",
        "dot p-overrun never",
        "dot p-notice told",
    ]
    assert dots[1][0].text == "2030-03-21 00:30 · sms · overrun · revoked"


def test_dots_of_one_moment_do_not_cover_each_other() -> None:
    """Neighbours go to the next free row of their lane, and the lane grows with them."""
    assert stack([100, 100, 105, 125, 300]) == [0, 1, 2, 0, 0]
    scale = scale_of([datetime.fromisoformat(broadcast(1)["due_at"])], SHANGHAI)
    one, two = timeline([broadcast(1)], scale), timeline([broadcast(1), broadcast(2)], scale)
    assert two.height > one.height
    assert len({(dot.x, dot.y) for dot in two.lanes[0].dots}) == 2


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (0, ["12-30 09:00", "10:00", "11:00"]),
        (3, ["12-30 12:00", "18:00", "12-31", "06:00", "12:00", "18:00", "2031-01-01", "06:00"]),
        (31, ["2030-12-30", "2031-01-01", "01-03", "01-05"]),
    ],
)
def test_the_axis_has_round_local_times_and_room_for_their_labels(days: int, labels: list[str]) -> None:
    """Hours for a day, days for a month; the first of a year is written with its year or day."""
    start = datetime(2030, 12, 30, 10, tzinfo=SHANGHAI)
    found = list(ticks(scale_of([start, start + timedelta(days=days)], SHANGHAI)))
    assert 2 <= len(found) <= 18
    assert [tick.label for tick in found][: len(labels)] == labels


def test_a_clock_change_moves_no_dot() -> None:
    """Positions follow elapsed time: the night on which clocks go forward is an hour narrower."""
    berlin = ZoneInfo("Europe/Berlin")
    days = [datetime(2030, 3, day, tzinfo=berlin) for day in (30, 31)] + [datetime(2030, 4, 1, tzinfo=berlin)]
    scale = scale_of(days, berlin)
    first, second, third = (scale.x(day) for day in days)
    assert (third - second) / (second - first) == pytest.approx(23 / 24, abs=0.001)


def test_a_share_is_never_rounded_to_all_or_nothing() -> None:
    """One person in two million who was not told is not 0%."""
    pairs = [(0, 5), (5, 5), (1, 2_000_000), (1_999_999, 2_000_000), (1, 3), (0, 0)]
    assert [share_text(*pair) for pair in pairs] == ["0%", "100%", "<0.1%", ">99.9%", "33.3%", "–"]


def test_the_bar_shows_who_is_not_accounted_for() -> None:
    """Its parts make up all recipients, also when the counters do not; without recipients there is none."""
    parts = proportions(broadcast(1, accepted=6, rejected=2))
    assert {part["name"]: part["percent"] for part in parts} == {"accepted": 60, "rejected": 20, "missing": 20}
    assert proportions(revoked(1)) == []


def test_sending_that_runs_past_midnight_names_the_day() -> None:
    """A clock time alone would be read as the day on which the broadcast was due."""
    late = broadcast(1, opened_at="2030-02-18T23:59:59+08:00", closed_at="2030-02-19T00:00:03+08:00")
    assert sent(late) == "23:59:59 – 02-19 00:00:03"
    assert sent(revoked(1)) == "–"
    assert sent(broadcast(1, closed_at=None)) == "10:00:09 –"


def test_surfaces_and_posts_that_are_not_right_are_marked(tmp_path: Path) -> None:
    """A screen that lacks the change, an address that shows something else, a post that nothing replaced."""
    at = "2030-02-18T10:00:00+08:00"
    read = {"endpoint": "", "result": "shows something else", "differences": ["its state is <old>"], "at": at}
    hall = {"name": "hall", "fetched_at": at, "stale_since": at}
    bank = {"name": "bank", "fetched_at": None, "stale_since": None}
    surfaces = [{"channel": "kiosk", "screens": [hall, bank], "read": [read]}]
    post = {"channel": "wechat", "account": "bureau", "phase": "notice", "revision": 1, "broadcast": "b1", "at": at}
    fate = {"reference": "", "superseded": True, "action": None, "reason": None, "successor": None}
    times = {"false_statement_minutes": {"kiosk": 3.5}, "longest_false_statement_minutes": {"kiosk": 2.25}}
    text = page(tmp_path, data(broadcast(1), surfaces=surfaces, posts=[{**post, **fate}], **times))
    assert text.count('<tr class="wrong">') == 3
    for words in ("its state is &lt;old&gt;", "never under its name", "superseded, no successor yet", "3.50", "2.25"):
        assert words in text


def test_a_replaced_post_names_its_successor(tmp_path: Path) -> None:
    """By its phase and revision."""
    at = "2030-02-18T10:00:00+08:00"
    common = {"channel": "wechat", "account": "bureau", "at": at, "reference": "r", "reason": ""}
    old = {**common, "phase": "notice", "revision": 1, "broadcast": "b1", "superseded": True}
    new = {**common, "phase": "changed", "revision": 2, "broadcast": "b2", "superseded": False}
    posts = [{**old, "action": "linked", "successor": "b2"}, {**new, "action": None, "successor": None}]
    text = page(tmp_path, data(broadcast(1), posts=posts))
    assert "linked for changed of revision 2" in text
    assert '<tr class="wrong">' not in text


def test_planned_revised_and_actual_times_are_on_the_page(tmp_path: Path) -> None:
    """And what operators were told, with what came of it."""
    window = {"start": "2030-02-26T00:00:00+08:00", "end": "2030-03-21T00:00:00+08:00"}
    revised = {"revision": 2, "approved_at": "2030-03-20T15:00:00+08:00", **window, "end": "2030-03-25T00:00:00+08:00"}
    times = {"planned": window, "revised": [revised], "actual": {**window, "end": None, "cancelled": None}}
    asked = {
        "type": "owner.asked",
        "operator": "duty-desk",
        "planned_end": window["end"],
        "lead": "2 days before",
        "at": "2030-03-19T00:00:00+08:00",
        "state": "waiting",
        "ended_at": None,
        "trouble": "duty-desk answered 503",
    }
    text = page(tmp_path, data(times=times, asked=[asked]))
    assert "<td>planned 计划</td><td>2030-02-26 00:00</td><td>2030-03-21 00:00</td>" in text
    assert "<td>2030-03-25 00:00</td><td>revision 2, approved 2030-03-20 15:00</td>" in text
    assert "<td>actual 实际</td><td>2030-02-26 00:00</td><td>–</td>" in text
    assert "owner.asked (2 days before, 2030-03-21 00:00) · duty-desk: waiting · duty-desk answered 503" in text
