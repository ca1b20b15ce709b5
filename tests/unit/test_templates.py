"""The shipped templates: true, short enough, and whole, for a rich announcement and for a bare one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

from broadcaster.announcement.facts import FactChange
from broadcaster.announcement.model import Announcement
from broadcaster.announcement.source import parse_source
from broadcaster.channels.banner.message import SPEC as BANNER
from broadcaster.channels.kiosk.message import SPEC as KIOSK
from broadcaster.channels.kiosk.message import page_names
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.sms.message import SPEC as SMS
from broadcaster.channels.wechat.message import SPEC as WECHAT
from broadcaster.channels.wecom.message import SPEC as WECOM
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import parse, read
from broadcaster.rendering.environment import Templates, shipped_templates
from broadcaster.rendering.gallery import write_gallery
from broadcaster.rendering.measures import sms_size
from broadcaster.rendering.message import Message, MessageSpec
from broadcaster.rendering.renderer import render, render_all
from broadcaster.rendering.view import Occasion, view

ROOT = Path(__file__).parents[2]
SPECS = (SMS, WECHAT, BANNER, KIOSK, WECOM)
"""The channels with room for everything that a reader must know."""
LANGUAGES = ("zh-Hans", "en")
EXAMPLE = read(ROOT / "examples/qingdao-2022/announcement.yaml", CHANNELS).announcement

BARE = """
slug: bare
zone: Europe/Berlin
languages: [zh-Hans, en]
owner:
  name: {zh-Hans: 水务公司, en: Water Company}
  signature: {zh-Hans: 水务公司, en: Water}
title: {zh-Hans: 网上营业厅暂停, en: Online desk pause}
subject: {zh-Hans: 网上营业厅, en: the online desk}
reason: {zh-Hans: 系统维护, en: maintenance}
window: {start: 2030-05-01 08:30}
services:
  - {id: desk, name: {zh-Hans: 网上营业厅, en: online desk}}
access_points:
  - {id: site, kind: site, name: {zh-Hans: 官网, en: our site}}
impacts:
  - {id: all, services: [desk], access_points: [site], state: suspended}
"""

MIXED = (
    BARE.replace("access_points:\n", "  - {id: meter, name: {zh-Hans: 抄表, en: meter readings}}\naccess_points:\n", 1)
    .replace("impacts:\n", "  - {id: phone, kind: phone_line, name: {zh-Hans: 电话, en: the telephone}}\nimpacts:\n")
    .rstrip()
    + """
  - {id: phone-open, services: [desk, meter], access_points: [phone], state: unaffected}
"""
)

EXTENDED = Occasion(
    changes=(
        FactChange("window.end", "2022-03-21T00:00:00+08:00", "2022-03-26T00:00:00+08:00"),
        FactChange("resume", "2022-03-21T00:00:00+08:00", "2022-03-26T00:00:00+08:00"),
    )
)


def announcement(text: str) -> Announcement:
    """The announcement of a YAML text."""
    return parse(parse_source(text, "test.yaml"), CHANNELS).announcement


@dataclass(frozen=True)
class Case:
    """One template with the announcement to fill it."""

    name: str
    announcement: Announcement
    spec: MessageSpec
    phase: Phase
    language: str

    def __str__(self) -> str:
        return f"{self.name}-{self.spec.slug}-{self.phase}-{self.language}"

    def message(self, occasion: Occasion | None = None) -> Message:
        """The rendered message."""
        return render(Templates(), self.spec, self.announcement, self.phase, self.language, occasion or Occasion())


CASES = [
    Case(name, one, spec, phase, language)
    for (name, one), spec, phase, language in product(
        (("example", EXAMPLE), ("bare", announcement(BARE)), ("mixed", announcement(MIXED))), SPECS, Phase, LANGUAGES
    )
]
every_case = pytest.mark.parametrize("case", CASES, ids=str)


def said(message: Message) -> str:
    """Everything a message says."""
    return "\n".join(message.parts.values())


@every_case
def test_every_template_renders_within_its_limits(case: Case) -> None:
    """For the full example, and without an end, contacts, links or advice."""
    message = case.message()
    assert message.over == ()
    assert all(message.parts[part] for part in ("text", "title", "body", "page_1") if part in message.parts)


@every_case
def test_no_message_shows_a_value_that_is_not_there(case: Case) -> None:
    """What an announcement lacks is left out, not printed as None, and leaves no double punctuation behind."""
    text = said(case.message())
    assert not re.search(
        r"\bNone\b|\{|\}|[，。、；：]{2}|，。| \.|\.\.|\(\)|（）| ,", re.sub(r'style="[^"]*"', "", text)
    )


@every_case
def test_the_changed_message_renders_with_and_without_changes(case: Case) -> None:
    """An old or new time may be unknown, and a change may be no change of time at all."""
    unknown = (FactChange("window.end", "unknown", None), FactChange("window.start", None, "unknown"))
    for occasion in (EXTENDED, Occasion(changes=unknown)):
        message = case.message(occasion)
        assert "None" not in said(message)
        assert message.over == ()


@pytest.mark.parametrize("case", [case for case in CASES if case.spec is SMS], ids=str)
def test_an_sms_leads_with_the_signature_and_carries_no_link(case: Case) -> None:
    """Chinese vendors add nothing to it and refuse links and further brackets."""
    text = case.message().parts["text"]
    signature = case.announcement.owner.signature[case.language]
    assert text.startswith(f"【{signature}】")
    assert not re.search(r"[【】]|http|www", text.removeprefix(f"【{signature}】"))


@pytest.mark.parametrize("phase", Phase)
def test_a_chinese_sms_of_the_example_costs_at_most_two_segments(phase: Phase) -> None:
    """One character more than 134 would cost a third one for each of millions of people."""
    text = render(Templates(), SMS, EXAMPLE, phase, "zh-Hans", EXTENDED).parts["text"]
    assert sms_size(text).segments <= 2, text


@pytest.mark.parametrize("phase", Phase)
def test_an_english_sms_of_the_example_costs_at_most_four_segments(phase: Phase) -> None:
    """The signature's brackets make it UCS-2, like a Chinese one."""
    text = render(Templates(), SMS, EXAMPLE, phase, "en", EXTENDED).parts["text"]
    assert sms_size(text).segments <= 4, text


@pytest.mark.parametrize(("spec", "language"), list(product(SPECS, LANGUAGES)))
def test_overrun_never_says_that_service_is_back(spec: MessageSpec, language: str) -> None:
    """The clock alone restores nothing: it says when the end was due and that nobody has confirmed it."""
    text = said(render(Templates(), spec, EXAMPLE, Phase.OVERRUN, language))
    assert not re.search(r"已恢复|已于|已结束|恢复正常|预计|is over|back since|[Ee]xpected", text)
    due, unconfirmed = {"zh-Hans": ("3月20日24时", "尚未确认恢复"), "en": ("24:00 on 20 March", "not yet confirmed")}[
        language
    ]
    assert due in text
    assert unconfirmed in text.lower()


@pytest.mark.parametrize(("spec", "language"), list(product(SPECS, LANGUAGES)))
def test_the_first_messages_name_what_stops_and_when(spec: MessageSpec, language: str) -> None:
    """Both ends of the window, and the zone in English, stand in the notice and the reminder of every channel."""
    for phase in (Phase.NOTICE, Phase.REMINDER):
        text = said(render(Templates(), spec, EXAMPLE, phase, language))
        wanted = {
            "zh-Hans": ("2月26日0时至3月20日24时", "养老", "12333"),
            "en": ("00:00 on 26 February to 24:00 on 20 March", "Beijing time", "12333"),
        }[language]
        assert [words for words in wanted if words not in text] == []


@pytest.mark.parametrize(("spec", "language"), list(product((SMS, WECHAT), LANGUAGES)))
def test_changed_tells_the_old_and_the_new_end(spec: MessageSpec, language: str) -> None:
    """Whoever read the old date sees that it is this one that no longer holds."""
    text = said(render(Templates(), spec, EXAMPLE, Phase.CHANGED, language, EXTENDED))
    assert {"zh-Hans": "3月25日24时", "en": "24:00 on 25 March"}[language] in text
    assert {"zh-Hans": "由3月20日24时", "en": "from 24:00 on 20 March"}[language] in text or spec is WECHAT


def test_a_resume_time_that_only_follows_the_end_is_told_once() -> None:
    """The end and the resume time are the same instant; a message says it once."""
    assert [change["what"] for change in view(EXAMPLE, "en", EXTENDED)["changes"]] == ["end"]
    apart = replace(EXTENDED, changes=(FactChange("resume", None, "2022-03-26T08:00:00+08:00"), *EXTENDED.changes[:1]))
    assert [change["what"] for change in view(EXAMPLE, "en", apart)["changes"]] == ["end", "resume"]


def test_what_stays_open_is_not_told_as_stopped() -> None:
    """A service that stops nowhere is left out, one that still works somewhere stops in part, open doors are named."""
    seen = view(announcement(MIXED), "en", Occasion())
    assert [(service.name, service.state) for service in seen["services"]] == [("online desk", "partial")]
    assert seen["access_points"] == ["our site"]
    assert seen["open_access_points"] == ["the telephone"]
    text = render(Templates(), SMS, announcement(MIXED), Phase.NOTICE, "en").parts["text"]
    assert "online desk (in part)" in text
    assert "meter" not in text


@pytest.mark.parametrize("case", [case for case in CASES if case.spec is WECHAT], ids=str)
def test_a_wechat_body_is_inline_styled_html_only(case: Case) -> None:
    """WeChat strips scripts, style sheets, classes and foreign images; ours have none to lose."""
    body = case.message().parts["body"]
    assert not re.search(r"<(script|style|link|img|iframe|a)\b|class=|id=|url\(|on\w+=", body)
    assert body.count("<section") == body.count("</section>")
    assert body.count("<p") == body.count("</p>")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_kiosk_tells_every_procedure_and_access_point(language: str) -> None:
    """Nothing of the example's long lists is lost on the way to the screen."""
    message = render(Templates(), KIOSK, EXAMPLE, Phase.NOTICE, language)
    pages = "\n".join(message.parts[name] for name in page_names(message.parts))
    names = [item[language] for service in EXAMPLE.services for item in service.items]
    names += [point.name[language] for point in EXAMPLE.access_points]
    assert [name for name in names if name not in pages] == []


def test_a_banner_without_a_link_has_no_words_for_one() -> None:
    """An empty link text means that there is nothing to follow."""
    assert render(Templates(), BANNER, announcement(BARE), Phase.NOTICE, "en").parts["link_text"] == ""
    assert render(Templates(), BANNER, EXAMPLE, Phase.NOTICE, "en").parts["link_text"] == "Read more"


def test_every_template_is_there_and_none_is_left_over() -> None:
    """One for each channel, phase and language, beside the snippets that they share."""
    found = {name for name in Templates().names() if "/_" not in name and name.partition("/")[0] in CHANNELS}
    assert found == {
        f"{spec.slug}/{phase}.{language}.{spec.extension}.j2"
        for spec, phase, language in product((row.spec for row in CHANNELS.values()), Phase, LANGUAGES)
    }


def test_every_template_and_snippet_uses_known_names_only() -> None:
    """A misspelt name is an error whichever branch it stands in."""
    known = set(view(EXAMPLE, "en", Occasion()))
    for name in Templates().names():
        if name.partition("/")[0] in CHANNELS:
            Templates().check_names(name, known)


def test_no_template_knows_whose_outage_it_tells() -> None:
    """Facts come from the announcement; a template is anybody's."""
    for path in shipped_templates().rglob("*.j2"):
        assert not re.search(r"青岛|Qingdao|12333|社保|人社|养老|2022|HRSS", path.read_text(encoding="utf-8")), path


def test_the_documentation_names_every_name() -> None:
    """docs/templates.md is the list that writers use."""
    page = (ROOT / "docs/templates.md").read_text(encoding="utf-8")
    assert [name for name in view(EXAMPLE, "en", Occasion()) if f"`{name}`" not in page] == []


def test_the_gallery_is_static_and_complete(tmp_path: Path) -> None:
    """One page with every message, one file each, and nothing fetched from anywhere."""
    messages, problems = render_all(Templates(), SPECS, EXAMPLE)
    written = write_gallery(tmp_path, messages, EXAMPLE, Templates())
    assert problems == []
    assert len(written) == 1 + len(messages) == 1 + len(SPECS) * len(Phase) * len(LANGUAGES)
    index = written[0].read_text(encoding="utf-8")
    assert index.count('<article class="message"') == len(messages)
    assert not re.search(r"<script|<link|src=|@import|url\(", index)
    assert [path for path in written[1:] if path.relative_to(tmp_path).as_posix() not in index] == []
    sms = (tmp_path / "sms/notice.zh-Hans.txt").read_text(encoding="utf-8")
    assert sms.strip() == render(Templates(), SMS, EXAMPLE, Phase.NOTICE, "zh-Hans").parts["text"]
    assert "link_text" in json.loads((tmp_path / "banner/notice.en.json").read_text(encoding="utf-8"))
    assert (tmp_path / "wechat/notice.en.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_gallery_escapes_and_marks_what_is_over_its_limit(tmp_path: Path) -> None:
    """Texts are shown as written, and a size over its limit stands out."""
    parts = {"text": "<b>&" + "长" * 600}
    long = Message("sms", Phase.NOTICE, "zh-Hans", parts, SMS.measure(parts))
    index = write_gallery(tmp_path, [long], EXAMPLE, Templates())[0].read_text(encoding="utf-8")
    assert "&lt;b&gt;&amp;长" in index
    assert "over the limit" in index


def test_the_gallery_shows_a_channel_it_has_no_picture_of(tmp_path: Path) -> None:
    """A new channel is listed part by part until somebody draws its cell."""
    other = Message("pager", Phase.STARTED, "en", {"head": "Stop", "tail": "Now"}, ())
    index = write_gallery(tmp_path, [other], EXAMPLE, Templates())[0].read_text(encoding="utf-8")
    assert "<dt>head</dt>" in index
    assert json.loads((tmp_path / "pager/started.en.json").read_text(encoding="utf-8")) == {
        "head": "Stop",
        "tail": "Now",
    }
