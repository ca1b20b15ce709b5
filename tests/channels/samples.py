"""Calls of every channel, for the tests of what they all promise."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

import pytest

from broadcaster.channels.base import AddressKind, Call, Channel, Member, RecipientKind
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message
from broadcaster.rendering.renderer import render
from tests.builders import at, example
from tests.support.adapters import adapter_of

SECRET = "whsec_YSBzZWNyZXQgb2YgdGhpcyB0ZXN0"
EXAMPLE = example().announcement

OURS = {slug: channel for slug, channel in CHANNELS.items() if WEBHOOK in channel.suppliers}
"""The channels that speak our own format."""
ANSWERED = {slug: channel for slug, channel in OURS.items() if not channel.registered}
"""Those whose receivers say more than that they have it; partners only acknowledge."""

_BEGINNINGS = {AddressKind.PHONE: "+8613800138", AddressKind.OPENID: "oV5CrjpxgaGXNHIQigzNlgLTn"}

every_channel = pytest.mark.parametrize("channel", OURS.values(), ids=list(OURS))
every_answered = pytest.mark.parametrize("channel", ANSWERED.values(), ids=list(ANSWERED))
registered = pytest.mark.parametrize("channel", CHANNELS.values(), ids=list(CHANNELS))


def member(channel: Channel, number: int) -> Member:
    """A recipient of the channel, in one of the two languages."""
    return Member(number, address(channel, f"{number:03}"), EXAMPLE.languages[number % 2])


def address(channel: Channel, ending: str) -> str:
    """What a recipient of the channel is found by, with this ending of three digits."""
    if channel.reaches is not RecipientKind.PERSON:
        return f"address-{int(ending)}"
    return _BEGINNINGS[channel.addressed_by] + ending


def call(channel: Channel, key: str = "key-1", supplier: str = WEBHOOK) -> Call:
    """A call as full as the supplier takes it, at most five members, in both languages."""
    most = channel.suppliers[supplier].adapter.members_per_call
    members = tuple(member(channel, number) for number in range(min(5, most)))
    return Call(
        key=key,
        channel=channel.slug,
        broadcast="b" * 20,
        announcement=EXAMPLE.slug,
        revision=3,
        phase=Phase.STARTED,
        severity="major",
        link="https://hrss.qingdao.gov.cn/",
        prepared_at=at("2022-02-26 08:00"),
        expires_at=at("2022-03-05 10:00"),
        members=members,
        messages=_messages(channel.slug),
        document=f"http://127.0.0.1:9/surfaces/{channel.slug}.json",
        content=EXAMPLE,
    )


@functools.cache
def _messages(slug: str) -> Mapping[str, Message]:
    spec, templates = CHANNELS[slug].spec, Templates()
    return {language: render(templates, spec, EXAMPLE, Phase.STARTED, language) for language in EXAMPLE.languages}


def full_call(channel: Channel) -> Call:
    """A call with as many members as the channel takes."""
    return replace(
        call(channel), members=tuple(member(channel, number) for number in range(adapter_of(channel).members_per_call))
    )
