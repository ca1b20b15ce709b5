"""The stand-in of Alibaba Cloud SMS, at `/` below its provider's address: SendSms, SendBatchSms, QuerySendDetails and
QuerySmsTemplateList, with the vendor's signatures, limits and error codes.

It knows the key, the signature and the templates from the provider's options, and sends its receipts to the callback
address with the token. As the vendor does, it takes or refuses a request as a whole.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from broadcaster import clock
from broadcaster.channels.callback import Callback
from broadcaster.channels.reviewed import Template
from broadcaster.channels.simulation import Reception, Simulator, Stage, Target
from broadcaster.channels.sms import tokens
from broadcaster.channels.sms.aliyun import wire
from broadcaster.channels.sms.aliyun.adapter import options_of
from broadcaster.channels.sms.aliyun.receipts import TIME
from broadcaster.channels.sms.mainland import shown
from broadcaster.channels.sms.marks import broadcast_of
from broadcaster.channels.sms.phone import Letter, exhibits, failing, is_refused

PER_NUMBER_A_DAY = 50
"""Notifications of one signature and template to one number."""
REPORTS_A_PUSH = 100
HEADERS = {"content-type": "application/json;charset=utf-8"}
_TARGETS = {
    "SendSms": Target.CALLS,
    "SendBatchSms": Target.CALLS,
    "QuerySendDetails": Target.QUESTIONS,
}


class RefusedError(Exception):
    """A request that is answered with one of the vendor's codes."""

    def __init__(self, code: str, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class _Record:
    number: str
    day: str
    out_id: str
    visible_at: float


class Vendor:
    """The vendor's side of one account."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._provider = stage.provider
        self._options = options_of(stage.provider)
        self._lock = threading.Lock()
        self._nonces: set[str] = set()
        self._records: dict[str, list[_Record]] = {}
        self._sent: Counter[tuple[str, str, str]] = Counter()
        self._of_day: Counter[str] = Counter()
        self._actions: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            "SendSms": self._send_alike,
            "SendBatchSms": self._send_different,
            "QuerySendDetails": self._details,
            "QuerySmsTemplateList": self._templates,
        }

    async def answer(self, request: Request) -> Response:
        """One request."""
        body = await request.body()
        request_id = str(uuid.uuid4()).upper()
        try:
            said = await run_in_threadpool(self._answer, request, body)
        except RefusedError as refused:
            found = {"Code": refused.code, "Message": "refused by the stand-in", "RequestId": request_id}
            return JSONResponse(found, refused.status)
        return JSONResponse({"Code": "OK", "Message": "OK", "RequestId": request_id, **said})

    def _answer(self, request: Request, body: bytes) -> dict[str, Any]:
        query = dict(request.query_params)
        action = self._actions.get(request.headers.get("x-acs-action", ""))
        if action is None:
            raise RefusedError("InvalidAction.NotFound", 404)
        with self._lock:
            self._check(request, query, body)
            return action({**query, **dict(parse_qsl(body.decode()))})

    def _check(self, request: Request, query: Mapping[str, str], body: bytes) -> None:
        """The signature, over the headers that it declares; its age; and that no nonce comes twice."""
        given = request.headers.get("authorization", "")
        fields = dict(part.split("=", 1) for part in given.partition(" ")[2].split(",") if "=" in part)
        if fields.get("Credential") != self._options.access_key_id:
            raise RefusedError("InvalidAccessKeyId.NotFound", 404)
        names = fields.get("SignedHeaders", "").split(";")
        headers = {name: request.headers.get(name, "") for name in names}
        headers.setdefault("x-acs-content-sha256", "")
        path = request.scope["path"]
        signature, _ = wire.sign(self._provider.secret, request.method, path, query, headers)
        fits = hmac.compare_digest(signature, fields.get("Signature", ""))
        if not fits or headers["x-acs-content-sha256"] != wire.hashed(body):
            raise RefusedError("SignatureDoesNotMatch", 400)
        self._check_age(request.headers.get("x-acs-date", ""))
        nonce = request.headers.get("x-acs-signature-nonce", "")
        if nonce in self._nonces:
            raise RefusedError("SignatureNonceUsed", 400)
        self._nonces.add(nonce)

    def _check_age(self, written: str) -> None:
        try:
            at = datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise RefusedError("InvalidTimeStamp.Format", 400) from None
        holds = wire.SIGNATURE_HOLDS
        if self._provider.visible_after is not None:
            # As for our own format: what is believed to be "never seen" sooner must not arrive later.
            holds = min(holds, self._provider.visible_after / 2 + timedelta(seconds=1))
        if abs(clock.machine_now() - at) > holds:
            raise RefusedError("InvalidTimeStamp.Expired", 400)

    def _send_alike(self, said: Mapping[str, str]) -> dict[str, Any]:
        numbers = said.get("PhoneNumbers", "").split(",")
        if len(numbers) > wire.MOST_ALIKE:
            raise RefusedError("isv.MOBILE_COUNT_OVER_LIMIT")
        parameters = _parsed(said.get("TemplateParam") or "{}", dict)
        return self._send(said, [(number, said.get("SignName", ""), parameters) for number in numbers])

    def _send_different(self, said: Mapping[str, str]) -> dict[str, Any]:
        numbers, signatures, parameters = (
            _parsed(said.get(name, "[]"), list) for name in ("PhoneNumberJson", "SignNameJson", "TemplateParamJson")
        )
        if not numbers or not len(numbers) == len(signatures) == len(parameters):
            raise RefusedError("isv.INVALID_PARAMETERS")
        if len(numbers) > wire.MOST_DIFFERENT:
            raise RefusedError("isv.MOBILE_COUNT_OVER_LIMIT")
        return self._send(said, list(zip(numbers, signatures, parameters, strict=True)))

    def _send(self, said: Mapping[str, str], rows: Sequence[tuple[str, str, dict[str, str]]]) -> dict[str, Any]:
        code, mark = said.get("TemplateCode", ""), said.get("OutId", "")
        self._check_rows(code, rows)
        biz_id = f"{len(self._nonces)}^{uuid.uuid4().int % 10**12}"
        broadcast = broadcast_of(mark) or mark
        template = self._options.template(code)
        assert template  # noqa: S101 - checked above
        letters = [
            Letter(f"+86{number[-11:]}", template.language, shown(self._options, code, signature, parameters))
            for number, signature, parameters in rows
        ]
        self._stage.show(broadcast, template.phase, Reception(exhibits(letters)))
        visible_at, today = time.monotonic() + self._stage.hidden_for, wire.days(clock.machine_now())[0]
        for letter in letters:
            record = _Record(letter.phone[3:], today, mark, visible_at)
            self._records.setdefault(record.number, []).append(record)
        self._report(letters, biz_id, mark)
        return {"BizId": biz_id}

    def _check_rows(self, code: str, rows: Sequence[tuple[str, str, dict[str, str]]]) -> None:
        """All of them pass, or none."""
        day, template = wire.days(clock.machine_now())[0], self._options.template(code)
        if template is None:
            raise RefusedError("isv.SMS_TEMPLATE_ILLEGAL")
        names = set(Template.parse(template.text, self._options.syntax).names)
        quota = self._provider.quota.per_day
        if quota is not None and self._of_day[day] + len(rows) > quota:
            raise RefusedError("isv.DAY_LIMIT_CONTROL")
        for number, signature, parameters in rows:
            if signature != self._options.signature(template.language):
                raise RefusedError("isv.SMS_SIGN_ILLEGAL")
            if names - parameters.keys():
                raise RefusedError("isv.TEMPLATE_MISSING_PARAMETERS")
            if any(len(str(value)) > self._options.parameter_length for value in parameters.values()):
                raise RefusedError("isv.PARAM_LENGTH_LIMIT")
            if any("【" in str(value) or "】" in str(value) for value in parameters.values()):
                raise RefusedError("isv.PARAM_NOT_SUPPORT_SPECIAL_CHARACTERS")
            if any("http" in str(value) for value in parameters.values()):
                raise RefusedError("isv.PARAM_NOT_SUPPORT_URL")
            if not number[-11:].isdecimal() or len(number[-11:]) != 11 or is_refused(number):
                raise RefusedError("isv.MOBILE_NUMBER_ILLEGAL")
            if self._sent[number, code, day] >= PER_NUMBER_A_DAY:
                raise RefusedError("isv.BUSINESS_LIMIT_CONTROL")
        self._sent.update((number, code, day) for number, _, _ in rows)
        self._of_day[day] += len(rows)

    def _details(self, said: Mapping[str, str]) -> dict[str, Any]:
        size, page = int(said.get("PageSize", "0")), int(said.get("CurrentPage", "0"))
        if not 1 <= size <= wire.PAGE_SIZE or page < 1:
            raise RefusedError("isv.INVALID_PARAMETERS")
        visible = [
            row
            for row in self._records.get(said.get("PhoneNumber", "")[-11:], ())
            if row.day == said.get("SendDate") and row.visible_at <= time.monotonic()
        ]
        rows = [
            {"PhoneNum": row.number, "OutId": row.out_id, "SendStatus": 3, "ErrCode": "DELIVERED"}
            for row in visible[(page - 1) * size : page * size]
        ]
        return {"TotalCount": len(visible), "SmsSendDetailDTOs": {"SmsSendDetailDTO": rows}}

    def _templates(self, said: Mapping[str, str]) -> dict[str, Any]:
        size, page = int(said.get("PageSize", "10")), int(said.get("PageIndex", "1"))
        known = [
            {"TemplateCode": row.code, "TemplateContent": row.text, "AuditStatus": "AUDIT_STATE_PASS"}
            for row in self._options.templates
        ]
        return {"TotalCount": len(known), "SmsTemplateList": known[(page - 1) * size : page * size]}

    def _report(self, letters: Sequence[Letter], biz_id: str, mark: str) -> None:
        failed = failing(letters, self._stage)
        for start in range(0, len(letters), REPORTS_A_PUSH):
            some = letters[start : start + REPORTS_A_PUSH]
            body = json.dumps([_report(letter, biz_id, mark, failed) for letter in some], ensure_ascii=False).encode()
            query = {"token": self._provider.secrets[tokens.NAME]}
            self._stage.call_back(partial(Callback, "POST", query, HEADERS, body))


def _report(letter: Letter, biz_id: str, mark: str, failed: frozenset[str]) -> dict[str, Any]:
    at = f"{clock.now() + wire.CHINA:{TIME}}"
    delivered = letter.phone not in failed
    return {
        "phone_number": letter.phone[3:],
        "send_time": at,
        "report_time": at,
        "success": delivered,
        "err_code": "DELIVERED" if delivered else "MK:0001",
        "err_msg": "用户接收成功" if delivered else "号码不可达",
        "sms_size": "1",
        "biz_id": biz_id,
        "out_id": mark,
    }


def _parsed(text: str, kind: type) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        raise RefusedError("isv.INVALID_JSON_PARAM") from None
    if not isinstance(found, kind):
        raise RefusedError("isv.INVALID_JSON_PARAM")
    return found


def create(stage: Stage) -> Simulator:
    """The stand-in of one account."""
    vendor, app = Vendor(stage), FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/", vendor.answer, methods=["GET", "POST"], response_model=None)

    def target(_method: str, _path: str, _query: Mapping[str, str], headers: Mapping[str, str]) -> Target | None:
        return _TARGETS.get(headers.get("x-acs-action", ""))

    return Simulator(app, target)
