"""Tencent Cloud SMS on the wire: version 2021-01-11, signed by TC3-HMAC-SHA256. Payloads and tables, no I/O.

Sources: https://cloud.tencent.com/document/product/382/55981 (SendSms), /52067 (DescribeSmsTemplateList), /59177
(status callbacks), /52075 (error codes); https://cloud.tencent.com/document/api/382/52071 (the signature).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from broadcaster.channels.provider import Provider
from broadcaster.channels.sms.codes import Code, Meaning
from broadcaster.channels.sms.mainland import Sheet
from broadcaster.channels.sms.tencent.options import TencentOptions
from broadcaster.channels.transport import Request

URL = "https://sms.tencentcloudapi.com/"
VERSION = "2021-01-11"
ALGORITHM = "TC3-HMAC-SHA256"
SERVICE = "sms"
CONTENT_TYPE = "application/json; charset=utf-8"
SIGNATURE_HOLDS = timedelta(minutes=5)
"""How old a signature may be when its request arrives."""
MOST_NUMBERS = 200
"""Numbers of one request, which all get the same parameters."""
PAGE_SIZE = 100
CHINA = timedelta(hours=8)
"""The vendor's times are those of China, which changes no clocks."""

_FORM = "the vendor does not take the request's form"
CODES: Mapping[str, Code] = {
    "AuthFailure": Code(Meaning.STOP, "the key cannot be used"),
    "UnauthorizedOperation": Code(Meaning.STOP, "the key may not send"),
    "FailedOperation": Code(Meaning.STOP, "the vendor refuses it"),
    "InvalidAction": Code(Meaning.STOP, _FORM),
    "InvalidParameter": Code(Meaning.STOP, _FORM),
    "InvalidParameterValue": Code(Meaning.STOP, _FORM),
    "MissingParameter": Code(Meaning.STOP, _FORM),
    "UnsupportedOperation": Code(Meaning.STOP, _FORM),
    "LimitExceeded": Code(Meaning.STOP, "a limit of the account is reached"),
    "InternalError": Code(Meaning.IN_DOUBT, "the vendor failed inside"),
    "RequestLimitExceeded": Code(Meaning.BUSY, "too many requests"),
    "LimitExceeded.DeliveryFrequencyLimit": Code(Meaning.BUSY, "too many messages at once"),
    "AuthFailure.SignatureExpire": Code(Meaning.BUSY, "the request was too old, or this machine's clock is wrong"),
    "InternalError.RequestTimeException": Code(
        Meaning.BUSY, "the request was too old, or this machine's clock is wrong"
    ),
    "AuthFailure.SecretIdNotFound": Code(Meaning.STOP, "no such key"),
    "AuthFailure.SignatureFailure": Code(Meaning.STOP, "the secret is not that of the key"),
    "UnauthorizedOperation.RequestIpNotInWhitelist": Code(Meaning.STOP, "the account does not allow this address"),
    "UnauthorizedOperation.SdkAppIdIsDisabled": Code(Meaning.STOP, "the application is switched off"),
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": Code(Meaning.STOP, "the application is not the account's"),
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Code(Meaning.STOP, "the account was stopped for its balance"),
    "InvalidParameterValue.SdkAppIdNotExist": Code(Meaning.STOP, "no such application"),
    "FailedOperation.InsufficientBalanceInSmsPackage": Code(Meaning.STOP, "the account's balance is used up"),
    "FailedOperation.SignatureIncorrectOrUnapproved": Code(Meaning.STOP, "the signature is not approved"),
    "FailedOperation.TemplateIncorrectOrUnapproved": Code(Meaning.STOP, "the template is not approved"),
    "FailedOperation.TemplateUnapprovedOrNotExist": Code(Meaning.STOP, "the template is not approved"),
    "FailedOperation.TemplateIdNotExist": Code(Meaning.STOP, "no such template"),
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": Code(
        Meaning.STOP, "the template has other variables than the options say"
    ),
    "FailedOperation.ContainSensitiveWord": Code(Meaning.STOP, "a word of the text is refused"),
    "FailedOperation.MarketingSendTimeConstraint": Code(Meaning.STOP, "the template is registered as marketing"),
    "InvalidParameterValue.ContentLengthLimit": Code(Meaning.STOP, "the text is too long"),
    "InvalidParameterValue.TemplateParameterLengthLimit": Code(Meaning.STOP, "a parameter is too long"),
    "InvalidParameterValue.TemplateParameterFormatError": Code(Meaning.STOP, "a parameter has the wrong form"),
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": Code(Meaning.STOP, "a variable may hold no address"),
    "LimitExceeded.AppDailyLimit": Code(Meaning.STOP, "the application's own limit of a day is reached"),
    "LimitExceeded.AppMainlandChinaDailyLimit": Code(Meaning.STOP, "the application's own limit of a day is reached"),
    "LimitExceeded.PhoneNumberCountLimit": Code(Meaning.STOP, "more numbers than one request takes"),
    "InvalidParameterValue.IncorrectPhoneNumber": Code(Meaning.ROW, "the number is refused"),
    "FailedOperation.PhoneNumberInBlacklist": Code(
        Meaning.ROW, "the number is on the vendor's list of those not to tell"
    ),
    "FailedOperation.PhoneNumberParseFail": Code(Meaning.ROW, "the number is refused"),
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": Code(Meaning.ROW, "the number is refused"),
    "LimitExceeded.PhoneNumberThirtySecondLimit": Code(Meaning.ROW, "the number was told too much lately"),
    "LimitExceeded.PhoneNumberOneHourLimit": Code(Meaning.ROW, "the number was told too much lately"),
    "LimitExceeded.PhoneNumberDailyLimit": Code(Meaning.ROW, "the number was told too much today"),
    "LimitExceeded.PhoneNumberSameContentDailyLimit": Code(Meaning.ROW, "the number was told the same today"),
}
"""They come for a whole request (`Response.Error`) or for one number (`SendStatusSet`)."""


def send(provider: Provider, sheet: Sheet, context: str, at: datetime) -> Request:
    """SendSms: one template, one set of parameters, up to 200 numbers."""
    options = options_of(provider)
    parameters = sheet.readers[0][2]
    payload = {
        "PhoneNumberSet": [member.address for member, _, _ in sheet.readers],
        "SmsSdkAppId": options.sdk_app_id,
        "TemplateId": sheet.filled.template.code,
        "SignName": sheet.filled.signature,
        "TemplateParamSet": [parameters[str(number)] for number in range(1, len(parameters) + 1)],
        "SessionContext": context,
    }
    return signed(provider, "SendSms", payload, at)


def template_list(provider: Provider, codes: list[str], at: datetime) -> Request:
    """DescribeSmsTemplateList: what is approved; it tells nobody anything."""
    payload = {"TemplateIdSet": [int(code) for code in codes], "International": 0, "Limit": PAGE_SIZE, "Offset": 0}
    return signed(provider, "DescribeSmsTemplateList", payload, at)


def signed(provider: Provider, action: str, payload: Mapping[str, Any], at: datetime) -> Request:
    """A POST of JSON."""
    options, url = options_of(provider), provider.url.rstrip("/") + "/"
    body = json.dumps(payload, ensure_ascii=False).encode()
    headers = {"content-type": CONTENT_TYPE, "host": urlsplit(url).netloc}
    authorization = sign(provider.secret, options.secret_id, urlsplit(url).path, headers, body, int(at.timestamp()))
    return Request(
        "POST",
        url,
        {
            **headers,
            "authorization": authorization,
            "x-tc-action": action,
            "x-tc-version": VERSION,
            "x-tc-timestamp": str(int(at.timestamp())),
            "x-tc-region": options.region,
        },
        body,
    )


def sign(secret: str, secret_id: str, path: str, headers: Mapping[str, str], body: bytes, timestamp: int) -> str:
    """The header `Authorization` of a POST; `headers` are those that are signed, names in lower case."""
    date = f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d}"
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = "\n".join(("POST", path, "", lines, names, hashlib.sha256(body).hexdigest()))
    scope = f"{date}/{SERVICE}/tc3_request"
    to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{secret}".encode()
    for part in (date, SERVICE, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={signature}"


def options_of(provider: Provider) -> TencentOptions:
    """The provider's options, as the site read them."""
    assert isinstance(provider.options, TencentOptions)  # noqa: S101 - the site gives each supplier its own kind
    return provider.options
