"""Drafts: what an article is before anybody can see it. Whatever goes wrong here, surely nobody saw the call."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from broadcaster.channels.official import wire
from broadcaster.channels.official.client import Client
from broadcaster.channels.official.exchange import unseen
from broadcaster.errors import DeliveryError

COVER = Path(__file__).with_name("cover.jpg")
COVER_SECONDS = 30 * 24 * 3600.0
"""For how long the id of an uploaded cover is remembered; forgotten, it is uploaded once more."""

Write = Callable[[str], dict[str, Any]]
"""Writes the article that has this cover."""


def add(client: Client, write: Write) -> str:
    """Put a draft into the account's box; gives its media id. A cover that the platform lost is uploaded anew."""
    with unseen():
        cover = client.shelf.get(_note(client)) or upload_cover(client)
        said = client.post(wire.ADD_DRAFT, {"articles": [write(cover)]})
        if said.code == wire.UNKNOWN_MEDIA:
            said = client.post(wire.ADD_DRAFT, {"articles": [write(upload_cover(client))]})
        said.check()
        return said.text("media_id")


def upload_cover(client: Client) -> str:
    """Add the cover to the account's material, and tell the other workers its media id."""
    media_id = client.upload(COVER.name, COVER.read_bytes(), "thumb").text("media_id")
    client.shelf.put(_note(client), media_id, COVER_SECONDS)
    return media_id


def drop(client: Client, media_id: str) -> None:
    """Take a draft out of the box that is of no use any more; one that stays there does no harm."""
    with contextlib.suppress(DeliveryError):
        client.call(wire.DELETE_DRAFT, {"media_id": media_id})


def _note(client: Client) -> str:
    return f"wechat cover {client.provider.name} {_digest()}"


@cache
def _digest() -> str:
    """Of the cover, so that another one is uploaded when it changes."""
    return hashlib.sha256(COVER.read_bytes()).hexdigest()[:16]
