"""Partners by webhook: one signed event for each endpoint of the registry."""

from __future__ import annotations

from datetime import timedelta

from broadcaster.channels import receipts
from broadcaster.channels.base import Call, Channel, ChannelKind, Delivery, Idempotency, Outcome, RecipientKind
from broadcaster.channels.gateway import wrong_secret
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import WEBHOOK, Supplier
from broadcaster.channels.transport import Transport
from broadcaster.channels.webhook.events import type_of
from broadcaster.channels.webhook.message import SPEC
from broadcaster.channels.webhook.payload import payload
from broadcaster.channels.webhook.wire import raise_for_partner


class PartnerAdapter:
    """Posts events to an endpoint, whose 2xx is the whole answer: partners acknowledge, and say nothing more."""

    idempotency = Idempotency.IDEMPOTENT
    dedupes_for = timedelta(hours=23)
    """As in our own format for providers."""
    visible_after = timedelta(minutes=6)
    members_per_call = 1

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """The event's delivery; raises what `raise_for_partner` and the transport raise."""
        data = payload(call, provider)
        transport.post_event(provider, call.key, type_of(call.phase), call.prepared_at, data, check=raise_for_partner)
        return _accepted(call)

    def ask(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery] | None:
        """What became of an event, at an endpoint that answers questions as our own format has them."""
        return None if transport.get_event(provider, call.key) is None else _accepted(call)


def _accepted(call: Call) -> list[Delivery]:
    return [Delivery(member.id, Outcome.ACCEPTED) for member in call.members]


CHANNEL = Channel(
    slug="webhook",
    kind=ChannelKind.PUSH,
    reaches=RecipientKind.ENDPOINT,
    spec=SPEC,
    suppliers={WEBHOOK: Supplier(PartnerAdapter(), receipts.hear, wrong_secret=wrong_secret)},
    registered=True,
    latest_only=True,
)
