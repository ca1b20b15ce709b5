"""WeChat by webhook: one call publishes the post of one official account, in that account's language."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.base import Call, Channel, ChannelKind, RecipientKind
from broadcaster.channels.gateway import webhook
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.channels.wechat.message import SPEC


def payload(call: Call, provider: Provider) -> dict[str, Any]:
    """The account, the id that answers and receipts name, the article's parts, and which posts it replaces."""
    member = call.members[0]
    return {
        "account": provider.label or provider.name,
        "to": [{"id": str(member.id), "account": member.address, "language": member.language}],
        "article": dict(call.messages[member.language].parts),
        "link": call.link,
        "replaces": [post._asdict() for post in call.replaces],
    }


CHANNEL = Channel(
    slug="wechat",
    kind=ChannelKind.PUSH,
    reaches=RecipientKind.ACCOUNT,
    spec=SPEC,
    suppliers={WEBHOOK: webhook("wechat.post", payload, members_per_call=1)},
)
