"""Calls and what came of them: one provider request with its members, and a delivery for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from broadcaster.announcement.facts import FactChange
from broadcaster.announcement.model import Announcement
from broadcaster.planning.phase import Phase
from broadcaster.rendering.message import Message


class Outcome(StrEnum):
    """What became of one recipient in one broadcast."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Member(NamedTuple):
    """A recipient in a call; `language` is one that the announcement has, `name` may be empty."""

    id: int
    address: str
    language: str
    name: str = ""


class Action(StrEnum):
    """What an account did with an earlier post when its successor came."""

    DELETED = "deleted"
    LINKED = "linked"
    """It leads its readers to the successor."""
    LEFT = "left"


class Predecessor(NamedTuple):
    """An earlier post of an account: its broadcast, and the provider's own id of it, which may be unknown (empty)."""

    broadcast: str
    reference: str


class Fate(NamedTuple):
    """What became of an earlier post, by its broadcast; `reason` for people."""

    broadcast: str
    action: Action
    reason: str = ""


class Delivery(NamedTuple):
    """The outcome for one recipient; `reason` for people, `reference` is the provider's own id.

    `replaced` is what became of the account's earlier posts that the call replaces.
    """

    recipient_id: int
    outcome: Outcome
    reason: str = ""
    reference: str = ""
    replaced: tuple[Fate, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One provider request. Everything in it is the same when it is repeated. Times are aware, campaign time."""

    key: str
    channel: str
    broadcast: str
    announcement: str
    revision: int
    phase: Phase
    severity: str
    link: str | None
    prepared_at: datetime
    expires_at: datetime
    members: tuple[Member, ...]
    messages: Mapping[str, Message]
    """Language → message, for the languages of the members."""
    document: str
    """Where the surface document of this channel is served."""
    changes: tuple[FactChange, ...] = ()
    """What the messages say has changed, from what the members were told before."""
    rows: tuple[str, ...] = ()
    """The impact rows of which the messages tell; empty: all of them."""
    replaces: tuple[Predecessor, ...] = ()
    """The account's earlier posts whose facts this one supersedes, oldest first."""
    content: Announcement | None = None
    """The revision's own facts, for a channel that tells them as data."""
    finished_at: datetime | None = None
    """When service came back, in a message that says so."""
    replay: bool = False
    """Whether somebody asked for what they were told once more."""
