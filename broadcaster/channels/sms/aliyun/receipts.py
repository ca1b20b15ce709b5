"""Receipts that Alibaba Cloud SMS pushes over HTTP (SmsReport).

Source: https://help.aliyun.com/document_detail/101508.html: an array of reports; it is answered `{"code": 0, …}` within
700 ms, else it comes again after 1, 5 and 10 minutes, and may come twice.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from broadcaster import clock
from broadcaster.channels.callback import Callback, Heard, Receipt, ReceiptStatus, happened_at
from broadcaster.channels.provider import Provider
from broadcaster.channels.sms import tokens
from broadcaster.channels.sms.aliyun import wire
from broadcaster.channels.sms.marks import broadcast_of
from broadcaster.errors import InputError, Place

ANSWER = '{"code":0,"msg":"接收成功"}'.encode()
TIME = "%Y-%m-%d %H:%M:%S"


class _Report(BaseModel):
    """Of whatever the account sent: others use it as well, also for numbers and marks of which we know nothing."""

    phone_number: str
    report_time: str
    success: bool
    biz_id: str
    out_id: str | None = None


class _Ours(BaseModel):
    """Of a message that bears our mark."""

    phone_number: Annotated[str, Field(pattern=r"^(\+?86)?1\d{10}$")]
    report_time: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")]
    success: bool
    biz_id: Annotated[str, Field(pattern=r"^[^\x00]{1,100}$")]
    out_id: str


_REPORTS = TypeAdapter(list[_Report])
_OURS = TypeAdapter(list[_Ours])


def hear(callback: Callback, provider: Provider) -> Heard:
    """The receipts of a push; those of messages that somebody else sent from the account are passed over."""
    tokens.check(callback, provider)
    try:
        reports = _REPORTS.validate_json(callback.body)
        ours = [report.model_dump() for report in reports if broadcast_of(report.out_id or "")]
        found = tuple(_receipt(report) for report in _OURS.validate_python(ours))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise InputError.one(first["msg"], place=Place(field=field or None)) from None  # it quotes the input
    except ValueError as error:  # a 30th of February
        raise InputError.one("report_time is no time") from error
    return Heard(found, ANSWER)


def _receipt(report: _Ours) -> Receipt:
    status = ReceiptStatus.DELIVERED if report.success else ReceiptStatus.FAILED
    at = datetime.strptime(report.report_time, TIME).replace(tzinfo=timezone(wire.CHINA))
    broadcast = broadcast_of(report.out_id) or ""
    return Receipt(broadcast, 0, status, happened_at(at, clock.now()), f"+86{report.phone_number[-11:]}", report.biz_id)
