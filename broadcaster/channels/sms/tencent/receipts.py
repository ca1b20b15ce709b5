"""Receipts that Tencent Cloud SMS sends to a callback address.

Source: https://cloud.tencent.com/document/product/382/59177: an array of reports; it is answered
`{"result": 0, "errmsg": "OK"}`, else it comes again, and may come twice.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from broadcaster import clock
from broadcaster.channels.callback import Callback, Heard, Receipt, ReceiptStatus, happened_at
from broadcaster.channels.provider import Provider
from broadcaster.channels.sms import tokens
from broadcaster.channels.sms.tencent import wire
from broadcaster.errors import InputError, Place

ANSWER = b'{"result":0,"errmsg":"OK"}'
TIME = "%Y-%m-%d %H:%M:%S"


class _Report(BaseModel):
    nationcode: Annotated[str, Field(pattern=r"^[1-9]\d{0,3}$")]
    mobile: Annotated[str, Field(pattern=r"^\d{4,15}$")]
    user_receive_time: Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?$")] = ""
    """Empty for one that never reached the phone."""
    report_status: Literal["SUCCESS", "FAIL"]
    sid: Annotated[str, Field(pattern=r"^[^\x00]{1,100}$")]


_REPORTS = TypeAdapter(list[_Report])


def hear(callback: Callback, provider: Provider) -> Heard:
    """The receipts of a callback: each names the vendor's own number of the message, and the phone."""
    tokens.check(callback, provider)
    try:
        reports = _REPORTS.validate_json(callback.body)
        return Heard(tuple(_receipt(report) for report in reports), ANSWER)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise InputError.one(first["msg"], place=Place(field=field or None)) from None  # it quotes the input
    except ValueError as error:  # a 30th of February
        raise InputError.one("user_receive_time is no time") from error


def _receipt(report: _Report) -> Receipt:
    status = ReceiptStatus.DELIVERED if report.report_status == "SUCCESS" else ReceiptStatus.FAILED
    at = now = clock.now()
    if report.user_receive_time:
        at = datetime.strptime(report.user_receive_time, TIME).replace(tzinfo=timezone(wire.CHINA))
    return Receipt("", 0, status, happened_at(at, now), f"+{report.nationcode}{report.mobile}", report.sid)
