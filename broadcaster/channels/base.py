"""What a channel is, and what an adapter promises.

A channel is one folder, its templates and one registry line. Its adapter turns a call (one provider request whose
members and key were made durable first) into outcomes, one for each member, or raises a `DeliveryError` that says what
is known about the whole call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from broadcaster.announcement.facts import FactChange
from broadcaster.channels.provider import Idempotency as Idempotency  # noqa: PLC0414 - also a word of this module
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.planning.phase import Phase
from broadcaster.rendering.message import Message, MessageSpec


class ChannelKind(StrEnum):
    """A push reaches recipients; a surface is looked at, and a push only tells its endpoints to look again."""

    PUSH = "push"
    SURFACE = "surface"


class RecipientKind(StrEnum):
    """What a recipient is: a person with a phone, an official account with followers, or an endpoint of a partner."""

    PERSON = "person"
    ACCOUNT = "account"
    ENDPOINT = "endpoint"


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
    replaces: tuple[Predecessor, ...] = ()
    """The account's earlier posts whose facts this one supersedes, oldest first."""


class Adapter(Protocol):
    """The way to one kind of provider."""

    idempotency: Idempotency
    """What repeating a call means, unless the provider's own configuration says otherwise (`idempotency_of`)."""
    dedupes_for: timedelta
    """How long a provider remembers a call, in machine time: one in doubt for longer is not repeated or asked about."""
    visible_after: timedelta
    """How long after a call was last made its provider may still not know of it: an earlier "no" settles nothing."""

    @property
    def members_per_call(self) -> int:
        """The most recipients in one request."""
        ...

    def send(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery]:
        """Make the call; one delivery a member, or a TransientError, PermanentError or AmbiguousError for all."""
        ...

    def ask(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery] | None:
        """What became of the call, at a provider that can be asked: one delivery a member, as `send` gives them.

        None: the provider is sure that it never saw the call. A TransientError or AmbiguousError: there is no answer,
        and nothing is known that was not known before.
        """
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """A way out: what it reaches, what its messages consist of, and its adapter."""

    slug: str
    kind: ChannelKind
    reaches: RecipientKind
    spec: MessageSpec
    adapter: Adapter
    shows_qr: bool = False
    """Whether its surface document carries the link as a QR code, for a screen that nobody can click."""

    @property
    def pool(self) -> str:
        """Which recipients it reaches: people are shared by all channels, accounts and endpoints are its own."""
        return "" if self.reaches is RecipientKind.PERSON else self.slug


def idempotency_of(channel: Channel, provider: Provider) -> Idempotency:
    """What repeating a call means at this provider: what its configuration says, else what its format asks for."""
    return provider.idempotency or channel.adapter.idempotency


def visible_after_of(channel: Channel, provider: Provider) -> timedelta:
    """How long after a call was last made this provider's "never seen" settles nothing, in machine time."""
    return channel.adapter.visible_after if provider.visible_after is None else provider.visible_after
