"""The sandbox page: what the public would see, by virtual time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.documents import DAY, HOUR, NOW, Document, announcement, banner_phase, document, kiosk_phase, life
from tests.browser.site import Site

pytestmark = pytest.mark.browser

START = NOW + 2 * DAY
ARTICLE = {
    "broadcast": "b1",
    "replaced": None,
    "at": NOW,
    "phase": "notice",
    "title": "暂停服务公告",
    "author": "编辑部",
    "digest": "二月二十日起暂停",
    "body": "<p style='color:red'>正文</p><script>parent.document.title = 'stolen'</script>",
}


def moment(at: int, channel: str, phase: str, count: int) -> Document:
    """A moment of the timeline."""
    name = f"{channel}-{at}"
    local = "2022-02-18 10:00"
    return {"at": at, "local": local, "channel": channel, "phase": phase, "broadcast": name, "count": count}


MOMENTS = [
    moment(NOW, "sms", "notice", 20_000),
    moment(NOW, "wechat", "notice", 1),
    moment(START, "sms", "started", 20_000),
    moment(START + HOUR, "sms", "overrun", 19_500),
]


def shown(at: int, language: str = "zh-Hans") -> Document:
    """What is to be seen at an instant: a message for each one sent until then, and the surfaces' documents."""
    sent = [one for one in MOMENTS if one["channel"] == "sms" and one["at"] <= at]
    words = "短信" if language == "zh-Hans" else "text"
    messages = [
        {"at": one["at"], "text": f"{words} {one['phase']}", "phase": one["phase"], "language": language}
        for one in sent
    ]
    return {
        "at": at,
        "phone": {"number": "+86138****1234", "messages": messages},
        "wechat": {"accounts": [{"name": "本地人社", "articles": [ARTICLE]}]},
        "banner": banner(at),
        "kiosk": kiosk(at),
    }


def banner(at: int) -> Document:
    """The banner's document at an instant."""
    return document("banner", announcement(*life(banner_phase, START), zone="Asia/Shanghai"), clock=at)


def kiosk(at: int) -> Document:
    """The kiosk's document at an instant."""
    phases = life(kiosk_phase, START)
    phases[0]["from"] = NOW
    return document("kiosk", announcement(*phases), clock=at)


@pytest.fixture
def sandbox(site: Site) -> Site:
    """A site with the sandbox's API, canned; its clock stands at the start of the outage."""
    put_timeline(site, START)
    for at in [one["at"] for one in MOMENTS]:
        for language in ("zh-Hans", "en"):
            site.put(f"/api/shown?at={at}&language={language}", shown(at, language))
        site.put(f"/api/document/banner?at={at}", banner(at))
        site.put(f"/api/document/kiosk?at={at}", kiosk(at))
    return site


HEARD: list[Document] = [
    {
        "at": at,
        "local": "2022-02-20 10:00",
        "type": "owner.asked",
        "to": "duty-desk",
        "text": {"zh-Hans": f"第{number}问", "en": f"question {number}"},
    }
    for number, at in enumerate((START - HOUR, START), 1)
]


def put_timeline(site: Site, clock: int) -> None:
    """Let the sandbox's clock stand at `clock`, with everything that was sent by then."""
    moments = [one for one in MOMENTS if one["at"] <= clock]
    totals = {"received": 40_001, "duplicates": 2, "repeats": 3}
    heard = [one for one in HEARD if one["at"] <= clock]
    page = {"clock": clock, "moments": moments, "operators": heard, "zone": "Asia/Shanghai", "totals": totals}
    site.put("/api/timeline", page)


def visit(page: Page, site: Site, query: str = "") -> None:
    """Open the sandbox on a laptop's screen."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{site.address}/{query}")


def test_all_four_devices_show_what_the_public_sees(page: Page, sandbox: Site) -> None:
    """A text on the phone, an article, the banner on a website and the screen in the hall."""
    visit(page, sandbox)
    expect(page.locator("#thread")).to_contain_text("短信 started")
    expect(page.locator("#number")).to_have_text("+86138****1234")
    expect(page.locator("#posts")).to_contain_text("暂停服务公告")
    expect(page.frame_locator("#site iframe").get_by_role("status")).to_contain_text("中文 started")
    expect(page.frame_locator("#kiosk iframe").get_by_role("heading")).to_have_text("标题 started")


def test_totals_are_shown_and_duplicates_stand_out(page: Page, sandbox: Site) -> None:
    """That somebody was told twice is red; that a call was repeated under its key is not."""
    visit(page, sandbox)
    expect(page.locator("[data-total=received]")).to_have_text("40,001")
    expect(page.locator("[data-total=duplicates]")).to_have_class("alarm")
    expect(page.locator("[data-total=repeats]")).not_to_have_class("alarm")


def test_what_the_owner_was_asked_is_shown_by_time_and_language(page: Page, sandbox: Site) -> None:
    """The newest in one line, the others on request; nothing before anybody was asked."""
    visit(page, sandbox)
    line = page.locator("#newest")
    expect(line).to_have_text("2 · 2022-02-20 10:00 · owner.asked · 第2问")
    page.get_by_role("button", name="English").click()
    expect(line).to_contain_text("question 2")
    page.locator("#operators summary").click()
    expect(page.locator("#operators li")).to_have_count(2)
    expect(page.locator("#operators li").last).to_be_visible()
    expect(page.locator("#operators li").last).to_contain_text("duty-desk · owner.asked")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#operators")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 320])
def test_a_telephone_shows_it_without_being_moved_sideways(page: Page, sandbox: Site, width: int) -> None:
    """The devices one below the other, as wide as the page; whatever can be pressed lies within it."""
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(sandbox.address)
    expect(page.locator("#thread")).to_contain_text("短信 started")
    expect(page.locator("#newest")).to_contain_text("第2问")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    beyond = "[...document.querySelectorAll('button, a, summary, .chip, .device')].filter(one => one.checkVisibility()"
    assert page.evaluate(f"{beyond} && one.getBoundingClientRect().right > {width}).map(one => one.outerHTML)") == []
    widths = page.evaluate("[...document.querySelectorAll('.device')].map(one => Math.round(one.clientWidth))")
    assert widths == [width - 40] * 4


def test_going_back_shows_all_devices_as_they_were(page: Page, sandbox: Site) -> None:
    """The arrow key goes to the moment before, and leaves live."""
    visit(page, sandbox)
    expect(page.locator("#instant")).to_have_text("2022-02-20 10:00:00")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#instant")).to_have_text("2022-02-18 10:00:00")
    expect(page.get_by_role("button", name="实时")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#thread")).not_to_contain_text("started")
    expect(page.locator("#happening .chip")).to_have_count(2)
    expect(page.frame_locator("#kiosk iframe").get_by_role("heading")).to_have_text("标题 notice")
    expect(page.get_by_role("button", name="上一时刻")).to_be_disabled()


def test_live_follows_the_clock(page: Page, sandbox: Site) -> None:
    """What is sent while one looks appears by itself."""
    visit(page, sandbox)
    expect(page.locator("#thread")).to_contain_text("短信 started")
    put_timeline(sandbox, START + HOUR)
    expect(page.locator("#thread")).to_contain_text("短信 overrun")
    expect(page.frame_locator("#site iframe").get_by_role("status")).to_contain_text("中文 overrun")
    expect(page.frame_locator("#kiosk iframe").get_by_role("heading")).to_have_text("标题 overrun")


def test_a_tick_is_a_moment(page: Page, sandbox: Site) -> None:
    """A click on a tick goes to its instant exactly."""
    visit(page, sandbox)
    page.locator(".tick").first.click()
    expect(page.locator("#instant")).to_have_text("2022-02-18 10:00:00")


def test_an_article_opens_and_cannot_run_anything(page: Page, sandbox: Site) -> None:
    """The body keeps its own styles and loses its scripts."""
    visit(page, sandbox)
    page.get_by_role("button", name="暂停服务公告").click()
    body = page.frame_locator("#article iframe").get_by_text("正文")
    expect(body).to_have_css("color", "rgb(255, 0, 0)")
    expect(page).to_have_title("沙盒 Sandbox")
    page.get_by_role("button", name="返回").click()
    expect(page.locator("#posts")).to_be_visible()


def test_a_follower_reads_template_messages_among_the_articles(page: Page, sandbox: Site) -> None:
    """Line by line, the newest first, under an openid that names nobody."""
    told = {"at": START, "text": "服务名称：社保业务\n服务状态：已经暂停", "phase": "", "language": "zh-Hans"}
    follower = {"openid": "oV****nwic", "messages": [told]}
    sandbox.put(f"/api/shown?at={START}&language=zh-Hans", {**shown(START), "follower": follower})
    visit(page, sandbox)
    expect(page.locator("#posts")).to_contain_text("oV****nwic")
    expect(page.locator("#posts .card").first).to_have_text("服务名称：社保业务\n服务状态：已经暂停")
    expect(page.locator("#posts .card").first).to_have_css("white-space", "pre-line")
    expect(page.locator("#posts .card")).to_have_count(2)


def test_the_other_language_is_another_phone(page: Page, sandbox: Site) -> None:
    """English asks for a recipient who reads English; the website follows."""
    visit(page, sandbox)
    page.get_by_role("button", name="English").click()
    expect(page.locator("#thread")).to_contain_text("text started")
    expect(page.frame_locator("#site iframe").get_by_role("status")).to_contain_text("English started")


def test_before_anything_is_published_the_devices_say_so(page: Page, sandbox: Site) -> None:
    """Nothing sent, no document: no device breaks."""
    put_timeline(sandbox, NOW - DAY)
    phone = {"number": "+86138****1234", "messages": []}
    nothing = {"at": NOW - DAY, "phone": phone, "wechat": {"accounts": []}, "banner": None, "kiosk": None}
    sandbox.put(f"/api/shown?at={NOW - DAY}&language=zh-Hans", nothing)
    visit(page, sandbox)
    expect(page.locator("#thread")).to_contain_text("nothing yet")
    expect(page.locator("#posts")).to_contain_text("nothing yet")
    expect(page.locator("#kiosk")).to_contain_text("nothing to show yet")
    expect(page.frame_locator("#site iframe").get_by_role("status")).to_be_empty()


def test_a_lost_connection_is_said(page: Page, sandbox: Site) -> None:
    """The page keeps what it shows and tells that it is not live."""
    visit(page, sandbox)
    expect(page.locator("#thread")).to_contain_text("短信 started")
    sandbox.fail("/api/timeline")
    expect(page.locator("#trouble")).to_contain_text("no connection")
    expect(page.locator("#thread")).to_contain_text("短信 started")
    put_timeline(sandbox, START)
    expect(page.locator("#trouble")).to_be_empty()


def replaced(action: str) -> Document:
    """What followers see of an article that was replaced."""
    old = {**ARTICLE, "replaced": {"action": action, "by": "b2"}}
    words = {"phase": "changed", "title": "恢复时间调整", "body": "<p>新正文</p>"}
    new = {**ARTICLE, "broadcast": "b2", "at": START, **words}
    return {**shown(START), "wechat": {"accounts": [{"name": "本地人社", "articles": [old, new]}]}}


def test_a_replaced_article_says_so_and_leads_to_its_successor(page: Page, sandbox: Site) -> None:
    """Struck out in the list, with a way on inside."""
    sandbox.put(f"/api/shown?at={START}&language=zh-Hans", replaced("linked"))
    visit(page, sandbox)
    old = page.locator(".card.replaced")
    expect(old).to_have_count(1)
    expect(old).to_contain_text("已更新")
    old.click()
    expect(page.frame_locator("#article iframe").get_by_text("正文")).to_be_visible()
    page.locator("#replaced").get_by_role("button", name="恢复时间调整").click()
    expect(page.frame_locator("#article iframe").get_by_text("新正文")).to_be_visible()
    expect(page.locator("#replaced")).to_be_hidden()


def test_a_deleted_article_shows_no_body(page: Page, sandbox: Site) -> None:
    """As the platform does: the card stays in the list."""
    sandbox.put(f"/api/shown?at={START}&language=zh-Hans", replaced("deleted"))
    visit(page, sandbox)
    page.locator(".card.replaced").click()
    expect(page.frame_locator("#article iframe").get_by_text("已被发布者删除")).to_be_visible()
    expect(page.frame_locator("#article iframe").get_by_text("正文", exact=True)).to_have_count(0)


def test_a_post_whose_phase_is_not_known_is_named_by_the_rest(page: Page, sandbox: Site) -> None:
    """A supplier's own format does not tell it: no gap is left where it would stand."""
    totals = {"received": 1, "duplicates": 0, "repeats": 0}
    moments = [moment(START, "wechat", "", 3)]
    sandbox.put("/api/timeline", {"clock": START, "moments": moments, "zone": "Asia/Shanghai", "totals": totals})
    article = {**ARTICLE, "phase": ""}
    accounts = {"accounts": [{"name": "本地人社", "articles": [article]}]}
    sandbox.put(f"/api/shown?at={START}&language=zh-Hans", {**shown(START), "wechat": accounts})
    visit(page, sandbox)
    expect(page.locator("#posts .when")).to_have_text(re.compile(r"\d\d:\d\d$"))
    expect(page.locator(".tick")).to_have_attribute("title", "2022-02-18 10:00 · wechat · 3")
    expect(page.locator("#happening")).to_have_text("wechat 3")
    expect(page.locator("#labels")).to_be_empty()
