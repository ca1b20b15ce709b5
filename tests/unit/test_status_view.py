"""What `status` shows: what is wrong stands out, and what matters fits on the screen."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from rich.console import Console, RenderableType

from broadcaster.cli import status_view as view
from broadcaster.reporting.rate import Rates
from broadcaster.reporting.report import COUNTERS
from broadcaster.storage.progress import CONDITIONS

WIDTH = 220


def row(id_: str, **changed: Any) -> dict[str, Any]:
    """An open broadcast to 1,000 people, a quarter of whom are accounted for."""
    counts = dict.fromkeys((*COUNTERS, "in_doubt"), 0) | {"recipients": 1000, "accepted": 250, "accounted": 250}
    return {
        "id": id_,
        "phase": "notice",
        "channel": "sms",
        "state": "open",
        "reason": "",
        "note": "",
        "canary": "",
        "due_at": "2030-05-10T10:00:00+08:00",
        "held_until": None,
        "opened_late_seconds": 0.4,
        "lateness_seconds": None,
        "batches": dict.fromkeys(CONDITIONS, 0),
        **counts,
    } | changed


def planned(id_: str) -> dict[str, Any]:
    """One that is yet to come."""
    return row(id_, state="planned", opened_late_seconds=None, recipients=0, accepted=0, accounted=0)


def closed(id_: str) -> dict[str, Any]:
    """One that is over."""
    return row(id_, state="closed", accepted=1000, accounted=1000, lateness_seconds=12.34)


def data(*rows: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """What a look at an announcement found."""
    head = {"slug": "pump-works", "state": "in_progress", "paused": False, "revision": 2, "zone": "Asia/Shanghai"}
    times: dict[str, Any] = {"planned": None, "revised": [], "actual": dict.fromkeys(("start", "end", "cancelled"))}
    told = {"times": times, "asked": [], "operators": ["duty-desk"], "stale": []}
    around = {"holds": [], "circuits": [], "seconds_since_tick": 0.4}
    return {"announcement": head, **around, **told, "broadcasts": rows} | changed


def hold(**changed: Any) -> dict[str, Any]:
    """A broadcast that a canary halted."""
    return {
        "scope": "broadcast",
        "target": "7d608e5992a2351a501d",
        "kind": "halted",
        "reason": "canary: 14% failed",
        "actor": "scheduler",
        "at": "2030-05-10T10:02:00+08:00",
    } | changed


def said(shown: RenderableType, color: str | None = None) -> str:
    """What the terminal would show."""
    console = Console(file=io.StringIO(), width=WIDTH, force_terminal=bool(color), highlight=False)
    console.print(shown)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("accounted", "bar"),
    [(0, "░░░░░░░░░░ 0%"), (250, "██░░░░░░░░ 25.0%"), (999, "█████████░ 99.9%"), (1000, "██████████ 100%")],
)
def test_a_bar_is_full_only_when_nobody_is_missing(accounted: int, bar: str) -> None:
    """One person who is not accounted for is seen."""
    assert view.progress_bar(row("a", accounted=accounted)) == bar


def test_nobody_has_no_bar() -> None:
    """A broadcast that is not opened has no recipients yet."""
    assert view.progress_bar(planned("a")) == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "0.4"),
        ({"state": "closed", "lateness_seconds": 1234.56}, "0.4 / 1,234.6"),
        ({"state": "planned", "opened_late_seconds": 95.2}, "95 !"),
        ({"state": "planned", "opened_late_seconds": None}, ""),
    ],
)
def test_lateness_is_to_the_opening_and_to_the_end(changed: dict[str, Any], words: str) -> None:
    """And what is due and not opened has a mark."""
    assert view.lateness(row("a", **changed)) == words


def test_a_note_says_what_is_waited_for() -> None:
    """Retries, quiet hours, a canary; else why it stands as it does."""
    waiting = dict.fromkeys(CONDITIONS, 0) | {"retrying": 3, "held": 2}
    busy = row("a", canary="sending", batches=waiting, held_until="2030-05-11T08:00:00+08:00")
    assert view.note(busy) == "canary; 3 batches to retry; 2 batches held until 2030-05-11 08:00"
    assert view.note(row("a", state="skipped", reason="expired")) == "expired"


def test_who_is_in_doubt_is_said() -> None:
    """In words where there is no column for it."""
    busy = row("a", in_doubt=1200, canary="sending")
    assert "1,200 in doubt; canary" in said(view.of_one(data(busy)))
    assert " 1,200 " in said(view.of_one_live(data(busy), Rates(), WIDTH, 20))


def test_a_halt_is_loud_and_says_how_to_go_on() -> None:
    """With its reason, who said so, and the command."""
    text = said(view.of_one(data(row("a"), holds=[hold()])))
    assert "HALTED broadcast 7d608e5992a2351a501d: canary: 14% failed · scheduler, since 2030-05-10 10:02" in text
    assert "broadcaster resume --broadcast 7d608e5992a2351a501d" in text
    assert "\x1b[1;37;41m HALTED" in said(view.of_one(data(row("a"), holds=[hold()])), color="standard")


@pytest.mark.parametrize(
    ("scope", "target", "command"),
    [("everything", "", "resume --everything"), ("announcement", "pump-works", "resume pump-works")],
)
def test_a_pause_is_said_with_its_own_command(scope: str, target: str, command: str) -> None:
    """Whatever it holds back."""
    text = said(view.of_one(data(holds=[hold(scope=scope, target=target, kind="paused", reason="")])))
    assert "PAUSED" in text
    assert command in text


def test_a_provider_that_fails_is_said() -> None:
    """One whose circuit is closed is not."""
    circuits = [
        {"channel": "sms", "provider": "east", "state": "open"},
        {"channel": "sms", "provider": "west", "state": "closed"},
    ]
    text = said(view.of_one(data(circuits=circuits)))
    assert "east (sms) fails: its circuit is open" in text
    assert "west" not in text


@pytest.mark.parametrize(
    ("age", "words"),
    [(None, "THE SCHEDULER NEVER RAN"), (45.0, "THE SCHEDULER IS SILENT for 45 s"), (0.4, "the scheduler ran 0 s ago")],
)
def test_a_silent_scheduler_is_loud(age: float | None, words: str) -> None:
    """While it is silent nothing is opened, and every other figure looks calm."""
    assert words in said(view.of_one(data(seconds_since_tick=age)))
    assert words in said(
        view.of_all(
            {"announcements": [], "holds": [], "circuits": [], "asked": [], "screens": [], "seconds_since_tick": age}
        )
    )


def test_whoever_holds_something_untrue_stands_above_the_table() -> None:
    """In the live view too, where it takes the room of a row, or of two when the screen is narrow."""
    why = {"told by ongoing, due 2030-05-17 10:00": 1200, "refused: no such number": 796}
    stale = [{"channel": "sms", "stale": 1996, "why": why, "counted_at": "2030-05-10T02:00:00+00:00"}]
    rows = [*(closed(f"c{n}") for n in range(40)), row("o")]
    once = said(view.of_one(data(*rows, stale=stale)))
    assert "1,996 HOLD SOMETHING UNTRUE on sms" in once
    assert once.index("UNTRUE") < once.index("recipients")
    live = view.of_one_live(data(*rows, stale=stale * 3), Rates(), width=100, height=20)
    console = Console(file=io.StringIO(), width=100, highlight=False)
    assert "UNTRUE" in said(live)
    assert len(console.render_lines(live)) <= 20


def ids(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which broadcasts."""
    return [found["id"] for found in rows]


def test_what_fits_is_what_is_under_way_and_what_is_near() -> None:
    """The next ones to come and the last ones done, in the order of their due times."""
    rows = [closed("c1"), closed("c2"), closed("c3"), row("o"), planned("p1"), planned("p2"), planned("p3")]
    assert ids(view.pick(rows, 7)) == ids(rows)
    assert ids(view.pick(rows, 5)) == ["c2", "c3", "o", "p1", "p2"]
    assert ids(view.pick(rows, 1)) == ["o"]


def test_room_that_one_side_does_not_need_is_the_other_sides() -> None:
    """At the beginning nothing is done, at the end nothing is to come."""
    assert ids(view.pick([row("o"), *(planned(f"p{n}") for n in range(9))], 4)) == ["o", "p0", "p1", "p2"]
    assert ids(view.pick([*(closed(f"c{n}") for n in range(9)), row("o")], 4)) == ["c6", "c7", "c8", "o"]


def test_what_is_overdue_is_always_on_the_screen() -> None:
    """It should be under way."""
    overdue = row("late", state="planned", opened_late_seconds=50.0)
    assert "late" in ids(view.pick([*(closed(f"c{n}") for n in range(9)), overdue, planned("p")], 2))


def test_a_live_screen_shows_rate_and_time_left() -> None:
    """Of each broadcast under way, and of all of them together; and what it does not show."""
    rates = Rates()
    rates.look(0, {"o": 50})
    rates.look(2, {"o": 250})
    rows = [*(closed(f"c{n}") for n in range(40)), row("o"), planned("p")]
    text = said(view.of_one_live(data(*rows), rates, width=WIDTH, height=20))
    line = next(line for line in text.splitlines() if " open " in line)
    assert line.split()[:5] == ["2030-05-10", "10:00", "notice", "sms", "open"]
    assert " 100 " in line
    assert "7.5 s" in line
    assert "under way: 1 broadcast, 750 recipients left, 100/s, done in 7.5 s" in text
    assert "not shown: 29 closed" in text
    assert len(text.splitlines()) <= 20


def test_a_narrow_screen_leaves_out_what_the_others_imply() -> None:
    """Progress, rate and what went wrong stay."""
    wide, narrow = (said(view.of_one_live(data(row("o")), Rates(), width, 20)) for width in (WIDTH, 120))
    assert [name for name in ("recipients", "accepted", "in doubt", "skipped") if name not in wide] == []
    assert [
        name for name in ("recipients", "accepted", "skipped") if name in narrow.replace("recipients left", "")
    ] == []
    assert [
        name for name in ("progress", "rate/s", "left", "rejected", "unknown", "late s") if name not in narrow
    ] == []


def test_a_broadcast_can_be_named_by_what_is_shown() -> None:
    """The beginning of its id is enough for `--broadcast`."""
    assert "7d608e59 " in said(view.of_one(data(row("7d608e5992a2351a501d"))))


def test_all_announcements_have_a_line_each() -> None:
    """With state, progress and what comes next; none is said, too."""
    one = {
        **row("x"),
        "slug": "pump-works",
        "state": "scheduled",
        "revision": 1,
        "zone": "Asia/Shanghai",
        "broadcasts": {"planned": 3, "open": 1, "closed": 2},
        "stale": 1996,
        "next_due": "2030-05-11T08:00:00+08:00",
    }
    screen = {"channel": "kiosk", "names": ["hall-kiosks"], "since": "2022-02-18T10:00:00+08:00"}
    around = {"asked": [], "screens": [screen], "holds": [hold()], "circuits": [], "seconds_since_tick": 1.0}
    text = said(view.of_all({"announcements": [one], **around}))
    assert "2030-05-11 08:00" in text
    assert "██░░░░░░░░ 25.0%" in text
    assert "1,996 !" in text
    assert "HALTED" in text
    assert "kiosk: not seen the newest change since 2022-02-18 10:00: hall-kiosks" in text
    assert "no announcement yet" in said(view.of_all({"announcements": [], **around}))
