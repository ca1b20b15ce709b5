"""The sandbox's page of partners: what each endpoint received."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site

pytestmark = pytest.mark.browser


def event(local: str, type_: str, text: str) -> dict[str, object]:
    """An event that an endpoint received."""
    return {"at": 0, "local": local, "type": type_, "language": "zh-Hans", "text": text}


def test_each_partner_has_its_events_the_newest_first(page: Page, site: Site) -> None:
    """A text is shown as it is, never run; who received nothing says so."""
    first = event("2022-02-18 10:00", "outage.notice", "<img src=x onerror='document.title=1'>将暂停")
    second = event("2022-02-26 00:00", "outage.started", "已暂停")
    icbc = {"name": "icbc", "label": "工商银行", "events": [first, second]}
    site.put("/api/partners", {"partners": [icbc, {"name": "civil-affairs", "label": "民政局", "events": []}]})
    page.goto(f"{site.address}/partners")
    expect(page.locator("#icbc h2")).to_contain_text("工商银行")
    expect(page.locator("#icbc code")).to_have_text(["outage.started", "outage.notice"])
    expect(page.locator("#icbc li").last).to_contain_text("<img src=x")
    expect(page.locator("#civil-affairs")).to_contain_text("nothing yet")
    expect(page).to_have_title("合作方 Partners")


@pytest.mark.parametrize("width", [390, 320])
def test_a_telephone_shows_it_without_being_moved_sideways(page: Page, site: Site, width: int) -> None:
    """Also with a long address in a text."""
    told = event("2022-02-18 10:00", "outage.notice", f"https://example.org/{'a' * 120}")
    site.put("/api/partners", {"partners": [{"name": "icbc", "label": "工商银行", "events": [told]}]})
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site.address}/partners")
    expect(page.locator("#icbc li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_sandbox_that_is_away_is_said(page: Page, site: Site) -> None:
    """What is shown stays, with the trouble above it."""
    site.fail("/api/partners")
    page.goto(f"{site.address}/partners")
    expect(page.locator("#trouble")).to_contain_text("no connection")
