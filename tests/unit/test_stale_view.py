"""What `status` says of whoever holds something untrue: as loud as there is something to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest

from broadcaster.cli.stale_view import Row, stale_cell, stale_lines, style
from broadcaster.reporting.staleness import COUNTED_AGAIN, LEFT_OUT, NO_CORRECTION, UNDER_WAY

NOW = datetime.fromisoformat("2030-05-10T02:00:30+00:00")
REFUSED = "refused: no such number"
WAITS = "told by ongoing, due 2030-05-17 10:00"


def row(channel: str = "sms", why: Mapping[str, int] | None = None, seconds: int = 27) -> Row:
    """A channel's count, made at that second of the minute."""
    at = NOW.replace(second=seconds).isoformat()
    return {"channel": channel, "stale": sum((why or {}).values()), "why": why or {}, "counted_at": at}


def said(*rows: Row) -> list[str]:
    """The lines, without their looks."""
    return [line.plain for line in stale_lines(rows, NOW)]


def test_each_channel_says_how_many_and_why_and_how_old_the_count_is() -> None:
    """The most frequent reason first, the worst channel first; a single reason needs no number."""
    assert said(row(why={REFUSED: 96, WAITS: 1900}), row("kiosk"), row("wechat", {UNDER_WAY: 2000}, seconds=30)) == [
        f" 2,000 HOLD SOMETHING UNTRUE on wechat  {UNDER_WAY} · counted 0 s ago",
        f" 1,996 HOLD SOMETHING UNTRUE on sms  1,900 {WAITS}, 96 {REFUSED} · counted 3 s ago",
    ]
    assert said(row(why={REFUSED: 1})) == [f" 1 HOLDS SOMETHING UNTRUE on sms  {REFUSED} · counted 3 s ago"]


def test_when_all_are_corrected_one_quiet_word_says_so() -> None:
    """As old as the oldest count; nothing at all where nothing became untrue."""
    (line,) = stale_lines([row(seconds=29), row("kiosk", seconds=10)], NOW)
    assert (line.plain, line.style) == ("nobody holds anything untrue · counted 20 s ago", "dim")
    assert said() == []


@pytest.mark.parametrize(
    ("why", "color"),
    [
        ({NO_CORRECTION: 5, REFUSED: 1}, "red"),
        ({WAITS: 5}, "yellow"),
        ({UNDER_WAY: 5, REFUSED: 1}, "yellow"),
        ({"in doubt": 1}, "yellow"),
        ({UNDER_WAY: 5}, "bold"),
        ({COUNTED_AGAIN: 5}, "bold"),
        ({UNDER_WAY: 5, f"{LEFT_OUT}: opted out": 3}, "bold"),
    ],
)
def test_it_is_as_loud_as_there_is_something_to_do(why: Mapping[str, int], color: str) -> None:
    """Nothing will correct them; they wait, or were missed; it is under way, or they must not be told."""
    assert style(row(why=why)).endswith(color)


def test_a_count_from_a_clock_that_is_ahead_is_not_older_than_now() -> None:
    """The database's clock may be a little ahead of this machine's."""
    assert said(row(why={REFUSED: 1}, seconds=31))[0].endswith("counted 0 s ago")


def test_the_overview_marks_whoever_is_stale() -> None:
    """Nobody is a number; not counted is none."""
    assert [stale_cell(number) for number in (None, 0, 1996)] == ["", "0", "1,996 !"]
