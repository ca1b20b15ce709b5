"""Template messages at the platform itself: one request tells one follower, deduped by our `client_msg_id`."""

from __future__ import annotations

from datetime import timedelta

from broadcaster.channels.call import Call, Delivery, Outcome
from broadcaster.channels.followers.official import approved
from broadcaster.channels.followers.official.approved import Filled, fill, lined
from broadcaster.channels.followers.official.options import TemplateOptions, options_of
from broadcaster.channels.official import wire
from broadcaster.channels.official.call import mark, refuse_if_late
from broadcaster.channels.official.client import Client
from broadcaster.channels.official.events import TEMPLATES, hears
from broadcaster.channels.official.options import SECRETS, appid_of
from broadcaster.channels.official.probe import probe as probe_account
from broadcaster.channels.options import Options
from broadcaster.channels.provider import Idempotency, Provider
from broadcaster.channels.supplier import Quote, Supplier
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError, PermanentError
from broadcaster.rendering.message import Message


class TemplateAdapter:
    """One call is one request for one follower.

    The platform remembers a `client_msg_id` with its openid for ten minutes, from the moment of the request on. A call
    is repeated for six minutes after it was written down, and a worker that was frozen makes none that is older than
    three: together they stay below the ten, whenever in them the first request arrived.
    """

    idempotency = Idempotency.IDEMPOTENT
    dedupes_for = timedelta(minutes=6)
    visible_after = timedelta(minutes=6)
    """Half of it is how old a call may be when it is made."""
    members_per_call = 1

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """See `Adapter`; the reference of the delivery is the platform's `msgid`."""
        [member] = call.members
        found = fill(options_of(provider), call.messages[member.language])
        if isinstance(found, str):
            hint = "`broadcaster check` says which messages its templates do not give"
            raise PermanentError(f"{provider.name}: {found}", hint=hint)
        refuse_if_late(provider, transport, self.visible_after)
        said = Client(provider, transport).post(wire.SEND_TEMPLATE, _sending(call, member.address, found))
        if said.code != wire.ALREADY_SENT:
            said.check()
        return [Delivery(member.id, Outcome.ACCEPTED, "", said.perhaps("msgid"))]

    def ask(self, _call: Call, provider: Provider, _transport: Transport) -> list[Delivery] | None:
        """The platform cannot be asked by a `client_msg_id`; the call is made again instead."""
        raise AmbiguousError(f"{provider.name}: the platform does not say what became of a template message")


def _sending(call: Call, openid: str, found: Filled) -> dict[str, object]:
    """The request's payload; without a `url` nothing opens when it is touched."""
    link = {"url": call.link} if call.link else {}
    data = {name: {"value": value} for name, value in found.keywords.items()}
    return {"touser": openid, "template_id": found.template_id, **link, "client_msg_id": mark(call), "data": data}


def probe(provider: Provider, transport: Transport) -> str:
    """List the account's templates, and hold them against the options; and what is left of today's calls."""
    said = Client(provider, transport).fetch(wire.LIST_TEMPLATES)
    listed = {str(row.get("template_id")): str(row.get("content", "")) for row in said.rows("template_list")}
    wanted = options_of(provider).templates
    for row in wanted:
        if row.template_id not in listed:
            raise PermanentError(f"{provider.name}: the account has no template {row.template_id}")
        if lined(listed[row.template_id]) != lined(row.text):
            raise PermanentError(f"{provider.name}: the template {row.template_id} has another text at the platform")
    found = len({row.template_id for row in wanted})
    return f"{found} templates as configured; {probe_account(wire.SEND_TEMPLATE, provider, transport)}"


def quote(message: Message, options: Options) -> Quote:
    """Whether one of the account's templates gives a message."""
    assert isinstance(options, TemplateOptions)  # noqa: S101 - the supplier's own kind
    return approved.quote(message, options)


OFFICIAL = Supplier(
    TemplateAdapter(),
    hears(TEMPLATES),
    TemplateOptions,
    wire.API,
    secrets=SECRETS,
    probe=probe,
    quote=quote,
    submitted="`broadcaster wechat templates FILE` writes the templates that the account needs",
    account=appid_of,
)
