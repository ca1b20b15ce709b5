"""A run: one claim of a batch, with all that stays the same while it is carried, and the calls it consists of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from broadcaster.announcement.facts import Facts
from broadcaster.channels.base import Call, Channel, Predecessor
from broadcaster.channels.provider import Provider
from broadcaster.delivery.messages import Edition
from broadcaster.planning.angle import Angle
from broadcaster.storage.recipients import Scope


@dataclass(frozen=True, slots=True)
class EarlierPost:
    """What an account posted of the same announcement before: when, when it was deleted, and what it tells."""

    predecessor: Predecessor
    at: datetime
    deleted_at: datetime | None
    told: Facts


@dataclass(frozen=True, slots=True)
class EarlierPosts:
    """Account (recipient) → what it posted before, oldest first; and since when service is back, if it is."""

    by_account: Mapping[int, Sequence[EarlierPost]]
    finished_at: datetime | None = None


NO_POSTS = EarlierPosts({})


@dataclass(frozen=True, slots=True)
class Run:
    """A claimed batch; `providers` are the channel's, by name, `document` is where its surface document is served.

    `posts` are the earlier posts of its accounts.
    """

    batch: Row[Any]
    channel: Channel
    scope: Scope
    edition: Edition
    providers: Mapping[str, Provider]
    document: str
    absent: Mapping[str, str] = field(default_factory=dict)
    """Why some of the recipients' addresses cannot be called."""
    told: Collection[int] = frozenset()
    """Who of the recipients was told of the announcement already, and holds what is true, where that is asked."""
    editions: Mapping[Angle, Edition] = field(default_factory=dict)
    """What the words are for those who are told from another angle than that of everybody."""

    posts: EarlierPosts = NO_POSTS

    def edition_for(self, angle: Angle) -> Edition:
        """What those are told who are told from this angle."""
        return self.editions.get(angle, self.edition)


@dataclass(frozen=True, slots=True)
class Step:
    """A call to make. In doubt when it was written down before and may have been seen; `age` is how long ago."""

    call: Call
    provider: Provider
    doubt: bool = False
    age: timedelta = timedelta(0)

    @property
    def angle(self) -> Angle:
        """From which side its members are told."""
        return Angle(self.call.changes, self.call.rows)
