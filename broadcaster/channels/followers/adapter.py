"""WeChat template messages: one person who follows a service account reads them in their chat with it.

By webhook, whoever keeps the account's access token sends them; `official` speaks to the platform itself.
"""

from __future__ import annotations

from typing import Any

from broadcaster.channels.base import AddressKind, Call, Channel, ChannelKind, RecipientKind
from broadcaster.channels.followers.message import SPEC, values
from broadcaster.channels.followers.official.adapter import OFFICIAL
from broadcaster.channels.gateway import webhook
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import WEBHOOK

MEMBERS_PER_CALL = 200
"""Keeps a call's body under the 20 kB that the webhook scheme asks for."""


def payload(call: Call, _provider: Provider) -> dict[str, Any]:
    """`texts` by language, the same as `lines` of label and value, and `to` with each follower's id and openid."""
    texts = {language: message.parts["text"] for language, message in call.messages.items()}
    return {
        "texts": texts,
        "lines": {language: [list(line) for line in values(text)] for language, text in texts.items()},
        "to": [{"id": str(row.id), "openid": row.address, "language": row.language} for row in call.members],
        "link": call.link,
    }


CHANNEL = Channel(
    slug="followers",
    kind=ChannelKind.PUSH,
    reaches=RecipientKind.PERSON,
    addressed_by=AddressKind.OPENID,
    spec=SPEC,
    suppliers={WEBHOOK: webhook("followers.send", payload, MEMBERS_PER_CALL), "official": OFFICIAL},
)
