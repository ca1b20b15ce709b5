"""What an SMS call carries: a text a language, or a text a person."""

from __future__ import annotations

from dataclasses import replace

from broadcaster.channels.base import Call, Member
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.sms.adapter import payload
from broadcaster.channels.sms.simulator import receive
from broadcaster.rendering.message import ADDRESSEE, Message
from tests.channels.samples import SECRET, call

SMS = CHANNELS["sms"]
PROVIDER = Provider("east", "http://127.0.0.1:9/", SECRET)
PEOPLE = (
    Member(1, "+8613800138001", "zh-Hans", "王芳"),
    Member(2, "+8613800138002", "zh-Hans"),
    Member(3, "+8613800138003", "en", "Li Wei"),
)


def personal(**texts: str) -> Call:
    """A call to three people with a text a language."""
    whole = call(SMS)
    messages = {
        language: Message("sms", whole.phase, language, {"text": text}, ())
        for language, text in {"zh-Hans": texts["chinese"], "en": texts["english"]}.items()
    }
    return replace(whole, members=PEOPLE, messages=messages)


def test_a_text_for_everybody_is_carried_once_a_language() -> None:
    """Two hundred numbers, two texts."""
    data = payload(personal(chinese="停机通知", english="Notice"), PROVIDER)
    assert data["texts"] == {"zh-Hans": "停机通知", "en": "Notice"}
    assert data["to"][0] == {"id": "1", "phone": "+8613800138001", "language": "zh-Hans"}


def test_a_text_that_names_its_reader_is_each_persons_own() -> None:
    """Whoever has no name is called what the language calls somebody."""
    data = payload(personal(chinese=f"{ADDRESSEE}，您好", english=f"Dear {ADDRESSEE}"), PROVIDER)
    assert data["texts"] == {}
    assert [row["text"] for row in data["to"]] == ["王芳，您好", "用户，您好", "Dear Li Wei"]


def test_one_language_may_name_its_reader_and_the_other_not() -> None:
    """Each row has the text it needs, and no other."""
    data = payload(personal(chinese=f"{ADDRESSEE}，您好", english="Notice"), PROVIDER)
    assert data["texts"] == {"en": "Notice"}
    assert ["text" in row for row in data["to"]] == [True, True, False]


def test_the_stand_in_shows_each_person_their_own() -> None:
    """As a phone would."""
    data = payload(personal(chinese=f"{ADDRESSEE}，您好", english="Notice"), PROVIDER)
    assert [row.parts["text"] for row in receive(data).exhibits] == ["王芳，您好", "用户，您好", "Notice"]
