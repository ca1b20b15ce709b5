"""What an adapter promises: the way to one supplier, which turns a call into outcomes, one for each member.

Or it raises a `DeliveryError` that says what is known about the whole call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from broadcaster.channels.call import Call, Delivery
from broadcaster.channels.provider import Idempotency, Provider
from broadcaster.channels.transport import Transport


class Adapter(Protocol):
    """The way to one supplier."""

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
