"""Keywords of template messages: what may stand for each kind, and which of an account's templates gives a message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broadcaster.channels.followers.drafts import content, drafts
from broadcaster.channels.followers.keywords import kind_of, objection
from broadcaster.channels.followers.message import SPEC, measure
from broadcaster.channels.followers.official.approved import Filled, fill
from broadcaster.channels.followers.official.options import TemplateOptions
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message
from broadcaster.rendering.review import review
from broadcaster.site import read_site
from tests.builders import example
from tests.support.examples import ROOT

README = ROOT / "broadcaster/channels/followers/README.md"
ID = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY"
TEXT = "服务名称：{{thing1.DATA}}\n暂停时间：{{time2.DATA}}"
SAID = "服务名称：社保业务\n暂停时间：2022年2月26日 00:00"


def options(*rows: dict[str, Any], **fields: object) -> TemplateOptions:
    """An account with these templates."""
    known = {"template_id": ID, "language": "zh-Hans", "text": TEXT}
    templates = [{**known, **row} for row in rows or ({},)]
    return TemplateOptions.model_validate({"appid": "wx0123456789abcdef", "templates": templates, **fields})


def message(text: str = SAID, phase: Phase = Phase.NOTICE, language: str = "zh-Hans") -> Message:
    """A rendered message."""
    return Message("followers", phase, language, {"text": text}, ())


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("thing1", "汉" * 20),
        ("number2", "123.45"),
        ("letter3", "a" * 32),
        ("symbol1", "※※※※※"),
        ("character_string4", "A-1/2#" + "x" * 26),
        ("time5", "15:01"),
        ("time5", "2019年10月1日 15:01"),
        ("time5", "2019年10月1日 15:01~2019年10月2日 0:00"),
        ("time5", "2022-02-26 00:00"),
        ("date6", "2019年10月1日"),
        ("date6", "2019年10月1日~2019年10月9日"),
        ("amount7", "￥100.5元"),
        ("phone_number8", "+86-0532-85912333"),
        ("car_number9", "粤A8Z888挂"),
        ("name10", "王" * 10),
        ("name10", "Anna Maria O'Hara-B."),
        ("phrase11", "尚未恢复了"),
        ("const12", "停机"),
        ("thing", "a name without a number"[:20]),
    ],
)
def test_what_fits_is_not_objected_to(keyword: str, value: str) -> None:
    """Up to the last character."""
    assert objection(keyword, value, {}) is None


@pytest.mark.parametrize(
    ("keyword", "value", "says"),
    [
        ("thing1", "汉" * 21, "thing1 would have 21 characters, the limit is 20"),
        ("thing1", "2022年2月26日0时至3月20日24时", "thing1 would have 21 characters, the limit is 20"),
        ("thing1", "two\nlines", "thing1 must be text of one line"),
        ("number2", "12a", "number2 must be a number"),
        ("number2", "1" * 33, "number2 would have 33 characters, the limit is 32"),
        ("character_string4", "编号", "character_string4 must be digits, letters and symbols"),
        ("time5", "2022年2月26日0时", "time5 must be a time such as 2019年10月1日 15:01"),
        ("time5", "2022年3月20日 24:00", "time5 must be a time such as 2019年10月1日 15:01"),
        ("time5", "另行通知", "time5 must be a time such as 2019年10月1日 15:01"),
        ("date6", "明天", "date6 must be a date such as 2019年10月1日 or 2019年10月1日 15:01"),
        ("phone_number8", "1" * 18, "phone_number8 would have 18 characters, the limit is 17"),
        ("phrase11", "六个汉字太长", "phrase11 would have 6 characters, the limit is 5"),
        ("phrase11", "will", "phrase11 must be Chinese characters"),
        ("name10", "王" * 11, "name10 must be 10 characters, or 20 letters"),
        ("keyword1", "x", "keyword1 is of no kind that is known: say how long it may be in `limits`"),
    ],
)
def test_what_does_not_fit_is_objected_to(keyword: str, value: str, says: str) -> None:
    """With the number that it would have, and never with the value."""
    assert objection(keyword, value, {}) == says


def test_the_example_of_the_channels_page_is_a_site(tmp_path: Path) -> None:
    """And its template gives what the example announcement says while it is told of a stop."""
    found = re.search(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found
    path = tmp_path / "site.yaml"
    path.write_text(f"name: test\n{found.group(1)}", encoding="utf-8")
    [account] = read_site(path, CHANNELS).providers("followers")
    known = TemplateOptions.model_validate(account.options)
    messages, _ = review(Templates(), [SPEC], example().announcement, languages=["zh-Hans"])
    given = {row.phase for row in messages if isinstance(fill(known, row), Filled)}
    assert given == {Phase.NOTICE, Phase.REMINDER, Phase.STARTED, Phase.ONGOING, Phase.CHANGED}


def test_a_site_may_know_another_limit() -> None:
    """Also of a kind that we do not know."""
    assert objection("thing1", "a" * 25, {"thing": 30}) is None
    assert objection("thing1", "a" * 15, {"thing": 10}) == "thing1 would have 15 characters, the limit is 10"
    assert objection("keyword1", "a" * 40, {"keyword": 40}) is None
    assert (kind_of("phone_number12"), kind_of("thing")) == ("phone_number", "thing")


def test_a_template_gives_a_message_with_its_keywords() -> None:
    """Whatever blank lines the platform lists it with."""
    wanted = Filled(ID, {"thing1": "社保业务", "time2": "2022年2月26日 00:00"})
    assert fill(options(), message()) == wanted
    assert fill(options({"text": f"\n{TEXT}\n\n"}), message()) == wanted


def test_the_first_variant_that_fits_is_taken() -> None:
    """One of them has no line for what this message does not say."""
    short = {"template_id": f"{ID}-short", "text": "服务名称：{{thing1.DATA}}"}
    assert fill(options({}, short), message("服务名称：社保业务")) == Filled(f"{ID}-short", {"thing1": "社保业务"})


@pytest.mark.parametrize(
    ("rows", "said", "says"),
    [
        (({"phases": ["restored"]},), message(), "the account has no template for notice zh-Hans"),
        ((), message(language="en"), "the account has no template for notice en"),
        ((), message("服务名称：社保业务"), f"notice zh-Hans: none of the account's templates ({ID}) gives the text"),
        (
            (),
            message(SAID.replace("社保业务", "社" * 21)),
            f"notice zh-Hans: of {ID}, thing1 would have 21 characters, the limit is 20",
        ),
    ],
)
def test_why_there_is_none_is_said(rows: tuple[dict[str, Any], ...], said: Message, says: str) -> None:
    """So that somebody can choose another template, or other words."""
    found = fill(options(*rows), said)
    assert isinstance(found, str)
    assert found.startswith(says)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"text": "服务已停"}, "has no keyword such as"),
        ({"text": "{{thing1.DATA}}{{thing2.DATA}}"}, "two of its variables stand side by side"),
        ({"text": "a：{{thing1.DATA}}\nb：{{thing1.DATA}}"}, "a variable stands in it twice"),
        ({"template_id": "short"}, "template_id"),
        ({"phases": []}, "phases"),
    ],
)
def test_a_template_that_is_none_is_found_with_the_site(row: dict[str, Any], says: str) -> None:
    """Before anything is rendered."""
    with pytest.raises(ValidationError, match=says):
        options(row)


def test_every_message_of_the_example_fits_its_keywords() -> None:
    """In both languages: times as clocks, the service within 20 characters, the number as a number."""
    messages, problems = review(Templates(), [SPEC], example().announcement, personal={"followers"})
    assert problems == []
    rows = drafts(messages)
    account = options(
        *(
            {"template_id": f"{n:03}{ID}", "language": row.language, "phases": row.phases, "text": row.text}
            for n, row in enumerate(rows)
        )
    )
    assert [found for one in messages if isinstance(found := fill(account, one), str)] == []
    assert {row.language for row in rows} == {"zh-Hans", "en"}
    # One template a language says all that is about a stop to come or under way.
    assert max(len(row.phases) for row in rows) == 5


def test_a_draft_makes_a_keyword_of_each_value() -> None:
    """Of the kind that its form tells."""
    text = f"{SAID}\n咨询电话：12333\nStatus: will stop"
    assert content(text) == (
        "服务名称：{{thing1.DATA}}\n暂停时间：{{time2.DATA}}\n咨询电话：{{phone_number3.DATA}}\nStatus: {{thing4.DATA}}"
    )


def test_a_message_is_measured_by_its_longest_value() -> None:
    """Labels are the template's, and cost nothing."""
    longest, lines = measure({"text": "很长的一个标签：短\n标签：长一点的值"})
    assert (longest.size, longest.limit, lines.size) == (5, 32, 2)
