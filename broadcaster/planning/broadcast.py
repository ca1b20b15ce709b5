"""Broadcasts as the planner sees them: one occurrence of a phase on one channel, due at one time, with an expiry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadcaster.planning.phase import Phase

EVERYONE = "everyone"
"""The audience of a channel when no segment narrows it."""

PERHAPS_SENT = "may have gone out before the restore"
"""Why a broadcast or a recipient was left out that a restored database does not know to be told."""

_BY_REVISION = frozenset({Phase.CHANGED, Phase.RESTORED})


class BroadcastState(StrEnum):
    """`planned → open → closed`; or never opened: `skipped` (too late) or `revoked` (no longer wanted)."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"
    SKIPPED = "skipped"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One occurrence of a phase on one channel to one audience. Times are aware; `note` says what moved `due_at`.

    `audience` is a segment. `retries` is the broadcast whose failures this one tries again, empty for one of the plan.
    """

    id: str
    slug: str
    revision: int
    channel: str
    phase: Phase
    occurrence: str
    due_at: datetime
    expires_at: datetime
    audience: str = EVERYONE
    state: BroadcastState = BroadcastState.PLANNED
    reason: str = ""
    note: str = ""
    retries: str = ""


def broadcast_id(
    slug: str, channel: str, phase: Phase, occurrence: str, revision: int, audience: str = EVERYONE
) -> str:
    """The deterministic id, 20 hexadecimal characters: planning the same thing again finds the row that is there."""
    parts = [slug, channel, audience, phase, occurrence]
    if phase in _BY_REVISION:
        parts.append(str(revision))
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()
