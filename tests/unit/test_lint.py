"""The consistency lint: what contradicts the facts is found, and named with both places where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from broadcaster.announcement.facts import FactChange
from broadcaster.announcement.source import parse_source
from broadcaster.channels.registry import CHANNELS
from broadcaster.errors import Problem
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import parse
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.lint.lint import contradictions
from broadcaster.rendering.lint.places import Places
from broadcaster.rendering.renderer import render
from broadcaster.rendering.review import review
from broadcaster.rendering.view import Occasion
from tests.builders import announcement_data, announcement_yaml
from tests.support.examples import EXAMPLE

SPECS = [channel.spec for channel in CHANNELS.values()]
FACTS: dict[str, Any] = {
    "zone_name": {"zh-Hans": "北京时间", "en": "Beijing time"},
    "window": {"start": "2022-02-26 00:00", "end": "2022-03-20 24:00"},
    "contacts": [{"kind": "phone", "value": "12333", "name": {"zh-Hans": "热线", "en": "hotline"}}],
}


def both(zh: str, en: str = "words") -> dict[str, str]:
    """A text in the two languages."""
    return {"zh-Hans": zh, "en": en}


def found(templates: Path | None = None, phases: Iterable[Phase] = (Phase.NOTICE,), **fields: Any) -> list[Problem]:
    """What is wrong with the minimal announcement that has `fields`, told by a site's templates and ours."""
    source = parse_source(announcement_yaml(**{**FACTS, **fields}), "file.yaml")
    return review(Templates(templates), SPECS, parse(source, CHANNELS).announcement, source, phases)[1]


def advice(zh: str, en: str = "words", **fields: Any) -> dict[str, Any]:
    """The field `advice` with one piece of it."""
    return {"advice": [{"kind": "alternative", "text": both(zh, en), **fields}]}


def write(folder: Path, name: str, text: str) -> Path:
    """A template of a site of its own."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def blocks(**parts: str) -> str:
    """A template of these parts."""
    return "".join(f"{{% block {name} %}}{text}{{% endblock %}}" for name, text in parts.items())


def sms(folder: Path, zh: str, en: str) -> Path:
    """A site whose SMS notice is its own in both languages."""
    write(folder, "sms/notice.zh-Hans.txt.j2", zh)
    return write(folder, "sms/notice.en.txt.j2", en)


def test_the_minimal_announcement_and_the_example_agree_with_themselves() -> None:
    """No false alarm in what ships."""
    assert found(phases=Phase) == []
    source = parse_source(EXAMPLE.read_text(encoding="utf-8"), str(EXAMPLE))
    assert review(Templates(), SPECS, parse(source, CHANNELS).announcement, source)[1] == []


def test_a_wrong_time_in_a_template_is_named_with_its_line_and_the_fact(tmp_path: Path) -> None:
    """Both places: the line of the template, and that of the field it contradicts."""
    sms(tmp_path, "字\n3月21日24时恢复。字", "Words\nuntil 24:00 on 21 March ({{ zone }}).")
    chinese, english = found(tmp_path)
    assert (chinese.place.file, chinese.place.line) == (str(tmp_path / "sms/notice.zh-Hans.txt.j2"), 2)
    assert (english.place.file, english.place.line) == (str(tmp_path / "sms/notice.en.txt.j2"), 2)
    assert chinese.message == "“3月21日24时” is no time of the announcement; the nearest is 2022-03-20 24:00"
    assert chinese.against is not None
    assert (chinese.against.file, chinese.against.field) == ("file.yaml", "window.end")
    text = announcement_yaml(**FACTS).splitlines()
    assert "2022-03-20 24:00" in text[(chinese.against.line or 0) - 1]


def test_a_wrong_time_in_a_snippet_is_reported_once(tmp_path: Path) -> None:
    """Eight phases include it; it stands in one place."""
    write(tmp_path, "sms/_call.zh-Hans.txt.j2", "2月27日0时")
    write(tmp_path, "sms/_call.en.txt.j2", "00:00 on 27 February ({{ zone }})")
    problems = found(tmp_path, tuple(Phase), contacts=None)
    assert [Path(str(problem.place.file)).name for problem in problems] == ["_call.zh-Hans.txt.j2", "_call.en.txt.j2"]


@pytest.mark.parametrize(
    "text",
    [
        "2月26日0时",
        "2月25日24时",
        "二月二十六日零时",
        "2022年3月20日（星期日）24时",
        "3月21日0时",
        "3月20日",
        "3月21日",
        "根据2021年12月1日的通知",
        "2019年10月1日前出生者",
        "工作日8:30-17:00",
        "咨询12333",
    ],
)
def test_what_is_true_passes(text: str) -> None:
    """24:00 is 0:00 of the day after, and other times than the outage's are none of its business."""
    assert [row for row in found(**advice(text, text)) if row.message.startswith("“")] == []


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("3月21日24时", "window.end"),
        ("2月26日1时", "window.start"),
        ("2021年2月26日", "window.start"),
        ("2月30日", "window.start"),
        ("2月26日25时", "window.start"),
        ("3月5日发放", "window.start"),
        ("2022年2月26日（星期五）", "window.start"),
        ("咨询电话：12345", "contacts[0].value"),
        ("0532-85912333", "contacts[0].value"),
    ],
)
def test_what_a_text_of_the_file_says_wrongly_is_named_at_its_line(text: str, field: str) -> None:
    """A text is read for itself, and not once more in each message that shows it."""
    (problem,) = found(**advice(text, "words"))[:1]
    assert problem.place.field == "advice[0].text.zh-Hans"
    assert problem.against is not None
    assert problem.against.field == field
    assert not [row for row in found(**advice(text, "words")) if row.place.file != "file.yaml"]


def test_the_weekday_of_a_day_long_ago_is_held_to_the_calendar() -> None:
    """No fact is contradicted, but the text contradicts itself."""
    (problem, _) = found(**advice("2021年12月1日（星期四）的通知"))
    assert problem.message == "“2021年12月1日（星期四）”: that day is a Wednesday, not a Thursday"
    assert problem.against is None


def test_other_days_are_named_in_the_file() -> None:
    """A payment within the outage is no time of it, and told on purpose."""
    texts = advice("2月28日发放", "Paid on 28 February")
    assert [row.place.field for row in found(**texts)] == ["advice[0].text.zh-Hans", "advice[0].text.en"]
    assert found(**texts, also_true=["2022-02-28"]) == []


def test_numbers_in_names_are_known() -> None:
    """An account that is called after a hotline is called so."""
    name = both("热线12345", "hotline 12345")
    data = announcement_data()
    points = [{**data["access_points"][0], "name": name}, data["access_points"][1]]
    assert found(access_points=points) == []


def test_a_clock_time_without_its_zone(tmp_path: Path) -> None:
    """English names the zone everywhere; a Chinese SMS or banner has no room, a screen and an article have."""
    sms(tmp_path, "字{{ starts_short }}", "Words {{ starts_short }}")
    (problem,) = found(tmp_path)
    assert problem.message == "tells clock times without their zone, Beijing time"
    assert problem.place == Templates(tmp_path).place("sms/notice.en.txt.j2")
    assert problem.against is not None
    assert problem.against.field == "zone_name"
    write(tmp_path, "kiosk/notice.zh-Hans.txt.j2", blocks(title="t", page_1="{{ starts }}", contact=""))
    write(tmp_path, "kiosk/notice.en.txt.j2", blocks(title="t", page_1="{{ starts }} ({{ zone }})", contact=""))
    assert "tells clock times without their zone, 北京时间" in [row.message for row in found(tmp_path)]


def test_an_offset_that_is_not_the_zones(tmp_path: Path) -> None:
    """A template that has another country's offset written into it."""
    sms(tmp_path, "字{{ starts_short }}（UTC+9）", "Words {{ starts_short }} (UTC+9)")
    assert {row.message for row in found(tmp_path)} == {"tells times of Asia/Shanghai as those of UTC+09:00"}


def test_a_clock_change_within_the_outage_leaves_no_single_offset() -> None:
    """Half of its times would be told an hour wrong; the zone's own name is right for all."""
    span = {"start": "2030-03-01 00:00", "end": "2030-04-20 24:00"}
    assert found(zone="Europe/Berlin", zone_name=None, window=span) == []


SERVICES = [
    {"id": "payments", "name": both("缴费业务", "payments")},
    {"id": "records", "name": both("档案业务", "records")},
]
STOPPED = [{"id": "all", "services": ["payments", "records"], "access_points": ["hall"], "state": "suspended"}]


def test_a_service_that_is_left_out_of_a_list(tmp_path: Path) -> None:
    """Who names one of the services that stop names them all, or says that there is more."""
    facts: dict[str, Any] = {"services": SERVICES, "impacts": STOPPED, "title": both("题", "a title")}
    sms(tmp_path, "缴费业务暂停", "Suspended: payments")
    assert [row.message for row in found(tmp_path, **facts)] == [
        "names services that stop, but not “档案业务”",
        "names services that stop, but not “records”",
    ]
    sms(tmp_path, "缴费业务等暂停", "Suspended: payments and more")
    assert found(tmp_path, **facts) == []


def test_a_language_that_lacks_a_time(tmp_path: Path) -> None:
    """Both places are templates: one tells it, the other does not."""
    sms(tmp_path, "{{ starts_short }}", "Words")
    (problem,) = found(tmp_path)
    assert problem.message == "lacks “2月26日0时”, which zh-Hans tells"
    assert problem.place.file == str(tmp_path / "sms/notice.en.txt.j2")
    assert problem.against is not None
    assert problem.against.file == str(tmp_path / "sms/notice.zh-Hans.txt.j2")


def test_a_language_that_lacks_advice_or_a_number(tmp_path: Path) -> None:
    """The reason and the advice are told in each language or in none, and so is whom to call."""
    sms(tmp_path, "字", "{{ advice[0].text }} Call {{ hotline }}.")
    texts = advice("可到邻市办理。", "Go to the next town.")
    assert [row.message for row in found(tmp_path, **texts)] == [
        "lacks “12333”, which en tells",
        "lacks advice[0] (“Go to the next t…”), which en tells",
    ]


def test_a_language_that_lacks_a_part_or_a_paragraph(tmp_path: Path) -> None:
    """A page of a screen that is empty in one language only, and a paragraph of an article."""
    for language, words in (("zh-Hans", "字"), ("en", "")):
        page = blocks(title="t", page_1="p", page_2=words, contact="c")
        write(tmp_path, f"kiosk/notice.{language}.txt.j2", page)
        article = blocks(title="t", author="a", digest="d", body=f"<p>{words}</p><p>{language}</p>")
        write(tmp_path, f"wechat/notice.{language}.html.j2", article)
    assert [row.message for row in found(tmp_path)] == [
        "lacks the part page_2, which zh-Hans tells",
        "lacks a paragraph: body has 1, and 2 in zh-Hans",
    ]


def test_a_text_of_the_file_that_says_less_in_one_language() -> None:
    """Both places are lines of the file; the messages that show the text are not blamed as well."""
    (problem,) = found(**advice("最迟2月25日办理", "Come early"))
    assert problem.message == "lacks “2月25日”, which zh-Hans tells"
    assert problem.place.field == "advice[0].text.en"
    assert problem.against is not None
    assert problem.against.field == "advice[0].text.zh-Hans"


def test_times_that_only_the_occasion_knows_are_true() -> None:
    """When service came back, and what the window was before."""
    source = parse_source(announcement_yaml(**FACTS), "file.yaml")
    one = parse(source, CHANNELS).announcement
    end = FactChange("window.end", "2022-03-15T00:00:00+08:00", "2022-03-21T00:00:00+08:00")
    row = FactChange("impact.all.last_acceptance", "2022-02-24T17:00:00+08:00", "2022-02-26T00:00:00+08:00")
    occasion = Occasion(finished_at=one.window.start.replace(day=28, hour=7, minute=5), changes=(end, row))
    messages = [
        render(Templates(), spec, one, phase, language, occasion)
        for spec in SPECS
        for phase in (Phase.CHANGED, Phase.RESTORED)
        for language in one.languages
    ]
    places = Places(Templates(), source)
    assert contradictions(one, messages, SPECS, places, occasion) == []
    assert contradictions(one, messages, SPECS, places, Occasion()) != []
