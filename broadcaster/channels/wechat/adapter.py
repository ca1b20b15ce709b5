"""WeChat: one call puts out the post of one official account, in that account's language.

By webhook, whoever runs the account publishes it; `mass` and `publish` speak to the platform itself.
"""

from __future__ import annotations

from typing import Any

from broadcaster.channels.base import Call, Channel, ChannelKind, RecipientKind
from broadcaster.channels.gateway import webhook
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.channels.wechat.mass.adapter import MASS
from broadcaster.channels.wechat.message import SPEC
from broadcaster.channels.wechat.publish.adapter import PUBLISH


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
    suppliers={WEBHOOK: webhook("wechat.post", payload, members_per_call=1), "mass": MASS, "publish": PUBLISH},
)
