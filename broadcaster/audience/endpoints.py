"""Accounts and endpoints of the site's configuration, as recipients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.channels.base import Channel, ChannelKind, RecipientKind
from broadcaster.site import Site
from broadcaster.storage import audiences, screens
from broadcaster.storage.audiences import UNSET_LANGUAGE
from broadcaster.vault import Vault


def sync_endpoints(
    connection: Connection, vault: Vault, site: Site, channels: Mapping[str, Channel], at: datetime
) -> None:
    """Make the configured accounts and endpoints the newest version of their pools, and a surface's its screens."""
    for slug, channel in channels.items():
        if channel.reaches is RecipientKind.PERSON or channel.registered:
            continue
        rows = [(row.name, row.label or row.name, row.language or UNSET_LANGUAGE, ()) for row in site.providers(slug)]
        audiences.stage(connection, channel.pool, vault, rows)
        audiences.merge(connection, channel.pool, "site", at, keep_others=False)
        if channel.kind is ChannelKind.SURFACE:
            screens.configure(connection, slug, [row.name for row in site.providers(slug)], at)
