"""Previews: an article as one named person sees it in their chat with the account, and nobody else."""

from __future__ import annotations

import contextlib

from broadcaster.channels.official import draft, wire
from broadcaster.channels.official.client import Client
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.errors import DeliveryError
from broadcaster.rendering.message import Parts


def preview(provider: Provider, transport: Transport, parts: Parts, reader: str) -> None:
    """Show an article to the WeChat name of a follower; the platform allows 100 a day.

    What it takes for that is deleted afterwards. Raises a DeliveryError when the platform refuses.
    """
    client = Client(provider, transport)
    cover = draft.upload_cover(client)
    media_id = draft.add(client, lambda known: wire.article_of(parts, known))
    try:
        client.call(wire.PREVIEW, {"towxname": reader, "mpnews": {"media_id": media_id}, "msgtype": "mpnews"})
    finally:
        draft.drop(client, media_id)
        with contextlib.suppress(DeliveryError):
            client.call(wire.DELETE_MATERIAL, {"media_id": cover})
