"""What a channel is: what it reaches, what its messages consist of, and who its suppliers are.

A channel is one folder, its templates and one registry line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from broadcaster.channels.adapter import Adapter as Adapter  # noqa: PLC0414 - also words of this module
from broadcaster.channels.call import Action as Action  # noqa: PLC0414
from broadcaster.channels.call import Call as Call  # noqa: PLC0414
from broadcaster.channels.call import Delivery as Delivery  # noqa: PLC0414
from broadcaster.channels.call import Fate as Fate  # noqa: PLC0414
from broadcaster.channels.call import Member as Member  # noqa: PLC0414
from broadcaster.channels.call import Outcome as Outcome  # noqa: PLC0414
from broadcaster.channels.call import Predecessor as Predecessor  # noqa: PLC0414
from broadcaster.channels.provider import Idempotency as Idempotency  # noqa: PLC0414
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import Supplier
from broadcaster.rendering.message import MessageSpec


class ChannelKind(StrEnum):
    """A push reaches recipients; a surface is looked at, and a push only tells its endpoints to look again."""

    PUSH = "push"
    SURFACE = "surface"


class RecipientKind(StrEnum):
    """What a recipient is: a person with a phone, an official account with followers, or an endpoint of a partner."""

    PERSON = "person"
    ACCOUNT = "account"
    ENDPOINT = "endpoint"


class AddressKind(StrEnum):
    """What a person is found by; its word is also the column of an imported file."""

    PHONE = "phone"
    OPENID = "openid"
    """A follower of one official account, who is somebody else at any other."""

    @property
    def of_one_account(self) -> bool:
        """Whether it means somebody to a single account only, so that such people are one channel's own."""
        return self is AddressKind.OPENID


@dataclass(frozen=True, slots=True)
class Channel:
    """A way out: what it reaches, what its messages consist of, and its suppliers by their words in a site."""

    slug: str
    kind: ChannelKind
    reaches: RecipientKind
    spec: MessageSpec
    suppliers: Mapping[str, Supplier]
    shows_qr: bool = False
    """Whether its surface document carries the link as a QR code, for a screen that nobody can click."""

    registered: bool = False
    """Whether its recipients are the endpoints of the registry in the database, and not providers of the site."""
    latest_only: bool = False
    """Whether whoever missed some of its messages is told the newest one only, when they can be reached again."""
    addressed_by: AddressKind = AddressKind.PHONE
    """What people are found by, where it reaches people."""

    @property
    def pool(self) -> str:
        """Which recipients it reaches: people with a phone are shared by all channels, all others are its own."""
        return "" if self.reaches_people and not self.addressed_by.of_one_account else self.slug

    @property
    def reaches_people(self) -> bool:
        """Whether its recipients are people, who have tags and may be suppressed."""
        return self.reaches is RecipientKind.PERSON

    @property
    def has_one_account(self) -> bool:
        """Whether a site can have no more than one provider of it: others would not know its people."""
        return self.reaches_people and self.addressed_by.of_one_account


def adapter_of(channel: Channel, provider: Provider) -> Adapter:
    """The adapter that speaks to a provider of this channel."""
    return channel.suppliers[provider.supplier].adapter


def idempotency_of(channel: Channel, provider: Provider) -> Idempotency:
    """What repeating a call means at this provider: what its configuration says, else what its format asks for."""
    return provider.idempotency or adapter_of(channel, provider).idempotency


def visible_after_of(channel: Channel, provider: Provider) -> timedelta:
    """How long after a call was last made this provider's "never seen" settles nothing, in machine time."""
    return adapter_of(channel, provider).visible_after if provider.visible_after is None else provider.visible_after
