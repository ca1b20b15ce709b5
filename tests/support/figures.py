"""Rows as the delivery engine would leave them, for what only looks at them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from broadcaster.announcement.facts import facts
from broadcaster.storage import announcements
from broadcaster.storage.tables import batches, broadcasts, calls, deliveries, revisions
from tests.builders import proposal

SLUG = "pump-works"
DUE = datetime(2030, 5, 10, 2, tzinfo=UTC)
"""10:00 in Shanghai."""


def announce(connection: Connection, slug: str = SLUG) -> int:
    """An announcement with an approved revision; gives its number."""
    announcements.create(connection, slug, "Asia/Shanghai", DUE)
    announcements.change(connection, slug, state="scheduled", approved_revision=1)
    wanted = proposal(slug=slug)
    row = {"slug": slug, "number": 1, "state": "approved", "digest": wanted.digest, "created_at": DUE}
    row |= {"approved_at": DUE, "content": wanted.to_data(), "facts": facts(wanted.announcement)}
    connection.execute(insert(revisions).values(row))
    found = announcements.find(connection, slug)
    assert found
    return found.number


def plan(connection: Connection, id_: str, slug: str = SLUG, **fields: Any) -> str:
    """A broadcast of an announcement, planned for `DUE` unless `fields` say otherwise."""
    row = {
        "id": id_,
        "slug": slug,
        "revision": 1,
        "channel": "sms",
        "phase": "notice",
        "occurrence": "approval",
        "audience": "everyone",
        "due_at": DUE,
        "expires_at": DUE + timedelta(days=1),
        "state": "planned",
    }
    connection.execute(insert(broadcasts).values(row | fields))
    return id_


def cut(connection: Connection, broadcast: str, **fields: Any) -> int:
    """A batch of a broadcast, with a thousand recipients."""
    row = {"broadcast_id": broadcast, "first_id": 1, "last_id": 1000, "recipients": 1000}
    return int(connection.execute(insert(batches).values(row | fields).returning(batches.c.id)).scalar_one())


def call(connection: Connection, broadcast: str, batch: int, members: Iterable[int], **fields: Any) -> None:
    """A call of a batch whose outcome is not recorded."""
    row = {
        "key": f"{broadcast}-{batch}",
        "batch_id": batch,
        "broadcast_id": broadcast,
        "revision": 1,
        "provider": "east",
        "members": list(members),
        "prepared_at": DUE,
        "made_at": DUE,
    }
    connection.execute(insert(calls).values(row | fields))


def tell(connection: Connection, number: int, broadcast: str, after: Iterable[float], **fields: Any) -> None:
    """One delivery in the ledger for each of `after`, recorded so many seconds after `DUE`; accepted unless said."""
    rows = [
        {
            "announcement": number,
            "broadcast_id": broadcast,
            "recipient_id": recipient,
            "revision": 1,
            "outcome": "accepted",
            "at": DUE + timedelta(seconds=seconds),
        }
        | fields
        for recipient, seconds in enumerate(after, fields.pop("first", 1))
    ]
    connection.execute(insert(deliveries), rows)
