"""Tencent Cloud SMS: one request tells up to 200 numbers the same, and is answered number by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from broadcaster.channels.call import Call, Delivery, Member, Outcome
from broadcaster.channels.provider import Idempotency, Provider
from broadcaster.channels.sms import mainland, tokens
from broadcaster.channels.sms.codes import Meaning, checked, known_code, raise_for_code
from broadcaster.channels.sms.marks import mark
from broadcaster.channels.sms.tencent import receipts, wire
from broadcaster.channels.sms.tencent.options import TencentOptions
from broadcaster.channels.supplier import Room, Supplier
from broadcaster.channels.transport import Request, Transport
from broadcaster.errors import AmbiguousError, PermanentError
from broadcaster.rendering.message import Message

OK = "Ok"
_OUTCOMES = {Meaning.IN_DOUBT: Outcome.UNKNOWN}


class TencentAdapter:
    """Sends by SendSms.

    The vendor neither dedupes nor answers questions that settle anything: PullSmsSendStatusByPhoneNumber shows only
    what a carrier has reported on already, and repeats our mark for accounts that were admitted to it. So a call whose
    answer was lost stays unknown.
    """

    idempotency = Idempotency.NONE
    dedupes_for = timedelta(hours=24)
    visible_after = timedelta(minutes=10)
    members_per_call = wire.MOST_NUMBERS

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """One request. Whom the vendor would refuse for a parameter or a foreign number is left out of it."""
        sheet = mainland.sheet(call, provider, wire.options_of(provider))
        if not sheet.readers:
            return sheet.deliveries(call, {})
        if not sheet.alike:
            raise PermanentError(f"{provider.name}: one request has one set of parameters, and these readers differ")
        if len(sheet.readers) > wire.MOST_NUMBERS:
            hint = "lower members_per_call"
            raise PermanentError(f"{provider.name}: one request takes {wire.MOST_NUMBERS} numbers", hint=hint)
        request = wire.send(provider, sheet, mark(call.broadcast, call.key), transport.made_at)
        rows = _exchange(provider, transport, request).get("SendStatusSet")
        statuses = {
            str(row["PhoneNumber"]): row for row in rows or () if isinstance(row, dict) and "PhoneNumber" in row
        }
        if not statuses:
            raise AmbiguousError(f"{provider.name} answered something that is not known")
        if all(member.address in statuses for member, _, _ in sheet.readers):
            _raise_for_all(provider, list(statuses.values()))
        told = {member.id: _delivery(member, statuses.get(member.address), provider) for member, _, _ in sheet.readers}
        return sheet.deliveries(call, told)

    def ask(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery] | None:
        """Nobody can be asked: raises AmbiguousError."""
        raise AmbiguousError(f"{provider.name}: this vendor cannot say what became of a request")


def room(member: Member, message: Message) -> Room:
    """One template and one set of parameters a request: whoever reads the same, down to their name."""
    alike = f"{member.language}\n{member.name}" if message.personal else member.language
    return Room(alike, wire.MOST_NUMBERS)


def probe(provider: Provider, transport: Transport) -> str:
    """Ask for the account's templates, and hold them against the options."""
    wanted = wire.options_of(provider).templates
    found: dict[str, Mapping[str, Any]] = {}
    codes = [row.code for row in wanted]
    for start in range(0, len(codes), wire.PAGE_SIZE):
        request = wire.template_list(provider, codes[start : start + wire.PAGE_SIZE], transport.made_at)
        rows = _exchange(provider, transport, request).get("DescribeTemplateStatusSet") or []
        found |= {str(row.get("TemplateId")): row for row in rows}
    for row in wanted:
        listed = found.get(row.code, {})
        if listed.get("StatusCode") != 0:
            raise PermanentError(f"{provider.name}: the template {row.code} is not approved")
        if listed.get("TemplateContent") != row.text:
            raise PermanentError(f"{provider.name}: the template {row.code} was approved with another text")
    return f"the key works, {len(wanted)} templates approved"


def _delivery(member: Member, status: Mapping[str, Any] | None, provider: Provider) -> Delivery:
    """What the vendor says of one number."""
    if status is None:
        return Delivery(member.id, Outcome.UNKNOWN, f"{provider.name} said nothing of it")
    code, reference = str(status.get("Code")), str(status.get("SerialNo") or "")
    if code == OK:
        return Delivery(member.id, Outcome.ACCEPTED, "", reference)
    known = known_code(wire.CODES, code)
    if known is None:
        return Delivery(member.id, Outcome.UNKNOWN, f"{provider.name}: what it says of it is not known", reference)
    return Delivery(member.id, _OUTCOMES.get(known.meaning, Outcome.REJECTED), f"{known.words} ({code})", reference)


def _raise_for_all(provider: Provider, statuses: Sequence[Mapping[str, Any]]) -> None:
    """What is wrong with the account comes as every number's code, and is no number's fault."""
    codes = {str(row.get("Code")) for row in statuses}
    if len(codes) == 1:
        [code] = codes
        known = known_code(wire.CODES, code)
        if known and known.meaning is not Meaning.ROW:
            raise_for_code(provider, wire.CODES, code)


def _exchange(provider: Provider, transport: Transport, request: Request) -> Mapping[str, Any]:
    """The `Response` of an answer without an error; raises what an error means."""
    return checked(provider, wire.CODES, transport.exchange(provider, request), _response)


def _response(body: Any) -> tuple[dict[str, Any], str]:
    response = body["Response"]
    return response, str(response["Error"]["Code"]) if "Error" in response else "OK"


TENCENT = Supplier(
    TencentAdapter(),
    receipts.hear,
    options=TencentOptions,
    url=wire.URL,
    secrets=tokens.SECRETS,
    probe=probe,
    room=room,
    quote=mainland.quote,
    submitted=mainland.SUBMITTED,
)
