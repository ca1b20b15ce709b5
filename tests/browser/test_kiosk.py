"""The screen in a hall, which nobody restarts for weeks."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.clocks import run_until_asked, settle
from tests.browser.documents import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Document,
    announcement,
    document,
    kiosk_phase,
    life,
)
from tests.browser.site import Site

pytestmark = pytest.mark.browser

KIOSK = "/surfaces/kiosk.json"
QR = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI5IiBoZWlnaHQ9IjkiLz4="
ROW = "社会保险经办业务暂停期间参保登记与缴费照常不"


def visit(page: Page, site: Site, query: str = "") -> Locator:
    """Open the kiosk; gives its title."""
    page.goto(f"{site.address}/surfaces/kiosk{query}")
    return page.get_by_role("heading")


def shown(page: Page) -> Locator:
    """The page of text on the screen."""
    return page.locator("#page")


def started(**changes: object) -> Document:
    """A document whose announcement has started."""
    return document("kiosk", announcement(kiosk_phase("started", NOW - HOUR, None), **changes))


def test_text_changes_at_the_boundary_without_a_reload_or_a_fetch(page: Page, site: Site) -> None:
    """The screen goes from "before" to "during" by itself."""
    page.clock.install()
    site.put(KIOSK, document("kiosk", announcement(*life(kiosk_phase, NOW + MINUTE)), refresh_after=300))
    title = visit(page, site, "?lang=zh-Hans")
    expect(title).to_have_text("标题 notice")
    page.clock.run_for(MINUTE + SECOND)
    expect(title).to_have_text("标题 started")
    assert site.times_asked(KIOSK) == 1
    assert site.times_asked("/surfaces/kiosk") == 1


def test_pages_turn_and_each_round_changes_the_language(page: Page, site: Site) -> None:
    """Two pages in Chinese, two in English, and again."""
    page.clock.install()
    site.put(KIOSK, started())
    visit(page, site)
    for text in ("第1页", "第2页", "page 1", "page 2", "第1页"):
        expect(shown(page)).to_contain_text(text)
        page.clock.run_for(12 * SECOND)


def test_a_page_stays_as_long_as_the_address_says(page: Page, site: Site) -> None:
    """`?seconds=30` keeps a page for thirty seconds."""
    page.clock.install()
    site.put(KIOSK, started())
    visit(page, site, "?seconds=30")
    expect(shown(page)).to_contain_text("第1页")
    page.clock.run_for(25 * SECOND)
    expect(shown(page)).to_contain_text("第1页")
    page.clock.run_for(6 * SECOND)
    expect(shown(page)).to_contain_text("第2页")


def test_a_language_can_be_pinned(page: Page, site: Site) -> None:
    """`?lang=en` shows English only."""
    page.clock.install()
    site.put(KIOSK, started())
    title = visit(page, site, "?lang=en")
    for text in ("page 1", "page 2", "page 1"):
        expect(shown(page)).to_contain_text(text)
        expect(title).to_have_text("Title started")
        page.clock.run_for(12 * SECOND)


def test_dots_contact_code_and_time_are_there(page: Page, site: Site) -> None:
    """Whom to call, how many pages, the code to scan, and the time where the announcement is."""
    site.put(KIOSK, started(qr=QR))
    visit(page, site)
    expect(page.locator("#dots li")).to_have_count(2)
    expect(page.locator("#dots li.on")).to_have_count(1)
    expect(page.locator("#contact")).to_have_text("电话 12333")
    expect(page.get_by_role("img", name="扫码")).to_be_visible()
    expect(page.locator("#time")).to_have_text("10:00")


def test_a_code_from_elsewhere_is_not_loaded(page: Page, site: Site) -> None:
    """Only an image inside the document is shown."""
    site.put(KIOSK, started(qr=f"{site.address}/spy.svg"))
    expect(visit(page, site)).to_have_text("标题 started")
    expect(page.get_by_role("img")).to_be_hidden()
    assert site.times_asked("/spy.svg") == 0


def test_text_is_never_markup(page: Page, site: Site) -> None:
    """What looks like HTML in a document is shown as it is written."""
    wicked = "<img src=x onerror=alert(1)>"
    phase = kiosk_phase("started", NOW - HOUR, None)
    phase["text"]["zh-Hans"] = {"title": wicked, "pages": [wicked], "contact": wicked}
    site.put(KIOSK, document("kiosk", announcement(phase)))
    expect(visit(page, site)).to_have_text(wicked)
    expect(shown(page)).to_have_text(wicked)
    expect(page.locator("#contact")).to_have_text(wicked)


def test_without_an_announcement_there_is_a_clock(page: Page, site: Site) -> None:
    """An idle screen names no organisation and no service."""
    site.put(KIOSK, document("kiosk"))
    page.goto(f"{site.address}/surfaces/kiosk")
    expect(page.locator("#screen.idle")).to_be_visible()
    expect(page.locator("#time")).not_to_be_empty()
    expect(page.locator("header")).to_be_hidden()


def test_a_cold_start_without_a_server_shows_the_stored_document(page: Page, site: Site) -> None:
    """A screen that restarts while the server is down goes on, and says how old its news is."""
    page.clock.install()
    site.put(KIOSK, document("kiosk", announcement(*life(kiosk_phase, NOW + HOUR))))
    title = visit(page, site)
    expect(title).to_have_text("标题 notice")
    site.fail(KIOSK)
    page.clock.fast_forward(2 * HOUR)
    page.reload()
    expect(title).to_have_text("标题 overrun")
    expect(page.locator("#stale")).to_have_text("最后更新 / last update 10:00")


def test_a_machine_whose_clock_fell_back_does_not_go_back_in_time(page: Page, site: Site) -> None:
    """It shows what was true when the newest document was made, and no time of day that it does not know."""
    page.clock.set_system_time(NOW)
    site.put(KIOSK, document("kiosk", announcement(*life(kiosk_phase, NOW))))
    title = visit(page, site)
    expect(title).to_have_text("标题 started")
    site.fail(KIOSK)
    page.clock.set_system_time(0)
    page.reload()
    expect(title).to_have_text("标题 started")
    expect(page.locator("#time")).to_be_empty()


def test_the_marker_appears_after_five_minutes_without_news(page: Page, site: Site) -> None:
    """A short failure is nobody's business; a long one is marked, and the mark goes with the next answer."""
    page.clock.install()
    site.put(KIOSK, started())
    stale = page.locator("#stale")
    expect(visit(page, site)).to_have_text("标题 started")
    site.fail(KIOSK)
    page.clock.run_for(4 * MINUTE)
    expect(stale).to_be_hidden()
    page.clock.run_for(2 * MINUTE)
    expect(stale).to_have_text("最后更新 / last update 10:00")
    site.put(KIOSK, {**started(), "seq": 8, "clock": NOW + 6 * MINUTE})
    run_until_asked(page, KIOSK)
    expect(stale).to_be_hidden()


def test_an_older_document_is_refused_even_after_a_restart(page: Page, site: Site) -> None:
    """The highest number seen is kept with the document."""
    site.put(KIOSK, started())
    title = visit(page, site)
    expect(title).to_have_text("标题 started")
    site.put(KIOSK, document("kiosk", announcement(kiosk_phase("notice", NOW - DAY, None)), seq=6))
    with page.expect_response(f"**{KIOSK}"):
        page.reload()
    settle(page)
    expect(title).to_have_text("标题 started")


def test_restored_is_never_the_clocks_word(page: Page, site: Site) -> None:
    """A screen that was cut off before the planned end shows "overrun" for as long as it is cut off."""
    page.clock.install()
    site.put(KIOSK, document("kiosk", announcement(*life(kiosk_phase, NOW - MINUTE))))
    title = visit(page, site)
    expect(title).to_have_text("标题 started")
    site.fail(KIOSK)
    page.clock.fast_forward(20 * DAY)
    expect(title).to_contain_text("overrun")


def test_a_foretold_restored_is_not_believed(page: Page, site: Site) -> None:
    """Nobody could have confirmed it when the document was made; the phase before it goes on."""
    phases = [kiosk_phase("ongoing", NOW - DAY, NOW), kiosk_phase("restored", NOW, None)]
    site.put(KIOSK, document("kiosk", announcement(*phases), issued_at=NOW - DAY, clock=NOW + HOUR))
    expect(visit(page, site)).to_have_text("标题 ongoing")


def test_another_document_of_this_server_can_be_shown(page: Page, site: Site) -> None:
    """`?src=` takes a path, and what it shows is not kept."""
    site.put("/api/document/kiosk?at=5", started())
    expect(visit(page, site, "?src=/api/document/kiosk%3Fat%3D5")).to_have_text("标题 started")
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("address", ["https://example.test/kiosk.json", "//example.test/kiosk.json", "kiosk.json"])
def test_a_document_from_elsewhere_is_ignored(page: Page, site: Site, address: str) -> None:
    """Nobody can make the screen show something by its address."""
    site.put(KIOSK, started())
    expect(visit(page, site, f"?src={address}")).to_have_text("标题 started")


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1366, 768), (3840, 2160)])
def test_the_fullest_page_fits(page: Page, site: Site, size: tuple[int, int]) -> None:
    """Nine rows of 22 characters are wholly on the screen, in both orientations, without scrolling."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    phase = kiosk_phase("started", NOW - HOUR, None)
    phase["text"]["zh-Hans"]["pages"] = ["\n".join([ROW] * 9)]
    site.put(KIOSK, document("kiosk", announcement(phase, qr=QR)))
    visit(page, site)
    expect(shown(page).locator("p")).to_have_count(9)
    inside: bool = page.evaluate(
        "(() => { const area = document.querySelector('#page').getBoundingClientRect();"
        " return [...document.querySelectorAll('#page p')].every(p => { const line = document.createRange();"
        " line.selectNodeContents(p); const box = line.getBoundingClientRect();"
        " return box.top >= area.top && box.bottom <= area.bottom"
        " && box.left >= area.left && box.right <= area.right; }); })()"
    )
    assert inside
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_characters_are_24_millimetres_on_a_32_inch_screen(page: Page, site: Site) -> None:
    """The fullest page of a landscape screen still has an em of 72 of its 1080 pixels."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    phase = kiosk_phase("started", NOW - HOUR, None)
    phase["text"]["zh-Hans"]["pages"] = ["\n".join([ROW] * 9)]
    site.put(KIOSK, document("kiosk", announcement(phase, qr=QR)))
    visit(page, site)
    expect(shown(page).locator("p")).to_have_count(9)
    em: float = shown(page).locator("div").evaluate("box => parseFloat(getComputedStyle(box).fontSize)")
    assert em >= 71.5
