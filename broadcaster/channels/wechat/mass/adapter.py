"""Official accounts that send to their followers: a draft, and a mass send under our `clientmsgid`.

The platform dedupes on it for 24 hours, and says of one that it knows what it became. Only the mass send itself can be
seen by anybody.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from broadcaster.channels.call import Action, Call, Delivery, Fate, Outcome, Predecessor
from broadcaster.channels.official import draft, wire
from broadcaster.channels.official.call import mark, refuse_if_late, take_down
from broadcaster.channels.official.client import Client
from broadcaster.channels.official.events import ARTICLES, hears
from broadcaster.channels.official.options import SECRETS, MassOptions, appid_of, tag_of
from broadcaster.channels.official.probe import probe
from broadcaster.channels.provider import Idempotency, Provider
from broadcaster.channels.supplier import Confirmation, Supplier
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError, PermanentError, TransientError

CARD_STAYS = "its card stays in the followers' chats"
_GONE = {"DELETE": CARD_STAYS, "SEND_FAIL": "it never was sent"}
"""`msg_status` of `mass/get` for a message that nobody can read, and what is to be said of it."""


class MassAdapter:
    """One call sends the article of one account to its followers."""

    idempotency = Idempotency.IDEMPOTENT
    dedupes_for = timedelta(hours=23)
    """The platform keeps a `clientmsgid` for 24 hours, from some moment of the call on."""
    visible_after = timedelta(minutes=6)
    members_per_call = 1

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """See `Adapter`; the reference of the delivery is the platform's `msg_id`."""
        client = Client(provider, transport)
        media_id = draft.add(client, lambda cover: wire.article(call, cover))
        try:
            reference = self._send(call, client, transport, media_id)
        except TransientError:
            draft.drop(client, media_id)
            raise
        replaced = take_down(call, provider, lambda post: _delete(client, post))
        return [Delivery(call.members[0].id, Outcome.ACCEPTED, "", reference, replaced)]

    def ask(self, _call: Call, provider: Provider, _transport: Transport) -> list[Delivery] | None:
        """The platform cannot be asked by a `clientmsgid`; the call is made again instead."""
        raise AmbiguousError(f"{provider.name}: the platform does not say what became of a mass send")

    def _send(self, call: Call, client: Client, transport: Transport, media_id: str) -> str:
        """The one request that the public can see; gives the `msg_id`."""
        refuse_if_late(client.provider, transport, self.visible_after)
        said = client.post(wire.SEND_ALL, wire.sending(media_id, mark(call), tag_of(client.provider)))
        if said.code == wire.ALREADY_SENT:
            draft.drop(client, media_id)
        else:
            said.check()
        return said.text("msg_id")


def _delete(client: Client, post: Predecessor) -> Fate:
    """The page dies; whoever opens the card is told so by the platform."""
    try:
        client.call(wire.MASS_DELETE, {"msg_id": int(post.reference)})
    except (PermanentError, ValueError):
        status = client.call(wire.MASS_GET, {"msg_id": post.reference}).text("msg_status")
        if status not in _GONE:
            return Fate(post.broadcast, Action.LEFT, "the platform does not take it down")
        return Fate(post.broadcast, Action.DELETED, _GONE[status])
    return Fate(post.broadcast, Action.DELETED, CARD_STAYS)


MASS = Supplier(
    MassAdapter(),
    hears(ARTICLES),
    MassOptions,
    wire.API,
    secrets=SECRETS,
    account=appid_of,
    probe=partial(probe, wire.SEND_ALL),
    confirmation=Confirmation("an administrator may have to confirm it on the platform", timedelta(minutes=30)),
)
