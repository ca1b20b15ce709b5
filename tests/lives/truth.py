"""Truth: what an announcement's operator has said and what the clock has made of it, and which statements that makes
untrue. The model's own; it shares no code with the product."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """What a message says of the outage as a whole."""

    PLANNED = "planned"
    OVERRUN = "overrun"
    RESTORED = "restored"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the operator plans. `counters` is until when counters take business, which concerns some people only."""

    start: datetime
    end: datetime
    counters: datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """What one message told one reader, as read from its text. A time that it does not tell is None."""

    status: Status
    start: datetime | None = None
    end: datetime | None = None
    counters: datetime | None = None
    back: datetime | None = None
    """When service came back."""
    was_end: str = ""
    """The end that the message says was told before, in its words; empty where it says nothing of it."""


@dataclass(slots=True)
class Story:
    """What has been said by operators so far."""

    plan: Plan
    cancelled: bool = False
    finished_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether a human has said that it is."""
        return self.cancelled or self.finished_at is not None

    def status(self, now: datetime) -> Status:
        """How the outage stands: without a human's word a planned end that has passed is an overrun."""
        if self.cancelled:
            return Status.CANCELLED
        if self.finished_at is not None:
            return Status.RESTORED
        return Status.PLANNED if now < self.plan.end else Status.OVERRUN

    def started(self, now: datetime) -> bool:
        """Whether its start has passed."""
        return self.plan.start <= now

    def phases(self, now: datetime) -> Collection[str]:
        """The phases in which something may be said now."""
        told_in = {Status.OVERRUN: ("overrun",), Status.RESTORED: ("restored",), Status.CANCELLED: ("cancelled",)}
        ahead, under_way = ("notice", "reminder", "changed"), ("started", "ongoing", "changed")
        return told_in.get(self.status(now)) or (under_way if self.started(now) else ahead)

    def wrong(self, said: Statement, now: datetime, *, concerned: bool) -> str:
        """What of a statement is not true at this instant for a reader; empty when all is.

        `concerned`: whether the counters' hours concern them. Who is not concerned is told nothing of these.
        """
        status = self.status(now)
        if said.status is not status:
            as_planned = (said.status, status) == (Status.PLANNED, Status.RESTORED) and self.finished_at == said.end
            return "" if as_planned else f"it is {status}, not {said.status}"
        wanted = {
            "start": self.plan.start,
            "end": self.plan.end,
            "counters": self.plan.counters if concerned else None,
            "back": self.finished_at,
        }
        told = {"planned": ("start", "end", "counters"), "overrun": ("end",), "restored": ("back",), "cancelled": ()}
        wrong = [name for name in told[status] if getattr(said, name) != wanted[name]]
        return ", ".join(f"{name} is {wanted[name]}, not {getattr(said, name)}" for name in wrong)
