"""The report in a browser: its pictures can be read, on the screen and on paper."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from broadcaster.rendering.environment import Templates
from broadcaster.reporting.page import write_html
from broadcaster.reporting.report import points
from tests.unit.test_correcting import STALE, change, fact, numbers
from tests.unit.test_report_page import broadcast, data

pytestmark = pytest.mark.browser

MILLIONS = 9_876_543
REASONS = ("no such number ", "该号码已停机")
BEGIN = datetime.fromisoformat("2030-02-18T10:00:00+08:00")

OVERLAPS = """
() => [...document.querySelectorAll("svg[role=img]")].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const labels = [...svg.querySelectorAll("text")].filter(label => label.textContent.trim());
  const boxes = labels.map(label => [label.textContent.trim(), label.getBoundingClientRect()]);
  const outside = boxes.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1
    || box.top < frame.top - 1 || box.bottom > frame.bottom + 1).map(([text]) => `${text} leaves its picture`);
  const crossing = boxes.flatMap(([text, box], place) => boxes.slice(place + 1).filter(([, other]) =>
    Math.min(box.right, other.right) - Math.max(box.left, other.left) > 1
    && Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top) > 5).map(([other]) => `${text} / ${other}`));
  return [...outside, ...crossing];
})
"""
"""Labels that are cut off, and pairs of labels that lie on each other (lines of text may touch)."""

SMALLEST = """
() => Math.min(...[...document.querySelectorAll("svg[role=img] text")].map(label =>
  parseFloat(getComputedStyle(label).fontSize) * label.getCTM().a))
"""
"""The size of the smallest letters, in pixels of the screen."""


def busy(number: int) -> dict[str, Any]:
    """One of several large broadcasts, two weeks after each other, on four channels."""
    due = BEGIN + timedelta(days=14 * (number // 4))
    channel = ("sms", "wechat", "banner", "kiosk")[number % 4]
    counts = {"recipients": MILLIONS, "accepted": MILLIONS - 1_234_567, "rejected": 1_234_566, "unknown": 1}
    times = {
        "due_at": due.isoformat(),
        "opened_at": due.isoformat(),
        "closed_at": (due + timedelta(hours=3)).isoformat(),
    }
    return broadcast(number, channel=channel, phase="ongoing", accounted=MILLIONS, delivered=0, **counts, **times)


def moved(day: int) -> dict[str, Any]:
    """One of several changes: a million people were left by it, and its corrections took a second to a week."""
    seconds = 1 << 2 * day
    channels = {name: numbers(MILLIONS, MILLIONS // 8, seconds) for name in ("banner", "kiosk", "sms")}
    times = {"applied_at": (BEGIN + timedelta(days=day)).isoformat(), "why": "the hall is not ready, " * 9}
    return change("extend", fact("window.end", BEGIN.isoformat(), times["applied_at"]), **channels) | times


@pytest.fixture
def report(tmp_path: Path) -> str:
    """The address of a report with large numbers, long reasons and every bucket of lateness."""
    rows = [busy(number) for number in range(16)]
    steps = {step: {"accepted": 140_000, "rejected": 20_000} for step in range(60)}
    progress = {
        row["id"]: points(datetime.fromisoformat(row["opened_at"]), datetime.fromisoformat(row["closed_at"]), steps)
        for row in rows
    }
    bounds = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 86400.0, None)
    lateness = [{"channel": "sms", "at_most_seconds": bound, "number": MILLIONS} for bound in bounds]
    reasons = [
        {
            "channel": row["channel"],
            "outcome": "rejected",
            "reason": f"{place} {REASONS[place % 2] * 9}",
            "number": 100_000,
        }
        for place, row in enumerate(rows)
    ]
    path = tmp_path / "report.html"
    minutes = {
        "changes": [moved(day) for day in range(1, 9)],
        "stale": STALE,
        "stale_recipient_minutes": {"sms": 123_456_789.1},
        "false_statement_minutes": {"kiosk": 0.01, "banner": 12.5},
    }
    found = data(*rows, progress=progress, lateness=lateness, reasons=reasons, consistent=True, problems=[], **minutes)
    write_html(found, path, Templates())
    return path.as_uri()


def test_no_label_of_a_picture_lies_on_another_or_is_cut_off(page: Page, report: str) -> None:
    """With millions of people, and with the longest reasons."""
    page.goto(report)
    assert page.evaluate(OVERLAPS) == []


def test_a_telephone_shows_it_without_being_moved_sideways(page: Page, report: str) -> None:
    """But for pictures and tables, each of which is moved by itself, with the keyboard too."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    narrow = "[...document.querySelectorAll('.wide')].filter(one => one.scrollWidth > one.clientWidth)"
    assert page.evaluate(f"{narrow}.map(one => one.tabIndex)") == [0, 0]
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("width", [768, 1024, 1280])
def test_a_smaller_screen_shows_it_without_being_moved_sideways(page: Page, report: str, width: int) -> None:
    """The table of broadcasts is wider than that, and is moved by itself."""
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_letters_are_large_enough_to_read(page: Page, report: str) -> None:
    """On a screen of the usual size."""
    page.goto(report)
    assert page.evaluate(SMALLEST) >= 10


def test_a_picture_keeps_its_looks_on_paper(page: Page, report: str) -> None:
    """Printers leave backgrounds out, so what tells outcomes apart is drawn; and no picture is torn in two."""
    page.goto(report)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('path.o-rejected')).fill") == 'url("#rejected")'
    breaks = "[...document.querySelectorAll('figure')].map(one => getComputedStyle(one).breakInside)"
    assert set(page.evaluate(breaks)) == {"avoid"}
