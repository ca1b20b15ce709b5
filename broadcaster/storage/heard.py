"""What one recipient was to be told, by announcement, for whoever asks for it once more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

_HEARD = text(
    """
    SELECT a.slug FROM announcements a
    WHERE a.purged_at IS NULL AND EXISTS (
        SELECT 1 FROM broadcasts d
        JOIN deliveries t ON t.announcement = a.number AND t.broadcast_id = d.id
        JOIN recipients r ON r.id = t.recipient_id AND r.handle = :handle
        WHERE d.slug = a.slug AND d.channel = :channel AND d.opened_at >= :since AND d.opened_at < :until
    )
    ORDER BY a.slug
    """
)


def of_whom(connection: Connection, handle: bytes, channel: str, since: datetime, until: datetime) -> list[str]:
    """The announcements of which a broadcast on a channel, opened in `[since, until)`, was for this recipient."""
    values = {"handle": handle, "channel": channel, "since": since, "until": until}
    return list(connection.execute(_HEARD, values).scalars())
