"""The pictures of the report: each says exactly what the data says, and nobody is too few to be seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from broadcaster.planning.lateness import BEYOND, BOUNDS
from broadcaster.rendering.environment import Templates
from broadcaster.reporting import bars
from broadcaster.reporting.axis import LEFT, RIGHT, WIDTH, scale_of
from broadcaster.reporting.histogram import histogram
from broadcaster.reporting.page import write_html
from broadcaster.reporting.panels import MOST, panels
from broadcaster.reporting.report import points
from broadcaster.reporting.told import told
from broadcaster.reporting.words import compact, shortened, span
from tests.unit.test_report_page import broadcast, data, revoked

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPENED = datetime(2030, 2, 18, 2, 0, 9, tzinfo=UTC)
LOOKS = {"kiosk": "ch-0", "sms": "ch-1"}


def risen(**outcomes: int) -> list[dict[str, Any]]:
    """Points of a broadcast that took a minute and recorded everything in its middle."""
    return points(OPENED, OPENED + timedelta(minutes=1), {30: outcomes})


def numbers(path: str) -> list[tuple[float, float]]:
    """The points of an SVG path."""
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def late(*rows: tuple[str, str, int]) -> list[dict[str, Any]]:
    """Lateness as the report has it: channel, bucket, number."""
    return [
        {"channel": channel, "at_most_seconds": None if name == BEYOND else float(name), "number": number}
        for channel, name, number in rows
    ]


def test_points_rise_to_what_the_ledger_holds() -> None:
    """From nobody at the opening to everybody at the end, each outcome for itself."""
    found = points(OPENED, OPENED + timedelta(seconds=60), {0: {"accepted": 3}, 59: {"accepted": 4, "rejected": 1}})
    assert found[0] == {"at": "2030-02-18T02:00:09.000+00:00", "accepted": 0, "rejected": 0, "unknown": 0, "skipped": 0}
    assert [found[step]["accepted"] for step in (1, 59, 60)] == [3, 3, 7]
    assert found[-1]["at"] == "2030-02-18T02:01:09.000+00:00"
    assert found[-1]["rejected"] == 1


def test_a_curve_steps_up_where_people_were_told_and_ends_at_its_total() -> None:
    """A channel that told nobody has no strip."""
    rows = [broadcast(1), broadcast(2, due_at="2030-02-20T10:00:00+08:00"), revoked(3, channel="kiosk")]
    later = [{**point, "at": point["at"].replace("-18T", "-20T")} for point in risen(accepted=5)]
    progress = {rows[0]["id"]: risen(accepted=10), rows[1]["id"]: later}
    scale = scale_of([OPENED, OPENED + timedelta(days=2)], SHANGHAI)
    picture = told(rows, progress, scale)
    assert picture
    (curve,) = picture.curves
    heights = [y for _, y in numbers(curve.line)]
    assert (curve.channel, curve.total) == ("sms", "15")
    assert heights == sorted(heights, reverse=True)
    assert (heights[0] - heights[2]) / (heights[0] - heights[-1]) == pytest.approx(10 / 15, abs=0.02)
    assert told([revoked(1)], {}, scale) is None


def test_a_panel_lays_the_outcomes_on_each_other() -> None:
    """Full height is everybody: what is not accounted for stays empty."""
    row = broadcast(1, recipients=100, accepted=60, rejected=20, accounted=80)
    picture = panels([row], {row["id"]: risen(accepted=60, rejected=20)})
    assert picture
    (panel,) = picture.panels
    accepted, rejected = panel.bands
    assert (accepted.outcome, rejected.outcome) == ("accepted", "rejected")
    assert min(y for _, y in numbers(accepted.path)) == pytest.approx(picture.plot * 0.4, abs=0.1)
    assert min(y for _, y in numbers(rejected.path)) == pytest.approx(picture.plot * 0.2, abs=0.1)
    assert panel.caption == "80 of 100 in 1 min"
    assert (panel.first, panel.last) == ("10:00:09", "10:01:09")


def test_the_largest_broadcasts_have_a_panel_and_the_others_are_counted() -> None:
    """By due time, as they are read."""
    rows = [broadcast(number, recipients=number, accounted=number) for number in range(1, MOST + 4)]
    picture = panels(rows, {row["id"]: risen(accepted=row["recipients"]) for row in rows})
    assert picture
    assert (len(picture.panels), picture.others) == (MOST, 3)
    assert "15 of 15" in {panel.caption.removesuffix(" in 1 min") for panel in picture.panels}
    assert panels([revoked(1)], {}) is None


def test_a_handful_of_endpoints_has_no_panel_beside_a_million_people() -> None:
    """They are in the table; among themselves they have panels."""
    few, many = broadcast(1, recipients=3, accounted=3), broadcast(2, recipients=1_000_000)
    progress = {row["id"]: risen(accepted=3) for row in (few, many)}
    both, alone = panels([few, many], progress), panels([few], progress)
    assert both
    assert alone
    assert (len(both.panels), both.others) == (1, 1)
    assert (len(alone.panels), alone.others) == (1, 0)


def test_an_outcome_of_one_among_millions_is_still_seen() -> None:
    """Its part is drawn a little wider than it is, and the bar does not grow."""
    row = broadcast(1, recipients=9_000_000, accepted=8_999_998, unknown=1)
    picture = bars.outcomes([row])
    assert picture
    parts = {part.look: part.width for part in picture.bars[0].parts}
    assert set(parts) == {"o-accepted", "o-unknown", "o-missing"}
    assert min(parts.values()) >= 3
    assert sum(parts.values()) == pytest.approx(WIDTH - LEFT - RIGHT, abs=0.2)
    assert picture.bars[0].text.endswith("unknown 1 (<0.1%) · not accounted for 1 (<0.1%)")


def test_a_channel_without_recipients_has_no_bar() -> None:
    """Nothing is drawn as nothing."""
    assert bars.outcomes([revoked(1)]) is None


def test_a_reason_of_several_channels_is_one_bar() -> None:
    """The most frequent first; whoever has a rarer reason than the twelfth is counted together."""
    rows = [{"channel": "sms", "outcome": "rejected", "reason": f"reason {n}", "number": n} for n in range(1, 15)]
    rows.append({"channel": "kiosk", "outcome": "rejected", "reason": "reason 14", "number": 6})
    picture = bars.reasons(rows, LOOKS)
    assert picture
    first = picture.bars[0]
    assert (first.name, first.text) == ("rejected: reason 14", "20")
    assert [(part.look, part.title) for part in first.parts] == [("ch-0", "kiosk 6"), ("ch-1", "sms 14")]
    assert (len(picture.bars), picture.others) == (bars.MOST_REASONS, 1 + 2)
    assert bars.reasons([], LOOKS) is None


def test_a_long_reason_is_cut_in_the_picture_and_whole_in_its_title() -> None:
    """The table below has it in full too."""
    words = "the supplier says a great many words about a very small matter, again and again"
    picture = bars.reasons([{"channel": "sms", "outcome": "unknown", "reason": words, "number": 1}], LOOKS)
    assert picture
    assert picture.bars[0].name.endswith("…")
    assert picture.bars[0].title == f"unknown: {words}"


def test_chinese_words_are_twice_as_wide() -> None:
    """What fits is measured as it is drawn."""
    assert shortened("号码不存在", 10) == "号码不存在"
    assert shortened("该号码已停机或不存在", 10) == "该号码已…"
    assert shortened("no such number", 14) == "no such number"
    assert shortened("no such number", 9) == "no such…"


def test_the_histogram_has_every_bucket_between_the_first_and_the_last() -> None:
    """An empty one too: a gap is a finding."""
    picture = histogram(late(("sms", "0.5", 8), ("kiosk", "0.5", 1), ("sms", "5", 1)), LOOKS)
    assert picture
    assert [column.label for column in picture.columns] == ["≤ 0.25 s", "≤ 0.5 s", "≤ 1 s", "≤ 2.5 s", "≤ 5 s"]
    assert [column.number for column in picture.columns] == ["", "9", "", "", "1"]
    assert [block.title for block in picture.columns[1].blocks] == ["kiosk 1", "sms 8"]
    assert picture.summary == (("half", "within 0.5 s"), ("99%", "within 5 s"), ("all", "within 5 s"))


def test_what_is_later_than_every_bucket_is_not_hidden() -> None:
    """A day late is the last column, and the words say so."""
    picture = histogram(late(("sms", "0.1", 1), ("sms", BEYOND, 1)), LOOKS)
    assert picture
    assert len(picture.columns) == len(BOUNDS) + 1
    assert picture.columns[-1].label == "> 1 d"
    assert picture.summary[-1] == ("all", "later than 1 d")
    assert histogram([], LOOKS) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (7, "7"),
        (9_999, "9,999"),
        (12_345, "12.3k"),
        (999_499, "999k"),
        (999_999, "1M"),
        (9_876_543, "9.88M"),
        (123_456_789, "123M"),
    ],
)
def test_a_number_between_many_columns_is_short(number: int, text: str) -> None:
    """Five characters fit; the columns' own titles have it in full."""
    assert compact(number) == text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.1, "0.1 s"),
        (2.5, "2.5 s"),
        (10, "10 s"),
        (59.6, "60 s"),
        (60, "1 min"),
        (90, "1.5 min"),
        (7200, "2 h"),
        (86400, "1 d"),
    ],
)
def test_a_length_of_time_has_one_unit(seconds: float, words: str) -> None:
    """Short enough for the axis."""
    assert span(seconds) == words


def shown(folder: Path, *rows: Mapping[str, Any], **more: Any) -> str:
    """The page of a report with pictures, as text."""
    write_html(data(*map(dict, rows), **more), folder / "report.html", Templates())
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_picture_is_on_the_page_with_a_name_for_who_cannot_see_it(tmp_path: Path) -> None:
    """Each is described, and each has its heading."""
    row = broadcast(1, recipients=10, accepted=9, rejected=1, accounted=10)
    reasons = [{"channel": "sms", "outcome": "rejected", "reason": "no such number", "number": 1}]
    progress = {row["id"]: risen(accepted=9, rejected=1)}
    text = shown(tmp_path, row, progress=progress, lateness=late(("sms", "30", 9)), reasons=reasons)
    headings = ("timeline", "told", "progress", "outcomes", "lateness", "broadcasts", "reasons")
    assert [name for name in headings if f'<h2 id="{name}">' not in text] == []
    drawn: Sequence[str] = re.findall(r"<svg (?!class=\"patterns\")[^>]*>", text)
    assert len(drawn) == 6
    assert all('role="img"' in tag and "aria-label=" in tag for tag in drawn)


def test_every_fill_of_a_picture_is_defined(tmp_path: Path) -> None:
    """A pattern that is not there would be drawn as nothing."""
    text = shown(tmp_path, broadcast(1))
    assert set(re.findall(r"url\(#([\w-]+)\)", text)) == set(re.findall(r'<pattern id="([\w-]+)"', text))


def test_a_hold_is_said_at_the_top(tmp_path: Path) -> None:
    """What is halted is not to be found out from a missing number."""
    hold = {
        "scope": "broadcast",
        "target": "7d60",
        "kind": "halted",
        "reason": "canary: 14% failed",
        "actor": "scheduler",
    }
    text = shown(tmp_path, broadcast(1), holds=[{**hold, "at": "2030-02-18T10:00:00+08:00"}])
    assert text.index("canary: 14% failed") < text.index('<h2 id="totals">')


def test_a_report_of_what_is_under_way_does_not_claim_that_everybody_is_accounted_for(tmp_path: Path) -> None:
    """So far, the figures agree; no more is known."""
    text = shown(tmp_path, broadcast(1, state="open", closed_at=None), consistent=True, problems=[])
    assert "1 broadcast is still under way" in text
    assert "Every recipient of every broadcast is accounted for" not in text
