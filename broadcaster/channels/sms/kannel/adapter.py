"""SMS through a Kannel gateway: one request a message, and a delivery report by GET for each.

Kannel dedupes nothing and cannot be asked, so its class is `none`: after an answer that was lost, that one recipient is
`unknown`, and nobody is told twice.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import cast

from broadcaster import clock
from broadcaster.channels.call import Call, Delivery, Outcome
from broadcaster.channels.callback import TEXT, Callback, ForgedError, Heard, Receipt
from broadcaster.channels.provider import Idempotency, Provider
from broadcaster.channels.sms.kannel import wire
from broadcaster.channels.sms.kannel.options import REPORTS, SECRETS, KannelOptions, wrong_secret
from broadcaster.channels.sms.text import text_of
from broadcaster.channels.supplier import Supplier
from broadcaster.channels.transport import Answer, Request, Transport, raise_for_status
from broadcaster.errors import AmbiguousError, InputError, PermanentError, TransientError


class KannelAdapter:
    """The way to one smsbox."""

    idempotency = Idempotency.NONE
    dedupes_for = timedelta(0)
    visible_after = timedelta(0)
    members_per_call = 1
    """Kannel takes several numbers at once, but then says neither whom it refused nor whom a report is about."""

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """Give one message to the gateway; 202 is its word that it has it, on disk where it keeps a store."""
        transport.refuse_what_is_old(provider)
        (member,) = call.members
        text = text_of(call, member)
        proof = wire.mac(provider.secrets[REPORTS], provider.name, call.broadcast, str(member.id))
        report_url = wire.report_url(provider.callback_url, proof, call.broadcast, member.id)
        headers = wire.headers(_credentials(provider), member.address, text, _minutes(call), report_url)
        answer = transport.exchange(provider, Request("POST", _address(provider), headers, text.encode()))
        return [_read(answer, provider, member.id)]

    def ask(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery] | None:
        """It knows nothing of a message once it has handed it on."""
        raise AmbiguousError(f"{provider.name} cannot be asked about a call")


def hear(callback: Callback, provider: Provider) -> Heard:
    """A delivery report: `?broadcast=…&id=…&mac=…&status=…&at=…`, as we asked for it with the message."""
    said = callback.query
    broadcast, recipient = said.get("broadcast", ""), said.get("id", "")
    ours = wire.mac(provider.secrets[REPORTS], provider.name, broadcast, recipient)
    if callback.method != "GET" or not hmac.compare_digest(ours.encode(), said.get("mac", "").encode()):
        raise ForgedError
    if said.get("status") not in wire.MEANING:
        raise InputError.one("the status of a delivery report is 1, 2, 4, 8 or 16")
    status = wire.MEANING[said["status"]]
    receipts = (Receipt(broadcast, int(recipient), status, _at(said.get("at", ""))),) if status else ()
    return Heard(receipts, b"ok", TEXT)


def probe(provider: Provider, transport: Transport) -> str:
    """Ask for a message to nobody: smsbox looks at user and password first, and then misses the number."""
    answer = transport.exchange(provider, Request("POST", _address(provider), _credentials(provider), b"-"))
    if answer.status == 400 and _body(answer).startswith(wire.NO_RECEIVER):
        return "user and password are right"
    raise _refusal(answer, provider) or PermanentError(f"{provider.name} answered {answer.status}, not as Kannel does")


def _address(provider: Provider) -> str:
    return provider.url.rstrip("/") + wire.PATH


def _credentials(provider: Provider) -> dict[str, str]:
    options = cast("KannelOptions", provider.options)
    return wire.credentials(options.username, provider.secret, options.sender)


def _minutes(call: Call) -> int:
    """How long the message is still true: what waits for a phone that is off is dropped then, by whoever holds it."""
    left = min(call.expires_at - clock.now(), wire.LONGEST_VALIDITY)
    return max(1, left // timedelta(minutes=1))


def _body(answer: Answer) -> str:
    return answer.body[:200].decode("utf-8", "replace")


def _read(answer: Answer, provider: Provider, recipient: int) -> Delivery:
    """202 accepts, whether it goes on at once (`0: …`) or waits for the carrier (`3: …`)."""
    if answer.status == 202:
        return Delivery(recipient, Outcome.ACCEPTED)
    if reason := wire.found(wire.REFUSALS, answer.status, _body(answer)):
        return Delivery(recipient, Outcome.REJECTED, reason)
    raise _refusal(answer, provider) or AmbiguousError(f"{provider.name} answered {answer.status}, not as Kannel does")


def _refusal(answer: Answer, provider: Provider) -> PermanentError | TransientError | AmbiguousError | None:
    """What an answer says of the account or the request; None when it is none that refuses."""
    if words := wire.found(wire.FAULTS, answer.status, _body(answer)):
        return PermanentError(f"{provider.name}: {words} ({answer.status})")
    try:
        raise_for_status(provider, answer)
    except (PermanentError, TransientError, AmbiguousError) as error:
        return error
    return None


def _at(seconds: str) -> datetime:
    """When the report was made; never later than it came in, should the gateway's clock run ahead."""
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= 11):
        raise InputError.one("the time of a delivery report is a number of seconds since 1970")
    return min(datetime.fromtimestamp(int(seconds), UTC), clock.now())


KANNEL = Supplier(
    KannelAdapter(),
    hear,
    options=KannelOptions,
    wrong_secret=wrong_secret,
    secrets=SECRETS,
    probe=probe,
)
