"""Reviewed templates: a text is taken apart into parameters that make the template say exactly that text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.reviewed import NAMED, NUMBERED, Syntax, Template, faults
from broadcaster.channels.sms.drafts import draft, unsigned
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import ADDRESSEE
from broadcaster.rendering.renderer import render
from broadcaster.rendering.view import Occasion
from tests.builders import example, proposal
from tests.support.outages import outages
from tests.unit.test_lint_property import few

SMS, TEMPLATES = CHANNELS["sms"], Templates()
both = pytest.mark.parametrize("syntax", [NAMED, NUMBERED], ids=["named", "numbered"])
# Few signs, so that what stands between variables also stands in their values.
words = st.text(alphabet="至日2。", min_size=1, max_size=6)


def parsed(text: str, syntax: Syntax = NAMED) -> Template:
    """A template."""
    return Template.parse(text, syntax)


@st.composite
def filled(draw: st.DrawFn) -> tuple[Template, str, int]:
    """A template without adjacent variables, a text that it says, and the longest of the parameters."""
    values = draw(st.lists(words, max_size=5))
    inner = [draw(words) for _ in values[1:]]
    edges = [draw(st.one_of(st.just(""), words)) for _ in range(2)]
    literals = (edges[0], *inner, edges[1]) if values else (draw(words),)
    names = tuple(f"v{number}" for number in range(len(values)))
    template = Template(literals, names)
    return template, template.filled(dict(zip(names, values, strict=True))), max(map(len, values), default=1)


@given(filled())
def test_what_a_template_says_is_found_again(case: tuple[Template, str, int]) -> None:
    """Perhaps with other parameters, but they say the same, and none is longer than it need be."""
    template, text, longest = case
    found = template.parameters(text, longest)
    assert found is not None
    assert template.filled(found) == text
    assert all(1 <= len(value) <= longest for value in found.values())


@given(filled(), words)
def test_what_is_found_always_says_the_text(case: tuple[Template, str, int], text: str) -> None:
    """Whatever text it is held against."""
    found = case[0].parameters(text)
    assert found is None or case[0].filled(found) == text


@pytest.mark.parametrize(
    ("text", "said", "found"),
    [
        ("${start}至${end}暂停", "2月26日0时至3月20日24时暂停", {"start": "2月26日0时", "end": "3月20日24时"}),
        ("${start}至${end}暂停", "2月26日0时起暂停", None),
        ("${start}至${end}暂停", "至3月20日24时暂停", None),
        ("${a}暂停", "暂停暂停", {"a": "暂停"}),
        ("暂停。", "暂停。", {}),
        ("暂停。", "暂停。请", None),
        ("${a}${b}", "ab", {"a": "a", "b": "b"}),
    ],
)
def test_parameters(text: str, said: str, found: dict[str, str] | None) -> None:
    """Each has at least a character; nothing may be left over."""
    assert parsed(text).parameters(said) == found


def test_a_limit_moves_the_cut_where_it_can() -> None:
    """The first cut would make the second parameter too long."""
    template = parsed("${a}至${b}")
    assert template.parameters("x至y至z") == {"a": "x", "b": "y至z"}
    assert template.parameters("xx至y至zz", 4) == {"a": "xx", "b": "y至zz"}
    assert template.parameters("xx至y至zzz", 4) == {"a": "xx至y", "b": "zzz"}
    assert template.parameters("xxxxx至y", 4) is None


def test_a_text_full_of_what_stands_between_variables_is_no_trap() -> None:
    """Ten variables and 490 signs that each could end one: without looking twice at a place it is over at once."""
    template = parsed("至".join(f"${{v{number}}}" for number in range(10)) + "。")
    assert template.parameters("至" * 490, 35) is None


@pytest.mark.parametrize(
    ("text", "syntax", "fault"),
    [
        ("${a}至${a}", NAMED, "twice"),
        ("{1}至{3}", NUMBERED, "not numbered"),
        ("{1}{2}暂停", NUMBERED, "side by side"),
        ("${a}${b}", NAMED, "variables alone"),
        ("【青岛人社】暂停", NAMED, "signature"),
    ],
)
def test_what_no_vendor_approves_of(text: str, syntax: Syntax, fault: str) -> None:
    """It is said before anything is submitted."""
    [found] = faults(text, syntax)
    assert fault in found


def test_what_is_approved_has_no_fault() -> None:
    """Variables may come in any order, and Alibaba's side by side."""
    assert faults("{2}至{1}暂停", NUMBERED) == []
    assert faults("${a}${b}暂停", NAMED) == []


@both
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("phase", Phase)
def test_a_draft_of_the_example_says_what_is_sent(phase: Phase, language: str, syntax: Syntax) -> None:
    """It can be submitted as it is, and no date is left in it."""
    message = render(TEMPLATES, SMS.spec, example().announcement, phase, language)
    found, text = draft(message, syntax), unsigned(message.parts["text"])
    assert faults(found.text, syntax) == []
    assert parsed(found.text, syntax).parameters(text, 35) is not None
    assert "月" not in found.text
    assert "March" not in found.text


@few
@given(outages(), st.sampled_from(Phase), st.sampled_from([NAMED, NUMBERED]))
def test_a_draft_says_what_it_was_made_from(data: dict[str, Any], phase: Phase, syntax: Syntax) -> None:
    """Outages of every kind."""
    announcement = proposal(**data).announcement
    for language in announcement.languages:
        message = render(TEMPLATES, SMS.spec, announcement, phase, language)
        found = draft(message, syntax)
        assert faults(found.text, syntax) == []
        values = [row.example for row in found.variables]
        literals = parsed(found.text, syntax).literals
        said = "".join(piece for pair in zip(literals, [*values, ""], strict=True) for piece in pair)
        assert said == unsigned(message.parts["text"])


def test_the_readers_name_is_a_variable_of_its_own() -> None:
    """Beside a date it would be one with it, for two variables may not touch."""
    message = render(TEMPLATES, SMS.spec, example().announcement, Phase.NOTICE, "zh-Hans", Occasion())
    text = message.parts["text"].replace("】", f"】{ADDRESSEE}，您好。", 1)
    named = type(message)("sms", Phase.NOTICE, "zh-Hans", {"text": text}, ())
    found = draft(named, NAMED)
    assert found.text.startswith("${name}，您好。${time1}至${time2}，")
    assert found.variables[0].example == "用户"
    touching = type(message)("sms", Phase.NOTICE, "zh-Hans", {"text": f"【x】{ADDRESSEE}2月26日0时起暂停"}, ())
    assert draft(touching, NUMBERED).text == "{1}起暂停"


def test_literals_stand_between_variables() -> None:
    """One literal more than there are names."""
    template = parsed("a${x}b${y}")
    assert (template.literals, template.names) == (("a", "b", ""), ("x", "y"))
