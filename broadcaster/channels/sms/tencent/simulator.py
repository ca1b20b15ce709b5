"""The stand-in of Tencent Cloud SMS, at `/` below its provider's address: SendSms and DescribeSmsTemplateList, with the
vendor's signatures, limits and error codes.

It knows the key, the application, the signature and the templates from the provider's options, and sends its receipts
to the callback address with the token. As the vendor does, it says of each number what became of it.
"""

from __future__ import annotations

import hmac
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from broadcaster import clock
from broadcaster.channels.callback import Callback
from broadcaster.channels.reviewed import Template
from broadcaster.channels.simulation import Reception, Simulator, Stage, Target
from broadcaster.channels.sms import tokens
from broadcaster.channels.sms.mainland import ApprovedText, shown
from broadcaster.channels.sms.marks import broadcast_of
from broadcaster.channels.sms.phone import Letter, exhibits, failing, is_refused
from broadcaster.channels.sms.tencent import wire
from broadcaster.channels.sms.tencent.receipts import TIME

PER_NUMBER_A_DAY = 50
REPORTS_A_CALLBACK = 100
HEADERS = {"content-type": "application/json"}


class RefusedError(Exception):
    """A request that is answered with one of the vendor's codes."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Vendor:
    """The vendor's side of one account."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._provider = stage.provider
        self._options = wire.options_of(stage.provider)
        self._lock = threading.Lock()
        self._sent: Counter[tuple[str, str]] = Counter()
        self._of_day: Counter[str] = Counter()
        self._actions: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "SendSms": self._send,
            "DescribeSmsTemplateList": self._templates,
        }

    async def answer(self, request: Request) -> Response:
        """One request; the vendor answers 200 whatever it says."""
        body = await request.body()
        request_id = str(uuid.uuid4())
        try:
            said = await run_in_threadpool(self._answer, request, body)
        except RefusedError as refused:
            said = {"Error": {"Code": refused.code, "Message": "refused by the stand-in"}}
        return JSONResponse({"Response": {**said, "RequestId": request_id}})

    def _answer(self, request: Request, body: bytes) -> dict[str, Any]:
        self._check(request, body)
        action = self._actions.get(request.headers.get("x-tc-action", ""))
        if action is None or request.headers.get("x-tc-version") != wire.VERSION:
            raise RefusedError("InvalidAction")
        try:
            said = json.loads(body)
        except ValueError:
            raise RefusedError("FailedOperation.JsonParseFail") from None
        with self._lock:
            return action(said)

    def _check(self, request: Request, body: bytes) -> None:
        """The signature, over the headers that it declares, and its age."""
        given = request.headers.get("authorization", "")
        fields = dict(part.strip().split("=", 1) for part in given.partition(" ")[2].split(",") if "=" in part)
        secret_id, written = self._options.secret_id, request.headers.get("x-tc-timestamp", "")
        if fields.get("Credential", "").partition("/")[0] != secret_id:
            raise RefusedError("AuthFailure.SecretIdNotFound")
        if not written.isdecimal() or abs(clock.machine_now().timestamp() - int(written)) > self._holds.total_seconds():
            raise RefusedError("AuthFailure.SignatureExpire")
        headers = {name: request.headers.get(name, "") for name in fields.get("SignedHeaders", "").split(";")}
        expected = wire.sign(self._provider.secret, secret_id, request.scope["path"], headers, body, int(written))
        if not hmac.compare_digest(expected, given) or not {"content-type", "host"} <= headers.keys():
            raise RefusedError("AuthFailure.SignatureFailure")

    @property
    def _holds(self) -> timedelta:
        """How old a signature may be; where the site says when a "never seen" counts, nothing older arrives."""
        visible_after = self._provider.visible_after
        if visible_after is None:
            return wire.SIGNATURE_HOLDS
        return min(wire.SIGNATURE_HOLDS, visible_after / 2 + timedelta(seconds=1))

    def _send(self, said: Mapping[str, Any]) -> dict[str, Any]:
        numbers = said.get("PhoneNumberSet") or []
        if not numbers:
            raise RefusedError("MissingParameter.EmptyPhoneNumberSet")
        if len(numbers) > wire.MOST_NUMBERS:
            raise RefusedError("LimitExceeded.PhoneNumberCountLimit")
        if said.get("SmsSdkAppId") != self._options.sdk_app_id:
            raise RefusedError("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
        context = str(said.get("SessionContext") or "")
        if len(context.encode()) >= 512:
            raise RefusedError("InvalidParameterValue")
        parameters = {str(place): str(value) for place, value in enumerate(said.get("TemplateParamSet") or (), 1)}
        template = self._options.template(str(said.get("TemplateId")))
        wrong = self._wrong(template, str(said.get("SignName")), parameters)
        codes = {number: wrong or self._of_number(number, str(said.get("TemplateId"))) for number in numbers}
        serials = {number: f"{uuid.uuid4().int % 10**4}:{uuid.uuid4().int % 10**20}" for number in numbers}
        if template:
            text = shown(self._options, template.code, str(said.get("SignName")), parameters) if not wrong else ""
            letters = [Letter(number, template.language, text) for number in numbers if codes[number] is None]
            self._stage.show(broadcast_of(context) or context, template.phase, Reception(exhibits(letters)))
            self._report(letters, serials)
        return {"SendStatusSet": [_status(number, codes[number], serials[number], context) for number in numbers]}

    def _wrong(self, template: ApprovedText | None, signature: str, parameters: Mapping[str, str]) -> str | None:
        """What is wrong with every message of a request."""
        if template is None:
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        if signature != self._options.signature(template.language):
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        if set(Template.parse(template.text, self._options.syntax).names) != parameters.keys():
            return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        if any(len(value) > self._options.parameter_length for value in parameters.values()):
            return "InvalidParameterValue.TemplateParameterLengthLimit"
        if any("http" in value for value in parameters.values()):
            return "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"
        return None

    def _of_number(self, number: str, code: str) -> str | None:
        """What is wrong with one number; None: it is told."""
        day = f"{clock.machine_now() + wire.CHINA:%Y%m%d}"
        quota = self._provider.quota.per_day
        if not number.startswith("+861") or len(number) != 14:
            return "InvalidParameterValue.IncorrectPhoneNumber"
        if is_refused(number):
            return "FailedOperation.PhoneNumberInBlacklist"
        if self._sent[number, f"{day} {code}"] >= PER_NUMBER_A_DAY:
            return "LimitExceeded.PhoneNumberSameContentDailyLimit"
        if quota is not None and self._of_day[day] >= quota:
            return "LimitExceeded.AppDailyLimit"
        self._sent[number, f"{day} {code}"] += 1
        self._of_day[day] += 1
        return None

    def _templates(self, said: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {str(code) for code in said.get("TemplateIdSet") or ()}
        rows = [
            {"TemplateId": int(row.code), "International": 0, "StatusCode": 0, "TemplateContent": row.text}
            for row in self._options.templates
            if not wanted or row.code in wanted
        ]
        start, most = int(said.get("Offset") or 0), int(said.get("Limit") or 10)
        return {"DescribeTemplateStatusSet": rows[start : start + most]}

    def _report(self, letters: Sequence[Letter], serials: Mapping[str, str]) -> None:
        failed = failing(letters, self._stage)
        for start in range(0, len(letters), REPORTS_A_CALLBACK):
            some = letters[start : start + REPORTS_A_CALLBACK]
            rows = [_report(letter.phone, serials[letter.phone], letter.phone not in failed) for letter in some]
            query, body = {"token": self._provider.secrets[tokens.NAME]}, json.dumps(rows, ensure_ascii=False).encode()
            self._stage.call_back(partial(Callback, "POST", query, HEADERS, body))


def _status(number: str, code: str | None, serial: str, context: str) -> dict[str, Any]:
    return {
        "SerialNo": serial if code is None else "",
        "PhoneNumber": number,
        "Fee": 1 if code is None else 0,
        "SessionContext": context,
        "Code": code or "Ok",
        "Message": "refused by the stand-in" if code else "send success",
        "IsoCode": "CN",
    }


def _report(phone: str, serial: str, delivered: bool) -> dict[str, str]:
    return {
        "user_receive_time": f"{clock.now() + wire.CHINA:{TIME}}",
        "nationcode": "86",
        "mobile": phone.removeprefix("+86"),
        "report_status": "SUCCESS" if delivered else "FAIL",
        "errmsg": "DELIVRD" if delivered else "MK:0001",
        "description": "用户短信送达成功" if delivered else "号码不可达",
        "sid": serial,
    }


def create(stage: Stage) -> Simulator:
    """The stand-in of one account; it answers no questions."""
    vendor, app = Vendor(stage), FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/", vendor.answer, methods=["POST"], response_model=None)

    def target(_method: str, _path: str, _query: Mapping[str, str], headers: Mapping[str, str]) -> Target | None:
        return Target.CALLS if headers.get("x-tc-action") == "SendSms" else None

    return Simulator(app, target)
