"""A Kannel account and calls to it, for the tests of that supplier."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from broadcaster import clock
from broadcaster.channels.base import Call, Member
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.sms.kannel.options import KannelOptions
from broadcaster.channels.transport import Transport
from broadcaster.rendering.message import Message
from tests.channels.samples import call

KANNEL = CHANNELS["sms"].suppliers["kannel"]
PASSWORD, REPORTS = "a-password-of-9-lives", "what signs the addresses of reports"
PHONE = "+8613800138005"
CALLBACK = "https://hrss.example/callbacks/sms/gateway"
TRANSPORT = Transport(allow_private=True)


def provider_at(url: str, callback_url: str = CALLBACK) -> Provider:
    """An account of a gateway."""
    options = KannelOptions(username="hrss", sender="10691234")
    return Provider(
        "gateway",
        url,
        PASSWORD,
        timeout=5.0,
        supplier="kannel",
        options=options,
        secrets={"reports": REPORTS},
        callback_url=callback_url,
    )


def call_with(text: str, phone: str = PHONE, name: str = "", left: timedelta = timedelta(hours=5)) -> Call:
    """A call to one person, true for a while yet."""
    whole = call(CHANNELS["sms"])
    message = Message("sms", whole.phase, "zh-Hans", {"text": text}, ())
    member = Member(7, phone, "zh-Hans", name)
    return replace(whole, members=(member,), messages={"zh-Hans": message}, expires_at=clock.now() + left)
