"""The banner on a page that is not ours."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.clocks import run_until_asked, settle
from tests.browser.documents import DAY, HOUR, MINUTE, NOW, SECOND, announcement, banner_phase, document, life
from tests.browser.site import Answer, Site

pytestmark = pytest.mark.browser

BANNER = "/surfaces/banner.json"
STRICT = "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"


def visit(page: Page, site: Site, *, options: str = "", language: str = "zh-Hans", policy: str = "") -> Locator:
    """Open a host page that embeds the banner; gives the place where its text appears."""
    site.put_page(
        "/host",
        f"<!doctype html><html lang='{language}'><head><title>Host</title>"
        f"<script async src='/surfaces/banner.js' {options}></script></head>"
        "<body><h1>Host</h1><div id='here'></div></body></html>",
        policy=policy,
    )
    page.goto(f"{site.address}/host")
    return page.get_by_role("status")


def one_phase(**changes: Any) -> dict[str, Any]:
    """A document with one announcement in the phase `started`."""
    return document("banner", announcement(banner_phase("started", NOW - HOUR, None), **changes))


def test_text_changes_at_the_boundary_without_a_reload_or_a_fetch(page: Page, site: Site) -> None:
    """A page that is left open goes from "before" to "during" by itself."""
    page.clock.install()
    site.put(BANNER, document("banner", announcement(*life(banner_phase, NOW + MINUTE)), refresh_after=300))
    status = visit(page, site)
    expect(status).to_contain_text("中文 notice")
    page.clock.run_for(MINUTE)
    expect(status).to_contain_text("中文 started")
    assert site.times_asked(BANNER) == 1
    assert site.times_asked("/host") == 1


def test_text_changes_in_real_time(page: Page, site: Site) -> None:
    """The same on the machine's own clock, a moment before the boundary."""
    site.put(BANNER, document("banner", announcement(*life(banner_phase, NOW)), clock=NOW - 300))
    expect(visit(page, site)).to_contain_text("中文 started")
    assert site.times_asked(BANNER) == 1


def test_a_late_answer_does_not_turn_time_back(page: Page, site: Site) -> None:
    """Shortly after the boundary a cache answers with a document from before it: the text stays as it is."""
    page.clock.install()
    site.put(BANNER, document("banner", announcement(*life(banner_phase, NOW + 10 * SECOND)), refresh_after=15))
    status = visit(page, site)
    expect(status).to_contain_text("中文 notice")
    run_until_asked(page, BANNER)
    assert "中文 started" in status.inner_text()


def test_time_is_the_documents_not_the_machines(page: Page, site: Site) -> None:
    """A document that a cache held for two minutes is two minutes further on than its clock says."""
    site.put(BANNER, document("banner", announcement(*life(banner_phase, NOW + MINUTE))), age=120)
    expect(visit(page, site)).to_contain_text("中文 started")


def test_after_the_planned_end_it_says_overrun_and_never_restored(page: Page, site: Site) -> None:
    """Even a document that foretells `restored` is not believed: nobody had said so when it was made."""
    phases = [banner_phase("ongoing", NOW - DAY, NOW), banner_phase("restored", NOW, None)]
    site.put(BANNER, document("banner", announcement(*phases), issued_at=NOW - DAY, clock=NOW + HOUR))
    status = visit(page, site)
    expect(status).to_contain_text("中文 ongoing")
    expect(status).not_to_contain_text("restored")


def test_restored_is_shown_when_it_had_begun_as_the_document_was_made(page: Page, site: Site) -> None:
    """A person's confirmation arrives in a newer document."""
    site.put(BANNER, document("banner", announcement(banner_phase("restored", NOW - HOUR, NOW + DAY))))
    expect(visit(page, site)).to_contain_text("中文 restored")


def test_dismissing_before_does_not_hide_during(page: Page, site: Site) -> None:
    """A dismissal holds for its phase, over reloads, and for no other phase."""
    before = banner_phase("notice", NOW - DAY, NOW + HOUR, dismissible=True)
    during = banner_phase("started", NOW + HOUR, None, dismissible=True)
    site.put(BANNER, document("banner", announcement(before, during)))
    status = visit(page, site)
    page.get_by_role("button", name="关闭").click()
    expect(status).to_be_empty()
    with page.expect_response(f"**{BANNER}"):
        page.reload()
    settle(page)
    expect(status).to_be_empty()
    site.put(BANNER, document("banner", announcement(before, during), clock=NOW + HOUR))
    page.reload()
    expect(status).to_contain_text("中文 started")


def test_a_new_revision_is_shown_again(page: Page, site: Site) -> None:
    """Whoever dismissed the old dates sees the new ones."""
    before = banner_phase("notice", NOW - DAY, NOW + HOUR, dismissible=True)
    site.put(BANNER, document("banner", announcement(before)))
    status = visit(page, site)
    page.get_by_role("button", name="关闭").click()
    expect(status).to_be_empty()
    site.put(BANNER, document("banner", announcement(before, revision=2)))
    page.reload()
    expect(status).to_contain_text("中文 notice")


def test_dismissal_works_without_storage(page: Page, site: Site) -> None:
    """Where the browser forbids storage a dismissal holds for the page."""
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})")
    site.put(BANNER, document("banner", announcement(banner_phase("notice", NOW - DAY, None, dismissible=True))))
    status = visit(page, site)
    page.get_by_role("button", name="关闭").click()
    expect(status).to_be_empty()


def test_a_phase_that_may_not_be_dismissed_has_no_button(page: Page, site: Site) -> None:
    """`dismissible` is the document's decision."""
    site.put(BANNER, one_phase())
    expect(visit(page, site)).to_contain_text("中文 started")
    expect(page.get_by_role("button")).to_have_count(0)


def test_an_older_document_is_refused(page: Page, site: Site) -> None:
    """A stale cache cannot roll a page back; the next newer document is taken."""
    page.clock.install()
    site.put(BANNER, one_phase())
    status = visit(page, site)
    expect(status).to_contain_text("中文 started")
    older = document("banner", announcement(banner_phase("notice", NOW - DAY, None)), seq=6)
    site.put(BANNER, older)
    run_until_asked(page, BANNER)
    expect(status).to_contain_text("中文 started")
    site.put(BANNER, {**older, "seq": 8})
    run_until_asked(page, BANNER)
    expect(status).to_contain_text("中文 notice")


def test_text_is_never_markup(page: Page, site: Site) -> None:
    """What looks like HTML in a document is shown as it is written."""
    wicked = "<img src=x onerror=alert(1)><b>bold</b>"
    site.put(BANNER, document("banner", announcement(banner_phase("started", NOW - HOUR, None, text=wicked))))
    status = visit(page, site)
    expect(status).to_contain_text(wicked)
    expect(status.locator("img, b")).to_have_count(0)


@pytest.mark.parametrize("link", ["http://example.test/", "javascript:alert(1)", "notice", None])
def test_only_https_links_are_links(page: Page, site: Site, link: str | None) -> None:
    """Any other address leaves the text without a link."""
    site.put(BANNER, one_phase(link=link))
    expect(visit(page, site)).to_contain_text("中文 started")
    expect(page.get_by_role("link")).to_have_count(0)


def test_an_https_link_carries_its_words(page: Page, site: Site) -> None:
    """The link's words come from the document."""
    site.put(BANNER, one_phase())
    visit(page, site)
    expect(page.get_by_role("link", name="详情")).to_have_attribute("href", "https://example.test/notice")


def test_it_works_under_a_strict_policy(page: Page, site: Site) -> None:
    """A host that forbids inline styles, HTML sinks and everything else still shows a styled banner."""
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    site.put(BANNER, one_phase(severity="critical"))
    status = visit(page, site, policy=STRICT)
    expect(status.locator(".critical")).to_have_css("background-color", "rgb(176, 0, 32)")
    assert not [text for text in refused if "Content Security Policy" in text]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"", "text/plain", status=503),
        Answer(b"<html>", "text/html"),
        Answer(b"null", "application/json"),
        Answer(b'{"surface": "banner", "seq": 1, "clock": 1, "announcements": [null]}', "application/json"),
        Answer(b'{"surface": "kiosk", "seq": 1, "clock": 1, "announcements": []}', "application/json"),
    ],
    ids=["error", "html", "null", "malformed", "another surface"],
)
def test_a_failure_leaves_the_host_page_alone(page: Page, site: Site, answer: Answer) -> None:
    """Whatever the server answers, the host page shows no banner and no error."""
    site.answers[BANNER] = answer
    with page.expect_response(f"**{BANNER}"):
        status = visit(page, site)
    settle(page)
    expect(status).to_be_attached()
    expect(status).to_be_empty()
    expect(page.get_by_role("heading", name="Host")).to_be_visible()


def test_one_broken_announcement_does_not_hide_the_others(page: Page, site: Site) -> None:
    """An announcement without texts is left out, its neighbour is shown."""
    broken = announcement({"phase": "started", "from": NOW - HOUR, "until": None}, id="broken")
    site.put(BANNER, document("banner", broken, announcement(banner_phase("started", NOW - HOUR, None))))
    expect(visit(page, site)).to_contain_text("中文 started")


def test_a_server_that_fails_later_does_not_clear_the_banner(page: Page, site: Site) -> None:
    """The last document stays in force, its boundaries too, and refreshes become rarer."""
    page.clock.install()
    site.put(BANNER, document("banner", announcement(*life(banner_phase, NOW + HOUR))))
    status = visit(page, site)
    expect(status).to_contain_text("中文 notice")
    site.fail(BANNER)
    run_until_asked(page, BANNER)
    page.clock.run_for(HOUR)
    expect(status).to_contain_text("中文 started")
    assert site.times_asked(BANNER) < 15


def test_a_boundary_in_30_days_does_not_fire_at_once(page: Page, site: Site) -> None:
    """Browsers run a timer of more than 24.8 days immediately; the banner never sets one."""
    page.add_init_script(
        "const real = setTimeout; window.delays = [];"
        "window.setTimeout = (run, delay) => { delays.push(delay); return real(run, delay); };"
    )
    phases = life(banner_phase, NOW + 30 * DAY)
    phases[0]["from"] = NOW - DAY
    site.put(BANNER, document("banner", announcement(*phases), refresh_after=60 * DAY // SECOND))
    expect(visit(page, site)).to_contain_text("中文 notice")
    delays: list[float] = page.evaluate("delays")
    assert 0 < max(delays) < 2**31
    assert site.times_asked(BANNER) == 1


def test_a_hidden_page_wakes_at_most_once_a_minute(page: Page, site: Site) -> None:
    """A tab in the background neither fetches nor redraws more often; as it is looked at it is up to date."""
    page.clock.install()
    page.add_init_script("window.away = true; Object.defineProperty(document, 'hidden', {get: () => away})")
    site.put(BANNER, document("banner", announcement(*life(banner_phase, NOW + 10 * SECOND)), refresh_after=5))
    status = visit(page, site)
    expect(status).to_contain_text("中文 notice")
    page.clock.run_for(20 * SECOND)
    expect(status).to_contain_text("中文 notice")
    assert site.times_asked(BANNER) == 1
    site.fail(BANNER)
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(status).to_contain_text("中文 started")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("en", "English"), ("en-GB", "English"), ("zh-CN", "中文"), ("ZH-HANS", "中文"), ("fr", "中文"), ("", "中文")],
)
def test_language_falls_back(page: Page, site: Site, asked: str, shown: str) -> None:
    """The language asked for, else its nearest relative, else the announcement's first."""
    site.put(BANNER, one_phase())
    expect(visit(page, site, options=f"data-lang='{asked}'", language="")).to_contain_text(f"{shown} started")


def test_language_comes_from_the_host_page(page: Page, site: Site) -> None:
    """Without data-lang the host page's own language decides."""
    site.put(BANNER, one_phase())
    expect(visit(page, site, language="en")).to_contain_text("English started")


def test_source_and_place_can_be_chosen(page: Page, site: Site) -> None:
    """`data-src` names another document, `data-target` another place."""
    site.put("/other.json", one_phase())
    visit(page, site, options="data-src='/other.json' data-target='#here'")
    expect(page.locator("#here").get_by_role("status")).to_contain_text("中文 started")


@pytest.mark.parametrize("target", ["#nowhere", "not [ a selector"])
def test_a_place_that_does_not_exist_becomes_the_top(page: Page, site: Site, target: str) -> None:
    """A mistake in the host page still tells the public."""
    site.put(BANNER, one_phase())
    expect(visit(page, site, options=f"data-target='{target}'")).to_contain_text("中文 started")


def test_the_gravest_comes_first(page: Page, site: Site) -> None:
    """Several announcements are shown by severity, what is over last."""
    names = {"minor": "started", "critical": "started", "major": "restored"}
    all_of_them = [
        announcement(banner_phase(name, NOW - HOUR, None, text=f"{severity} text"), id=severity, severity=severity)
        for severity, name in names.items()
    ]
    site.put(BANNER, document("banner", *all_of_them))
    status = visit(page, site)
    expect(status.locator("p")).to_have_text([re.compile("critical"), re.compile("minor"), re.compile("major")])


def test_the_live_region_is_left_alone_while_nothing_changes(page: Page, site: Site) -> None:
    """A screen reader hears a text once: a refresh with the same content touches nothing."""
    page.clock.install()
    site.put(BANNER, one_phase())
    status = visit(page, site)
    expect(status).to_contain_text("中文 started")
    status.evaluate(
        "region => { window.touched = 0;"
        " new MutationObserver(() => touched++).observe(region, {childList: true, subtree: true}); }"
    )
    site.put(BANNER, {**one_phase(), "seq": 8})
    run_until_asked(page, BANNER)
    assert page.evaluate("touched") == 0


@pytest.mark.parametrize("severity", ["info", "minor", "major", "critical"])
def test_text_stands_out_from_its_ground(page: Page, site: Site, severity: str) -> None:
    """Every severity has at least the 4.5 to 1 of WCAG AA."""
    site.put(BANNER, one_phase(severity=severity))
    bar = visit(page, site).locator(f".{severity}")
    colours: list[str] = bar.evaluate("bar => [getComputedStyle(bar).color, getComputedStyle(bar).backgroundColor]")
    light, dark = sorted((luminance(colour) for colour in colours), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Relative luminance of a CSS `rgb(…)`, as WCAG 2 defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
