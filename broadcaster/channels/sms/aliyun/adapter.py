"""Alibaba Cloud SMS: one request tells up to 1,000 numbers the same, or up to 100 each their own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from broadcaster import clock
from broadcaster.channels.call import Call, Delivery, Member, Outcome
from broadcaster.channels.provider import Idempotency, Provider
from broadcaster.channels.sms import mainland, tokens
from broadcaster.channels.sms.aliyun import receipts, wire
from broadcaster.channels.sms.aliyun.options import AliyunOptions
from broadcaster.channels.sms.codes import Codes, checked
from broadcaster.channels.sms.marks import mark
from broadcaster.channels.supplier import Room, Supplier
from broadcaster.channels.transport import Request, Transport
from broadcaster.errors import AmbiguousError, PermanentError
from broadcaster.rendering.message import Message

ASKED_AT_ONCE = 8
"""How many numbers of a call in doubt are asked about side by side."""
NOT_SHOWN = "its request was taken, but the vendor shows nothing of this number"


class AliyunAdapter:
    """Sends by SendSms and SendBatchSms, and asks by QuerySendDetails."""

    idempotency = Idempotency.QUERYABLE
    dedupes_for = timedelta(hours=24)
    """The vendor shows 30 days; we ask about the last two of China."""
    visible_after = timedelta(minutes=20)
    """A signature holds for 15 minutes, so that nothing can arrive later; the rest is for clocks that differ."""
    members_per_call = 100
    """Up to 1,000 are possible where all read the same; but a call in doubt is asked about number by number."""

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """One request. Whom the vendor would refuse for a parameter or a foreign number is left out of it."""
        sheet = mainland.sheet(call, provider, options_of(provider))
        if not sheet.readers:
            return sheet.deliveries(call, {})
        most = wire.MOST_ALIKE if sheet.alike else wire.MOST_DIFFERENT
        if len(sheet.readers) > most:
            raise PermanentError(f"{provider.name}: one request takes {most} numbers", hint="lower members_per_call")
        # The key is the nonce: the vendor takes no request twice while its signature holds.
        request = wire.send(provider, sheet, mark(call.broadcast, call.key), call.key, transport.made_at)
        codes = wire.CODES_OF_ALL_ALIKE if sheet.alike else wire.CODES
        body = _exchange(provider, transport, request, codes)
        reference = str(body.get("BizId") or "")
        told = {member.id: Delivery(member.id, Outcome.ACCEPTED, "", reference) for member, _, _ in sheet.readers}
        return sheet.deliveries(call, told)

    def ask(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery] | None:
        """Whether the vendor's records show the call, number by number; a request is of one day."""
        try:
            sheet = mainland.sheet(call, provider, options_of(provider))
            for day in wire.days(clock.machine_now()):
                shown = _shown(call, sheet, day, provider, transport)
                if any(shown.values()):
                    return sheet.deliveries(call, {id_: _told(id_, found) for id_, found in shown.items()})
        except PermanentError as error:
            # That a question was refused says nothing about the call.
            raise AmbiguousError(error.message, hint=error.hint) from error
        return None


def options_of(provider: Provider) -> AliyunOptions:
    """The provider's options, as the site read them."""
    assert isinstance(provider.options, AliyunOptions)  # noqa: S101 - the site gives each supplier its own kind
    return provider.options


def room(member: Member, message: Message) -> Room:
    """One template a request, and so one language; a text that names its reader makes parameters differ."""
    return Room(member.language, wire.MOST_DIFFERENT if message.personal else wire.MOST_ALIKE)


def probe(provider: Provider, transport: Transport) -> str:
    """List the account's templates, and hold them against the options."""
    found: dict[str, Mapping[str, Any]] = {}
    for page in range(1, 21):
        body = _exchange(provider, transport, wire.template_list(provider, page, _nonce(), transport.made_at))
        rows = body.get("SmsTemplateList") or []
        found |= {str(row.get("TemplateCode")): row for row in rows}
        if len(found) >= int(body.get("TotalCount") or 0) or not rows:
            break
    wanted = options_of(provider).templates
    for row in wanted:
        listed = found.get(row.code, {})
        if listed.get("AuditStatus") != "AUDIT_STATE_PASS":
            raise PermanentError(f"{provider.name}: the template {row.code} is not approved")
        if listed.get("TemplateContent") != row.text:
            raise PermanentError(f"{provider.name}: the template {row.code} was approved with another text")
    return f"the key works, {len(wanted)} templates approved"


def _told(id_: int, found: bool) -> Delivery:
    return Delivery(id_, Outcome.ACCEPTED) if found else Delivery(id_, Outcome.UNKNOWN, NOT_SHOWN)


def _shown(call: Call, sheet: mainland.Sheet, day: str, provider: Provider, transport: Transport) -> Mapping[int, bool]:
    """Member → whether the vendor's records of the day show the call for their number."""
    ours = mark(call.broadcast, call.key)

    def look(reader: tuple[Member, str, dict[str, str]]) -> tuple[int, bool]:
        return reader[0].id, _is_recorded(ours, reader[1], day, provider, transport)

    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        return dict(pool.map(look, sheet.readers))


def _is_recorded(ours: str, number: str, day: str, provider: Provider, transport: Transport) -> bool:
    page, seen = 1, 0
    while True:
        request = wire.question(provider, number, day, page, _nonce(), clock.machine_now())
        body = _exchange(provider, transport, request)
        rows = wire.records(body)
        if any(row.get("OutId") == ours for row in rows):
            return True
        seen += len(rows)
        if not rows or seen >= int(body.get("TotalCount") or 0):
            return False
        page += 1


def _exchange(provider: Provider, transport: Transport, request: Request, codes: Codes = wire.CODES) -> dict[str, Any]:
    """The body of an answer whose code is OK; raises what any other means."""
    return checked(provider, codes, transport.exchange(provider, request), lambda body: (body, str(body["Code"])))


def _nonce() -> str:
    return uuid.uuid4().hex


ALIYUN = Supplier(
    AliyunAdapter(),
    receipts.hear,
    options=AliyunOptions,
    url=wire.URL,
    secrets=tokens.SECRETS,
    probe=probe,
    room=room,
    quote=mainland.quote,
    submitted=mainland.SUBMITTED,
)
