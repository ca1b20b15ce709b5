"""Surface documents: which phase a screen shows when, by itself, and that it never says `restored` by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.model import Announcement
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.surfaces.document import Shown, document, milliseconds, spans
from tests.builders import at, example, proposal, window

APPROVED = at("2022-02-17 10:00")
SHOWN = Shown(example().announcement, 1, State.SCHEDULED, APPROVED, None, None)


def _told(shown: Shown) -> list[tuple[str, str, str | None]]:
    """(phase, from, until) in local time."""
    return [
        (str(span.phase), f"{span.start:%m-%d %H:%M}", f"{span.end:%m-%d %H:%M}" if span.end else None)
        for span in spans(shown)
    ]


def _of(start: str, end: str | None = None) -> Announcement:
    return proposal(window=window(start, end)).announcement


@pytest.mark.parametrize("state", [State.SCHEDULED, State.IN_PROGRESS, State.OVERRUN])
def test_a_screen_knows_the_whole_life_in_advance(state: State) -> None:
    """It switches at each boundary without asking us, and stays at `overrun` until a person speaks."""
    assert _told(replace(SHOWN, state=state)) == [
        ("notice", "02-17 10:00", "02-23 00:00"),
        ("reminder", "02-23 00:00", "02-26 00:00"),
        ("started", "02-26 00:00", "02-27 00:00"),
        ("ongoing", "02-27 00:00", "03-21 00:00"),
        ("overrun", "03-21 00:00", None),
    ]


@pytest.mark.parametrize(
    ("approved", "first"),
    [
        ("2022-02-24 12:00", ("reminder", "02-24 12:00", "02-26 00:00")),
        ("2022-02-26 00:00", ("started", "02-26 00:00", "02-27 00:00")),
        ("2022-02-26 09:00", ("started", "02-26 09:00", "02-27 00:00")),
        ("2022-03-01 09:00", ("ongoing", "03-01 09:00", "03-21 00:00")),
        ("2022-03-25 09:00", ("overrun", "03-25 09:00", None)),
    ],
)
def test_approved_late_it_begins_with_what_is_true_then(approved: str, first: tuple[str, str, str | None]) -> None:
    """A screen never says that something will stop that has stopped."""
    assert _told(replace(SHOWN, approved_at=at(approved)))[0] == first


def test_a_short_outage_has_no_ongoing() -> None:
    """Six hours: what shows on the first day lasts to the end."""
    shown = replace(SHOWN, announcement=_of("2022-02-26 00:00", "2022-02-26 06:00"))
    assert _told(shown)[2:] == [("started", "02-26 00:00", "02-26 06:00"), ("overrun", "02-26 06:00", None)]


def test_without_an_end_it_is_ongoing_until_a_person_says_otherwise() -> None:
    """Nothing is overdue that was never promised."""
    shown = replace(SHOWN, announcement=_of("2022-02-26 00:00"))
    assert _told(shown)[-1] == ("ongoing", "02-27 00:00", None)


@pytest.mark.parametrize("end", [None, "2022-03-20 24:00"])
@pytest.mark.parametrize("state", [State.SCHEDULED, State.IN_PROGRESS, State.OVERRUN])
def test_the_clock_never_says_restored(state: State, end: str | None) -> None:
    """Whatever the state and the end, only `finish` does."""
    shown = replace(SHOWN, state=state, announcement=_of("2022-02-26 00:00", end))
    assert Phase.RESTORED not in {span.phase for span in spans(shown)}


def test_a_finished_outage_is_news_for_a_week() -> None:
    """From the moment at which somebody confirmed it."""
    finished = at("2022-03-20 22:30")
    assert _told(replace(SHOWN, state=State.COMPLETED, finished_at=finished)) == [
        ("restored", "03-20 22:30", "03-27 22:30")
    ]


def test_a_cancelled_outage_is_news_for_a_week() -> None:
    """From the moment of the cancellation."""
    cancelled = at("2022-02-20 12:00")
    assert _told(replace(SHOWN, state=State.CANCELLED, cancelled_at=cancelled)) == [
        ("cancelled", "02-20 12:00", "02-27 12:00")
    ]


@pytest.mark.parametrize("approved", ["2022-02-17 10:00", "2022-02-24 12:00", "2022-03-25 09:00"])
def test_spans_follow_each_other_without_gap_or_overlap(approved: str) -> None:
    """Each ends where the next begins; the first begins with the approval."""
    found = spans(replace(SHOWN, approved_at=at(approved)))
    assert [span.end for span in found[:-1]] == [span.start for span in found[1:]]
    assert all(span.end is None or span.start < span.end for span in found)
    assert found[0].start == at(approved)


def test_a_document_holds_what_shows_now_and_what_comes() -> None:
    """What is over is left out; times are UTC milliseconds; every language is there."""
    now = at("2022-02-26 09:00")
    found = document(CHANNELS["banner"], Templates(), [SHOWN], seq=7, issued_at=now)
    assert (found["surface"], found["seq"], found["issued_at"]) == ("banner", 7, milliseconds(now))
    (entry,) = found["announcements"]
    assert [phase["phase"] for phase in entry["phases"]] == ["started", "ongoing", "overrun"]
    assert entry["phases"][0]["from"] == 1645804800000
    assert entry["phases"][0]["until"] == 1645804800000 + 24 * 60 * 60 * 1000
    assert set(entry["phases"][0]["text"]) == {"zh-Hans", "en"}
    assert json.loads(json.dumps(found)) == found


def test_what_is_over_leaves_the_document() -> None:
    """A week after the end nobody needs to be told."""
    finished = at("2022-03-20 22:30")
    done = replace(SHOWN, state=State.COMPLETED, finished_at=finished)
    found = document(CHANNELS["banner"], Templates(), [done], seq=1, issued_at=finished + timedelta(days=7))
    assert found["announcements"] == []


def test_a_reader_can_close_news_but_not_an_outage() -> None:
    """What has stopped stays in sight."""
    found = document(CHANNELS["banner"], Templates(), [SHOWN], seq=1, issued_at=APPROVED)
    closable = {phase["phase"]: phase["dismissible"] for phase in found["announcements"][0]["phases"]}
    assert closable == {"notice": True, "reminder": True, "started": False, "ongoing": False, "overrun": False}


def test_a_kiosk_has_pages_and_a_code_to_photograph() -> None:
    """Nobody can click on it; a banner needs no code."""
    kiosk, banner = (
        document(CHANNELS[slug], Templates(), [SHOWN], seq=1, issued_at=APPROVED)["announcements"][0]
        for slug in ("kiosk", "banner")
    )
    assert kiosk["qr"].startswith("data:image/svg+xml;base64,")
    assert len(kiosk["phases"][0]["text"]["zh-Hans"]["pages"]) >= 1
    assert "qr" not in banner
