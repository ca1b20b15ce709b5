"""Newcomers: whom nothing of an announcement has reached on a channel, nor is going to by what is under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from broadcaster import clock
from broadcaster.channels.registry import PEOPLE_POOLS
from broadcaster.planning.broadcast import Among, BroadcastState
from broadcaster.storage import audiences
from broadcaster.storage.tables import broadcasts


@dataclass(frozen=True, slots=True)
class Untold:
    """By which broadcasts somebody was told; and who is in the audience of those that are under way.

    `under_way`: (broadcast, version, language, tag set), without the latter two where it is for everyone."""

    broadcasts: Sequence[str]
    under_way: Sequence[tuple[str, int, str | None, int | None]]

    def values(self) -> dict[str, Any]:
        """The parameters of `UNTOLD`, but for the announcement."""
        columns = enumerate(("ids", "versions", "languages", "tag_sets"))
        under_way = {f"{name}_under_way": [row[place] for row in self.under_way] for place, name in columns}
        return {"untold_by": list(self.broadcasts), **under_way}


def untold(connection: Connection, pool: str, row: Row[Any]) -> Untold:
    """By what somebody may have been told of the announcement on the channel before, or is going to be.

    People who have still to be reached by a broadcast that is under way get that one, and not two. Accounts and
    endpoints are few, soon reached, and one that missed something gets the newest."""
    same = (broadcasts.c.slug == row.slug) & (broadcasts.c.channel == row.channel)
    opened = connection.execute(select(broadcasts).where(same, broadcasts.c.opened_at.is_not(None))).all()
    # What expired by now reaches nobody any more.
    reaching = [one for one in opened if one.state == BroadcastState.OPEN and one.expires_at > clock.now()]
    under_way = [one for one in reaching if not one.retries]
    # Of two to newcomers the older one goes first.
    before = [one for one in under_way if one.among == Among.NEWCOMERS and one.version < row.version]
    whole = [one for one in under_way if one.among == Among.ALL]
    coming = (*whole, *before) if pool in PEOPLE_POOLS else ()
    return Untold([one.id for one in opened], [to for one in coming for to in _readers(connection, pool, one)])


def _readers(connection: Connection, pool: str, row: Row[Any]) -> list[tuple[str, int, str | None, int | None]]:
    """Who is in the audience of a broadcast."""
    kinds = audiences.kinds(connection, pool, row.version, row.audience)
    return [(row.id, row.version, *kind) for kind in ([(None, None)] if kinds is None else kinds)]


_TOLD = """
    SELECT 1 FROM deliveries t
    WHERE t.announcement = :announcement AND t.broadcast_id = ANY(CAST(:untold_by AS text[])) AND t.recipient_id = r.id
      AND t.outcome IN ('accepted', 'unknown') AND t.receipt <> 'failed'
"""
# An account or endpoint that was away in between has missed things: what it was told before does not count.
_BEFORE_IT_LEFT = """
    SELECT 1 FROM recipients l JOIN broadcasts d ON d.id = t.broadcast_id
    WHERE l.id = r.id AND l.until > d.version
      AND NOT EXISTS (SELECT 1 FROM recipients n WHERE n.id = l.id AND n.since = l.until)
"""
# In the audience of a broadcast that is under way, which has not come to them yet.
_GOING_TO_BE_TOLD = """
    SELECT 1 FROM unnest(
        CAST(:ids_under_way AS text[]), CAST(:versions_under_way AS int[]),
        CAST(:languages_under_way AS text[]), CAST(:tag_sets_under_way AS int[])
    ) AS u (id, version, language, tag_set)
    JOIN recipients m ON m.id = r.id AND m.since <= u.version AND (m.until IS NULL OR m.until > u.version)
    WHERE (u.language IS NULL OR (m.language, m.tag_set) = (u.language, u.tag_set))
      AND NOT EXISTS (
          SELECT 1 FROM deliveries t
          WHERE t.announcement = :announcement AND t.broadcast_id = u.id AND t.recipient_id = r.id
      )
"""
UNTOLD = {
    True: f"AND NOT EXISTS ({_TOLD}) AND NOT EXISTS ({_GOING_TO_BE_TOLD})",
    False: f"""
        AND NOT EXISTS ({_TOLD} AND NOT EXISTS ({_BEFORE_IT_LEFT})) AND NOT EXISTS ({_GOING_TO_BE_TOLD})
    """,
}
