"""Accounts and endpoints of the site's configuration, as recipients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.channels.base import Channel, RecipientKind
from broadcaster.site import Site
from broadcaster.storage import recipients

UNSET_LANGUAGE = "und"
"""BCP 47's word for a language that is not known: the announcement's first is then used."""


def sync_endpoints(connection: Connection, site: Site, channels: Mapping[str, Channel], at: datetime) -> None:
    """Make the configured accounts and endpoints the active recipients of their channels."""
    for slug, channel in channels.items():
        if channel.reaches is RecipientKind.PERSON:
            continue
        rows = [
            {"address": row.name, "name": row.label or row.name, "language": row.language or UNSET_LANGUAGE}
            for row in site.providers(slug)
        ]
        recipients.put_endpoints(connection, channel.reaches, slug, rows, at)
