"""The witness: what the sandbox says that the public saw, by our own recipient ids.

Stand-ins of suppliers that are not told our ids know people by their phones, and accounts by their names.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping

import requests
from sqlalchemy import select

from broadcaster.channels.registry import POOLS
from broadcaster.storage.tables import broadcasts, recipients
from broadcaster.wiring import App

Shown = Mapping[str, Mapping[int, int]]
"""Broadcast → recipient id → how often the public saw it."""

_AT_ONCE = 20_000


def shown(parts: App, sandbox_url: str) -> Shown:
    """Everything that the sandbox showed. An address that nobody has is somebody of its own: a negative id."""
    with requests.get(f"{sandbox_url}/ledger", stream=True, timeout=60) as answer:
        rows = {row["broadcast"]: row["shown"] for row in map(json.loads, answer.iter_lines())}
    known = _ids(parts, rows)
    found: dict[str, dict[int, int]] = {}
    for broadcast, counts in rows.items():
        by_id = Counter[int]()
        for number, (whom, times) in enumerate(counts.items(), start=1):
            by_id[int(whom) if whom.isdecimal() else known.get((broadcast, whom), -number)] += times
        found[broadcast] = dict(by_id)
    return found


def _ids(parts: App, rows: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], int]:
    """(broadcast, address) → recipient id, for those whom a stand-in knows by an address."""
    named = {broadcast: [whom for whom in counts if not whom.isdecimal()] for broadcast, counts in rows.items()}
    with parts.database.begin() as connection:
        query = select(broadcasts.c.id, broadcasts.c.channel).where(broadcasts.c.id.in_(list(named)))
        pools = {row.id: POOLS[row.channel] for row in connection.execute(query)}
        handles = {
            (broadcast, whom): parts.vault.handle(pools[broadcast], whom)
            for broadcast, of_broadcast in named.items()
            if broadcast in pools
            for whom in of_broadcast
        }
        ids: dict[bytes, int] = {}
        for part in _parts(set(handles.values())):
            found = connection.execute(
                select(recipients.c.handle, recipients.c.id).where(recipients.c.handle.in_(part))
            )
            ids |= {bytes(row.handle): row.id for row in found}
    return {who: ids[handle] for who, handle in handles.items() if handle in ids}


def _parts(handles: Iterable[bytes]) -> Iterable[list[bytes]]:
    rows = list(handles)
    return (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
