"""What was read back from a surface against what should show: every difference has a name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from broadcaster.surfaces.comparison import differences
from tests.browser.documents import DAY, HOUR, NOW, Document, announcement, banner_phase, document, kiosk_phase

EMBEDDED = "https://notices.example/surfaces/"
SLUG = "city-2022"

EXPECTED = document(
    "banner",
    announcement(banner_phase("started", NOW - HOUR, NOW + DAY), banner_phase("overrun", NOW + DAY, None)),
    issued_at=NOW,
)


def differs(found: object, expected: Document = EXPECTED) -> list[str]:
    """What differs in a document that was read."""
    return [" ".join(filter(None, row)) for row in differences(expected, json.dumps(found).encode(), EMBEDDED)]


def on_page(html: str, expected: Document = EXPECTED) -> list[str]:
    """What differs on somebody's own page."""
    return [" ".join(filter(None, row)) for row in differences(expected, html.encode(), EMBEDDED)]


def changed(change: Callable[[Document], None]) -> Document:
    """The expected document with something else in it."""
    found = copy.deepcopy(EXPECTED)
    change(found)
    return found


def entry(found: Document) -> dict[str, Any]:
    """Its announcement."""
    only: dict[str, Any] = found["announcements"][0]
    return only


def test_the_same_document_differs_in_nothing() -> None:
    """Whenever it was made."""
    assert differs(EXPECTED) == []
    assert differs({**EXPECTED, "issued_at": NOW - DAY, "clock": NOW - DAY}) == []


def test_a_phase_that_is_over_may_still_be_in_the_document() -> None:
    """It was made before, and a screen goes on by itself."""
    found = changed(lambda one: entry(one)["phases"].insert(0, banner_phase("notice", NOW - DAY, NOW - HOUR)))
    assert differs(found) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one.update(seq=1), "the document 1 is older than 7"),
        (lambda one: one.update(seq=9), "the document 9 is newer than ours, 7"),
        (lambda one: one.update(announcements=[]), f"{SLUG} it is not shown"),
        (lambda one: entry(one).update(id="other"), f"{SLUG} it is not shown"),
        (lambda one: entry(one).update(revision=2), f"{SLUG} its revision is 2 and not 1"),
        (lambda one: entry(one).update(state="completed"), f"{SLUG} its state is completed and not in_progress"),
        (lambda one: entry(one).pop("zone"), f"{SLUG} its zone is None and not Asia/Shanghai"),
        (
            lambda one: entry(one)["phases"].pop(),
            f"{SLUG} its phases are started and not started, overrun, or change at other times",
        ),
        (
            lambda one: entry(one)["phases"][0].update({"from": NOW}),
            f"{SLUG} its phases are started, overrun and not started, overrun, or change at other times",
        ),
        (
            lambda one: entry(one)["phases"][1]["text"]["en"].update(text="All is well"),
            f"{SLUG} its en text of overrun differs",
        ),
        (lambda one: entry(one)["phases"][0].pop("text"), f"{SLUG} its en text of started differs"),
        (
            lambda one: entry(one)["phases"][0].update(dismissible=True),
            f"{SLUG} whether started can be dismissed differs",
        ),
    ],
)
def test_whatever_differs_is_named(change: Callable[[Document], None], words: str) -> None:
    """The older number, the missing announcement, its fields, its phases, their texts."""
    assert words in differs(changed(change))


def test_news_that_expired_is_not_to_be_shown_any_more() -> None:
    """Nor anything else of an announcement that has left the surface."""
    nothing = document("banner", issued_at=NOW)
    assert differs(EXPECTED, nothing) == [f"{SLUG} it is still shown"]
    over = document("banner", announcement(banner_phase("restored", NOW - DAY, NOW - HOUR)))
    assert differs(over, nothing) == []


@pytest.mark.parametrize(
    "found",
    [
        [],
        7,
        "words",
        None,
        {},
        {**EXPECTED, "surface": "kiosk"},
        {**EXPECTED, "seq": None},
        {**EXPECTED, "announcements": [{}]},
        {**EXPECTED, "announcements": [{"id": "x", "phases": ["notice"]}]},
        {**EXPECTED, "announcements": [{"id": "x", "phases": [{"from": "soon", "until": None}]}]},
    ],
)
def test_what_is_no_document_is_said_to_be_none(found: object) -> None:
    """Whatever an address answers."""
    assert differs(found) == ["it is no document of the surface banner"]


def test_a_page_with_the_words_of_the_phase_shows_the_right_thing() -> None:
    """In one language at least, whatever its markup and line breaks."""
    assert on_page("<title>x</title><p>English <b>started</b>") == []
    assert on_page("<div>中文\n  started</div>") == []


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>English overrun",
        "<!-- English started -->",
        "<script>'English started'</script>",
        "<title>English started</title>",
    ],
)
def test_a_page_without_the_words_shows_something_else(html: str) -> None:
    """Words that nobody sees do not count."""
    assert on_page(html) == [f"{SLUG} the page does not have its text of started in any language"]


def test_a_page_that_embeds_our_script_shows_what_we_serve() -> None:
    """A script of somebody else's is none of ours."""
    assert on_page(f"<script async src='{EMBEDDED}banner.js'></script>") == []
    assert on_page("<script async src='https://other.example/surfaces/banner.js'></script>") != []


def test_a_page_for_a_kiosk_has_every_line_of_every_page() -> None:
    """In the same language."""
    expected = document("kiosk", announcement(kiosk_phase("started", NOW - HOUR, None)), issued_at=NOW)
    assert on_page("<li>started page 1<br>content<li>started page 2<br>content", expected) == []
    assert on_page("<li>started page 1<br>content<li>started 第2页 内容", expected) != []
