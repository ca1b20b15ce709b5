"""Suppliers: who stands behind a channel's providers. Each speaks its own format, and so has an adapter of its own.

A channel lists its suppliers by the word that a site writes in a provider's `supplier`. Beside the adapter, a supplier
says what its providers must be told, how to read what it sends us of its own accord, and how to see that an account
works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from broadcaster.channels.adapter import Adapter
from broadcaster.channels.call import Member
from broadcaster.channels.callback import Callback, Heard
from broadcaster.channels.options import Options
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.rendering.message import Message

WEBHOOK = "webhook"
"""The supplier that speaks our own signed format: what a provider is whose site names none."""

Hear = Callable[[Callback, Provider], Heard]
"""Reads a callback; raises ForgedError when its provider did not send it, InputError when it cannot be read."""
Probe = Callable[[Provider, Transport], str]
"""Makes a harmless call that shows whether an account works; says what it found, or raises a DeliveryError."""


def any_secret(secret: str) -> str | None:
    """Whatever is not empty will do."""
    return None if secret else "it is empty"


@dataclass(frozen=True, slots=True)
class Secret:
    """A further secret of a provider, beside `secret`: what for, and whether it can be left out."""

    purpose: str
    required: bool = True


class Room(NamedTuple):
    """Whom a member shares a call with: others who are `alike`, at most so many of them."""

    alike: str
    most: int


class Quote(NamedTuple):
    """What an account makes of a message: what it calls it, what one copy is paid as, and why it cannot say it."""

    name: str
    segments: int
    price: Decimal | None
    """In the site's currency; None: the site does not say what a segment costs."""
    objection: str | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What an accepted call may still wait for, in words for people, and for how long at most."""

    by: str
    within: timedelta


@dataclass(frozen=True, slots=True)
class Supplier:
    """One supplier of a channel."""

    adapter: Adapter
    hear: Hear
    options: type[Options] = Options
    """What a provider's `options` hold."""
    url: str = ""
    """Where its calls go when the site does not say; empty: the site must."""
    wrong_secret: Callable[[str], str | None] = any_secret
    """What is wrong with a secret, and None when nothing is."""
    secrets: Mapping[str, Secret] | None = None
    """The further secrets of a provider, by the names that `secrets` in the site gives them."""
    probe: Probe | None = None
    """None: nothing can be called there without somebody being told."""
    room: Callable[[Member, Message], Room] | None = None
    """Where one request cannot carry just anybody: what its members have in common. None: it can."""
    quote: Callable[[Message, Options], Quote] | None = None
    """Whether an account with these options can say a message, and for how much; None: it says whatever it is given."""
    submitted: str | None = None
    """Which command writes the templates that it wants to see before, in words for people."""
    account: Callable[[Provider], str] | None = None
    """What its platform knows an account by. Several channels may use one account, and it has one address for all that
    it sends: whatever comes for one of them is heard by all. None: each provider is called at its own address."""
    confirmation: Confirmation | None = None
    """What may stand between an accepted call and the public; a receipt says that it is over."""
