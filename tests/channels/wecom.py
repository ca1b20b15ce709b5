"""A bot and calls to it, for the tests of the WeCom channel."""

from __future__ import annotations

from dataclasses import replace

from broadcaster.channels.base import Call, Delivery, Member
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.channels.wecom.adapter import WecomOptions
from broadcaster.channels.wecom.wire import Format
from broadcaster.rendering.message import Message
from tests.channels.http_server import Answer
from tests.channels.samples import call

CHANNEL = CHANNELS["wecom"]
WECOM = CHANNEL.suppliers["wecom"]
KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
TRANSPORT = Transport(allow_private=True)
OK = Answer(200, b'{"errcode":0,"errmsg":"ok"}')


def bot(url: str, form: Format = Format.MARKDOWN, key: str = KEY) -> Provider:
    """The bot of a group."""
    options = WecomOptions(format=form)
    return Provider("counters", url, key, label="网点通知群", timeout=5.0, supplier="wecom", options=options)


def call_with(text: str) -> Call:
    """A call to one group."""
    whole = call(CHANNEL, supplier="wecom")
    message = Message("wecom", whole.phase, "zh-Hans", {"text": text}, ())
    members = (Member(7, "counters", "zh-Hans"),)
    return replace(whole, members=members, messages={"zh-Hans": message})


def send(provider: Provider, text: str = "**公告**\n> 养老") -> Delivery:
    """Make a call; what became of its one member."""
    [found] = WECOM.adapter.send(call_with(text), provider, TRANSPORT)
    return found
