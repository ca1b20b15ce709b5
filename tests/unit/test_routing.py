"""Routing: whom a call takes together, where a supplier's request cannot carry just anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from broadcaster import clock
from broadcaster.channels.base import Member
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.delivery.messages import Edition
from broadcaster.delivery.routing import halves, route
from broadcaster.delivery.run import Run, Step
from broadcaster.planning.phase import Phase
from broadcaster.rendering.message import ADDRESSEE, Message
from tests.builders import example

LANGUAGES = ("zh-Hans", "en")
BATCH: Any = SimpleNamespace(broadcast_id="b", slug="s", phase="notice", revision=1, expires_at=clock.machine_now())


def run(*suppliers: str, texts: Mapping[str, str] | None = None) -> Run:
    """A batch of the SMS notice with a provider of each supplier."""
    said = texts or dict.fromkeys(LANGUAGES, "words")
    messages = {name: Message("sms", Phase.NOTICE, name, {"text": text}, ()) for name, text in said.items()}
    providers = {name: Provider(name, "http://127.0.0.1:9", "", supplier=name) for name in suppliers}
    scope: Any = None
    return Run(BATCH, CHANNELS["sms"], scope, Edition(example(), messages), providers, "")


def people(count: int) -> list[Member]:
    """People, every fifth of whom reads English; ten of each name."""
    return [
        Member(number, f"+8613800{number:06}", LANGUAGES[number % 5 == 0], f"n{number % 10}") for number in range(count)
    ]


def steps(found: Run, members: list[Member]) -> list[Step]:
    """The calls for these people, who are all in one of them."""
    calls, lost = route(found, members)
    assert lost == []
    assert sorted(member.id for call in calls for member in call.call.members) == [row.id for row in members]
    return calls


def sizes(found: Run, members: list[Member]) -> list[tuple[str, int]]:
    """(languages, members) of each call."""
    return [("+".join(sorted(row.call.messages)), len(row.call.members)) for row in steps(found, members)]


def test_our_own_format_takes_whoever_comes() -> None:
    """In the order in which they come."""
    assert sizes(run("webhook"), people(300)) == [("en+zh-Hans", 200), ("en+zh-Hans", 100)]


def test_one_template_a_request_parts_the_languages() -> None:
    """With as few calls as that takes."""
    assert sizes(run("aliyun"), people(300)) == [("en", 60), ("zh-Hans", 100), ("zh-Hans", 100), ("zh-Hans", 40)]
    assert sizes(run("tencent"), people(300)) == [("en", 60), ("zh-Hans", 200), ("zh-Hans", 40)]


def test_a_site_may_have_larger_calls_where_all_read_the_same() -> None:
    """But never larger than a request whose parameters differ."""
    large = replace(run("aliyun").providers["aliyun"], members_per_call=1000)
    alike = replace(run("aliyun"), providers={"aliyun": large})
    assert sizes(alike, people(1000)) == [("en", 200), ("zh-Hans", 800)]
    named = replace(run("aliyun", texts={"zh-Hans": ADDRESSEE, "en": "words"}), providers={"aliyun": large})
    assert sizes(named, people(1000)) == [("en", 200), *[("zh-Hans", 100)] * 8]


def test_one_set_of_parameters_a_request_parts_the_names() -> None:
    """People of one name share a call, where the text names its reader; in the other language all do."""
    named = steps(run("tencent", texts={"zh-Hans": ADDRESSEE, "en": "words"}), people(100))
    assert [{row.name for row in call.call.members} for call in named[1:]] == [
        {f"n{name}"} for name in (1, 2, 3, 4, 6, 7, 8, 9)
    ]
    assert {row.language for row in named[0].call.members} == {"en"}


def test_two_suppliers_share_the_people() -> None:
    """Whichever is drawn for a call, its members fit into one request."""
    for call in steps(run("webhook", "aliyun", "tencent"), people(1000)):
        languages = {member.language for member in call.call.members}
        assert call.provider.supplier == "webhook" or len(languages) == 1


def test_halves_are_calls_of_their_own() -> None:
    """Under other keys, because nobody saw the whole one."""
    found = run("aliyun")
    [whole] = steps(found, [*people(1), Member(7, "+8613800000007", "en"), Member(9, "+8613800000009", "en")])
    first, second = halves(found, whole)
    assert [len(half.call.members) for half in (first, second)] == [1, 2]
    assert len({whole.call.key, first.call.key, second.call.key}) == 3
