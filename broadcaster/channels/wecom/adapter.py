"""WeCom (企业微信) by group bot: one call says one message in the group of one bot.

Every bot is an endpoint of its own, and its key is all that is needed to speak as it. It dedupes nothing and cannot be
asked, so its class is `none`: after an answer that was lost, the outcome is `unknown`, and no group is told twice.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import cast

from broadcaster.channels.base import Call, Channel, ChannelKind, Delivery, Idempotency, Outcome, RecipientKind
from broadcaster.channels.callback import Callback, ForgedError, Heard
from broadcaster.channels.options import Options
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import Supplier
from broadcaster.channels.transport import Answer, Request, Transport, raise_for_status
from broadcaster.channels.wecom import wire
from broadcaster.channels.wecom.message import SPEC
from broadcaster.errors import AmbiguousError, PermanentError, TransientError


class WecomOptions(Options):
    """What a bot must be told beside its key."""

    format: wire.Format = wire.Format.MARKDOWN
    """How it says it."""


class WecomAdapter:
    """The way to one bot."""

    idempotency = Idempotency.NONE
    dedupes_for = timedelta(0)
    visible_after = timedelta(0)
    members_per_call = 1

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """Let the bot say it; its key stands in the address, as WeCom wants it, and in nothing that we write."""
        transport.refuse_what_is_old(provider)
        (member,) = call.members
        options = cast("WecomOptions", provider.options)
        said = wire.body(call.messages[member.language].parts["text"], options.format)
        # Their format has no field for it, and passes over the header; the sandbox's bot knows by it what it says.
        headers = {"content-type": "application/json; charset=utf-8", "x-broadcast": call.broadcast}
        address = provider.url.rstrip("/") + wire.PATH
        answer = transport.exchange(provider, Request("POST", address, headers, said, {"key": provider.secret}))
        _check(answer, provider)
        return [Delivery(member.id, Outcome.ACCEPTED)]

    def ask(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery] | None:
        """A bot does not know what it said."""
        raise AmbiguousError(f"{provider.name} cannot be asked about a call")


def _check(answer: Answer, provider: Provider) -> None:
    """Raise what an answer means, unless it is a success; the code inside decides, whatever the HTTP status."""
    code, name = wire.code_of(answer.body), provider.name
    if code == wire.OK:
        return
    if code is None:
        raise_for_status(provider, answer)
        raise AmbiguousError(f"{name} answered something that cannot be read")
    if code in wire.NOT_NOW:
        raise TransientError(f"{name} takes nothing now (errcode {code})", retry_after=wire.NOT_NOW[code])
    words = wire.REFUSALS.get(code, "it refused the message")
    raise PermanentError(f"{name}: {words} (errcode {code})")


def hear(callback: Callback, provider: Provider) -> Heard:
    """A bot calls nobody back: whoever does so in its name is somebody else."""
    raise ForgedError


def wrong_key(secret: str) -> str | None:
    """What is wrong with a key."""
    if re.fullmatch(r"[0-9A-Za-z_-]{16,128}", secret):
        return None
    return "it is not the key of a bot: what stands behind `key=` in its address, and nothing else of it"


CHANNEL = Channel(
    slug="wecom",
    kind=ChannelKind.PUSH,
    reaches=RecipientKind.ENDPOINT,
    spec=SPEC,
    suppliers={
        "wecom": Supplier(WecomAdapter(), hear, options=WecomOptions, url=wire.URL, wrong_secret=wrong_key),
    },
)
