"""Phases: why a message goes out."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Why a message goes out, in the order of an outage's life."""

    NOTICE = "notice"
    REMINDER = "reminder"
    STARTED = "started"
    ONGOING = "ongoing"
    CHANGED = "changed"
    OVERRUN = "overrun"
    RESTORED = "restored"
    CANCELLED = "cancelled"


UNEXPECTED = frozenset({Phase.CHANGED, Phase.OVERRUN, Phase.CANCELLED})
"""The phases that correct what people count on."""
