"""SMS by webhook: one call carries the texts once a language and up to 200 numbers."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.base import Call, Channel, ChannelKind, RecipientKind
from broadcaster.channels.provider import Provider
from broadcaster.channels.sms.message import SPEC
from broadcaster.channels.webhook import WebhookAdapter

MEMBERS_PER_CALL = 200
"""Keeps a call's body under the 20 kB that the webhook scheme asks for."""


def payload(call: Call, _provider: Provider) -> dict[str, Any]:
    """`texts` by language, and `to` with each recipient's id, E.164 phone and language."""
    return {
        "texts": {language: message.parts["text"] for language, message in call.messages.items()},
        "to": [{"id": str(row.id), "phone": row.address, "language": row.language} for row in call.members],
    }


CHANNEL = Channel(
    slug="sms",
    kind=ChannelKind.PUSH,
    reaches=RecipientKind.PERSON,
    spec=SPEC,
    adapter=WebhookAdapter("sms.send", payload, MEMBERS_PER_CALL),
)
