"""The one list of channels. Adding one is a line here, its folder and its templates."""

from __future__ import annotations

from broadcaster.channels.banner.adapter import CHANNEL as BANNER
from broadcaster.channels.base import Channel, RecipientKind
from broadcaster.channels.followers.adapter import CHANNEL as FOLLOWERS
from broadcaster.channels.kiosk.adapter import CHANNEL as KIOSK
from broadcaster.channels.sms.adapter import CHANNEL as SMS
from broadcaster.channels.webhook.adapter import CHANNEL as WEBHOOK
from broadcaster.channels.wechat.adapter import CHANNEL as WECHAT
from broadcaster.channels.wecom.adapter import CHANNEL as WECOM
from broadcaster.planning.policy import DEFAULT_CHANNELS, Policy
from broadcaster.rendering.message import MessageSpec

CHANNELS: dict[str, Channel] = {
    channel.slug: channel for channel in (SMS, WECHAT, FOLLOWERS, BANNER, KIOSK, WECOM, WEBHOOK)
}

PERSONAL = frozenset(slug for slug, channel in CHANNELS.items() if channel.reaches is RecipientKind.PERSON)
"""The channels that reach people one by one."""
REGISTERED = next(channel for channel in CHANNELS.values() if channel.registered)
"""The channel of the endpoint registry."""

POOLS = {slug: channel.pool for slug, channel in CHANNELS.items()}
"""Channel → the pool of its recipients."""
PEOPLE_POOLS = frozenset(POOLS[slug] for slug in PERSONAL)
"""The pools that hold people."""


def specs_for(policy: Policy) -> list[MessageSpec]:
    """What messages consist of where an announcement may be told: on the default channels, and those it names."""
    wanted = {*DEFAULT_CHANNELS, *policy.channels}
    return [channel.spec for slug, channel in CHANNELS.items() if slug in wanted]
