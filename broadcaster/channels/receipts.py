"""Receipts in our own format: reading a gateway's signed callback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from broadcaster import clock
from broadcaster.channels.callback import Callback, ForgedError, Heard, Receipt, ReceiptStatus, happened_at
from broadcaster.channels.provider import Provider
from broadcaster.errors import InputError, Place


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")
    broadcast: Annotated[str, Field(pattern=r"^[^\x00]{1,100}$")]
    """No NUL: JSON can hold one, Postgres cannot."""
    id: Annotated[int, Field(ge=0, le=2**63 - 1)]
    status: ReceiptStatus
    at: AwareDatetime


class _Data(BaseModel):
    receipts: list[_Row]


class _Event(BaseModel):
    type: str
    data: _Data


def hear(callback: Callback, provider: Provider) -> Heard:
    """The receipts of a signed callback; it is answered with how many they were."""
    if callback.method != "POST" or not verify(provider, callback.body, callback.headers):
        raise ForgedError
    found = parse(callback.body)
    return Heard(tuple(found), b'{"received": %d}' % len(found))


def verify(provider: Provider, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the provider itself sent this body, less than five minutes ago."""
    try:
        Webhook(provider.secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: a header or body that is not even text
        return False
    return True


def parse(body: bytes) -> list[Receipt]:
    """`{"type": …, "data": {"receipts": [{broadcast, id, status, at}]}}`; raises InputError that says what is off."""
    try:
        event = _Event.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise InputError.one(first["msg"], place=Place(field=field or None)) from None  # it quotes the input
    now = clock.now()
    return [Receipt(row.broadcast, row.id, row.status, happened_at(row.at, now)) for row in event.data.receipts]
