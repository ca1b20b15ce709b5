"""Broadcasts as the planner sees them: one occurrence of a phase on one channel, due at one time, with an expiry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadcaster.announcement.model import EVERYONE as EVERYONE  # noqa: PLC0414 - also a word of this module
from broadcaster.planning.phase import Phase

PERHAPS_SENT = "may have gone out before the restore"
"""Why a broadcast or a recipient was left out that a restored database does not know to be told."""

_BY_REVISION = frozenset({Phase.CHANGED, Phase.RESTORED})


class Among(StrEnum):
    """To whom of its audience a broadcast goes."""

    ALL = ""
    STALE = "stale"
    """Whoever was told, on this channel, what is no longer true, and nothing true since: also who left the audience."""
    NEWCOMERS = "newcomers"
    """Whoever is in the newest audience and was never told anything on this channel; an account or an endpoint that was
    away meanwhile, since it is back."""


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
    among: Among = Among.ALL


def broadcast_id(  # noqa: PLR0917 - what makes an occasion
    slug: str,
    channel: str,
    phase: Phase,
    occurrence: str,
    revision: int,
    audience: str = EVERYONE,
    among: Among = Among.ALL,
) -> str:
    """The deterministic id, 20 hexadecimal characters: planning the same thing again finds the row that is there."""
    parts = [slug, channel, audience, phase, occurrence]
    if among:
        parts.append(among)
    if phase in _BY_REVISION:
        parts.append(str(revision))
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()
