"""What calls to an account have in common, whichever way its articles go out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from broadcaster.channels.call import Action, Call, Fate, Predecessor
from broadcaster.channels.official import wire
from broadcaster.channels.official.options import Superseded, account_of
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.errors import DeliveryError


def mark(call: Call) -> str:
    """What the platform knows the call by: the broadcast, and what tells its calls apart; 32 ASCII characters."""
    broadcast = call.broadcast[: wire.BROADCAST_CHARACTERS]
    rest = wire.MARK_CHARACTERS - len(broadcast)
    return broadcast + hashlib.blake2b(call.key.encode()).hexdigest()[:rest]


def refuse_if_late(provider: Provider, transport: Transport, visible_after: timedelta) -> None:
    """Raise TransientError when the call was written down too long ago to be made now.

    The platform takes a request of any age. So that a "never seen" stays true, a worker that was frozen in between
    stops itself: after half of the time that such an answer waits for, as a receiver of our own format would do.
    """
    transport.refuse_what_is_old(provider, (provider.visible_after or visible_after) / 2)


def take_down(call: Call, provider: Provider, delete: Callable[[Predecessor], Fate]) -> tuple[Fate, ...]:
    """What became of the articles that the call replaces. The call itself is accepted whatever comes of it."""
    return tuple(_take_down(post, provider, delete) for post in call.replaces)


def _take_down(post: Predecessor, provider: Provider, delete: Callable[[Predecessor], Fate]) -> Fate:
    if account_of(provider).superseded is Superseded.LEAVE:
        return Fate(post.broadcast, Action.LEFT, "this account leaves its articles as they are")
    if not post.reference:
        return Fate(post.broadcast, Action.LEFT, "what the platform calls it is not known")
    try:
        return delete(post)
    except DeliveryError as error:
        return Fate(post.broadcast, Action.LEFT, error.message)
