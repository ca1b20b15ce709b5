"""What the channels of surfaces send: a word that a new document is served. The served document is the truth."""

from __future__ import annotations

from typing import Any

from broadcaster.channels.base import Call, Channel, ChannelKind, RecipientKind
from broadcaster.channels.gateway import webhook
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.rendering.message import MessageSpec


def payload(call: Call, provider: Provider) -> dict[str, Any]:
    """Which surface, where its document is, and which endpoint is told."""
    return {
        "surface": call.channel,
        "document": call.document,
        "to": [{"id": str(row.id), "endpoint": provider.name} for row in call.members],
    }


def surface_channel(spec: MessageSpec, *, shows_qr: bool = False) -> Channel:
    """A surface whose endpoints are told, one a call, when it changed."""
    return Channel(
        slug=spec.slug,
        kind=ChannelKind.SURFACE,
        reaches=RecipientKind.ENDPOINT,
        spec=spec,
        suppliers={WEBHOOK: webhook("surface.published", payload, members_per_call=1)},
        shows_qr=shows_qr,
    )
