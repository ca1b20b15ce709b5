"""SMS by webhook: one call carries the texts once a language and up to 200 numbers."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.base import Call, Channel, ChannelKind, RecipientKind
from broadcaster.channels.gateway import webhook
from broadcaster.channels.provider import Provider
from broadcaster.channels.sms.aliyun.adapter import ALIYUN
from broadcaster.channels.sms.kannel.adapter import KANNEL
from broadcaster.channels.sms.message import SPEC
from broadcaster.channels.sms.tencent.adapter import TENCENT
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.rendering.message import personalised
from broadcaster.rendering.wording import wording

MEMBERS_PER_CALL = 200
"""Keeps a call's body under the 20 kB that the webhook scheme asks for."""


def payload(call: Call, _provider: Provider) -> dict[str, Any]:
    """`texts` by language, and `to` with each recipient's id, E.164 phone and language.

    Where a text names its recipient, it is not in `texts`: each row of `to` has its own `text`.
    """
    texts = {language: message.parts["text"] for language, message in call.messages.items() if not message.personal}
    to = [{"id": str(id_), "phone": phone, "language": language} for id_, phone, language, _ in call.members]
    for language, message in call.messages.items():
        if message.personal:
            text, nameless = message.parts["text"], wording(language).addressee
            for row, member in zip(to, call.members, strict=True):
                if member.language == language:
                    row["text"] = personalised(text, member.name, nameless)
    return {"texts": texts, "to": to}


CHANNEL = Channel(
    slug="sms",
    kind=ChannelKind.PUSH,
    reaches=RecipientKind.PERSON,
    spec=SPEC,
    suppliers={
        WEBHOOK: webhook("sms.send", payload, MEMBERS_PER_CALL),
        "aliyun": ALIYUN,
        "tencent": TENCENT,
        "kannel": KANNEL,
    },
)
