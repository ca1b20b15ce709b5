"""Alibaba Cloud SMS on the wire: Dysmsapi 2017-05-25, signed by ACS3-HMAC-SHA256. Payloads and tables, no I/O.

Sources: https://help.aliyun.com/document_detail/419273.html (SendSms), /419274.html (SendBatchSms), /419277.html
(QuerySendDetails), /101346.html (error codes), /2593177.html (the signature V3).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from broadcaster.channels.provider import Provider
from broadcaster.channels.sms.aliyun.options import AliyunOptions
from broadcaster.channels.sms.codes import Code, Meaning
from broadcaster.channels.sms.mainland import Sheet
from broadcaster.channels.transport import Request

URL = "https://dysmsapi.aliyuncs.com/"
VERSION = "2017-05-25"
ALGORITHM = "ACS3-HMAC-SHA256"
SIGNATURE_HOLDS = timedelta(minutes=15)
"""How old a signature may be when its request arrives."""
MOST_ALIKE = 1_000
"""Numbers of one SendSms, which all get the same parameters."""
MOST_DIFFERENT = 100
"""Numbers of one SendBatchSms."""
PAGE_SIZE = 50
CHINA = timedelta(hours=8)
"""The vendor's days and times are those of China, which changes no clocks."""

CODES: Mapping[str, Code] = {
    "isv": Code(Meaning.STOP, "the vendor refuses it"),
    "isp": Code(Meaning.IN_DOUBT, "the vendor failed inside"),
    "Forbidden": Code(Meaning.STOP, "the key may not do this"),
    "InvalidAccessKeyId": Code(Meaning.STOP, "the key cannot be used"),
    "InvalidTimeStamp": Code(Meaning.BUSY, "the request was too old, or this machine's clock is wrong"),
    "InternalError": Code(Meaning.IN_DOUBT, "the vendor failed inside"),
    "SignatureNonceUsed": Code(Meaning.IN_DOUBT, "the vendor had this very request before"),
    "ServiceUnavailable": Code(Meaning.BUSY, "the vendor is not available"),
    "Throttling": Code(Meaning.BUSY, "too many requests"),
    "isv.AMOUNT_NOT_ENOUGH": Code(Meaning.STOP, "the account's balance is used up"),
    "isv.OUT_OF_SERVICE": Code(Meaning.STOP, "the account was stopped, as a rule for its balance"),
    "isv.DAY_LIMIT_CONTROL": Code(Meaning.STOP, "the account's own limit of a day is reached"),
    "isv.MONTH_LIMIT_CONTROL": Code(Meaning.STOP, "the account's own limit of a month is reached"),
    "isv.SMS_SIGN_ILLEGAL": Code(Meaning.STOP, "the signature is not approved"),
    "isv.SMS_SIGNATURE_ILLEGAL": Code(Meaning.STOP, "the signature is not approved"),
    "isv.SMS_TEMPLATE_ILLEGAL": Code(Meaning.STOP, "the template is not approved"),
    "isv.TEMPLATE_MISSING_PARAMETERS": Code(Meaning.STOP, "the template has other variables than the options say"),
    "isv.INVALID_PARAMETERS": Code(Meaning.STOP, "the vendor does not take the request's form"),
    "isv.INVALID_JSON_PARAM": Code(Meaning.STOP, "the vendor does not take the request's form"),
    "isv.MOBILE_COUNT_OVER_LIMIT": Code(Meaning.STOP, "more numbers than one request takes"),
    "isv.ACCOUNT_NOT_EXISTS": Code(Meaning.STOP, "the account does not exist"),
    "isv.ACCOUNT_ABNORMAL": Code(Meaning.STOP, "the account is in no order"),
    "isv.PRODUCT_UN_SUBSCRIPT": Code(Meaning.STOP, "the account has not subscribed to the product"),
    "isv.DENY_IP_RANGE": Code(Meaning.STOP, "the account does not allow this machine's address"),
    "isp.RAM_PERMISSION_DENY": Code(Meaning.STOP, "the key may not send (RAM)"),
    "NoPermission": Code(Meaning.STOP, "the key may not send (RAM)"),
    "SignatureDoesNotMatch": Code(Meaning.STOP, "the secret is not that of the key"),
    "IncompleteSignature": Code(Meaning.STOP, "the secret is not that of the key"),
    "InvalidAccessKeyId.NotFound": Code(Meaning.STOP, "no such key"),
    "InvalidAccessKeyId.Inactive": Code(Meaning.STOP, "the key is switched off"),
    "isv.MOBILE_NUMBER_ILLEGAL": Code(Meaning.ROW, "the number is refused"),
    "isv.BLACK_KEY_CONTROL_LIMIT": Code(Meaning.ROW, "a word of the text is refused"),
    "isv.PARAM_LENGTH_LIMIT": Code(Meaning.ROW, "a parameter is too long"),
    "isv.PARAM_NOT_SUPPORT_SPECIAL_CHARACTERS": Code(Meaning.ROW, "a parameter has a sign that is refused"),
    "isv.PARAM_NOT_SUPPORT_URL": Code(Meaning.ROW, "a variable may not hold an address"),
    "isv.TEMPLATE_PARAMS_ILLEGAL": Code(Meaning.ROW, "the template does not take these parameters"),
    "isv.BUSINESS_LIMIT_CONTROL": Code(Meaning.ROW, "the number was told too much lately"),
}
"""A refusal is of the whole request, also where one number is to blame."""
_OF_PARAMETERS = (
    "isv.BLACK_KEY_CONTROL_LIMIT",
    "isv.PARAM_LENGTH_LIMIT",
    "isv.PARAM_NOT_SUPPORT_SPECIAL_CHARACTERS",
    "isv.PARAM_NOT_SUPPORT_URL",
    "isv.TEMPLATE_PARAMS_ILLEGAL",
)
CODES_OF_ALL_ALIKE = {
    **CODES,
    **{code: Code(Meaning.STOP, CODES[code].words) for code in _OF_PARAMETERS},
}
"""Where all have the same parameters, no smaller request would pass either."""


def send(provider: Provider, sheet: Sheet, mark: str, nonce: str, at: datetime) -> Request:
    """SendSms when everybody gets the same parameters, else SendBatchSms."""
    numbers = [number for _, number, _ in sheet.readers]
    code = sheet.filled.template.code
    if sheet.alike:
        query = {
            "OutId": mark,
            "PhoneNumbers": ",".join(numbers),
            "SignName": sheet.filled.signature,
            "TemplateCode": code,
            **({"TemplateParam": compact(sheet.readers[0][2])} if sheet.readers[0][2] else {}),
        }
        return signed(provider, "SendSms", query, {}, nonce, at)
    body = {
        "PhoneNumberJson": compact(numbers),
        "SignNameJson": compact([sheet.filled.signature] * len(numbers)),
        "TemplateParamJson": compact([parameters for _, _, parameters in sheet.readers]),
    }
    return signed(provider, "SendBatchSms", {"OutId": mark, "TemplateCode": code}, body, nonce, at)


def question(provider: Provider, number: str, day: str, page: int, nonce: str, at: datetime) -> Request:
    """QuerySendDetails: what was sent to a number on a day of China."""
    query = {"PhoneNumber": number, "SendDate": day, "PageSize": str(PAGE_SIZE), "CurrentPage": str(page)}
    return signed(provider, "QuerySendDetails", query, {}, nonce, at)


def template_list(provider: Provider, page: int, nonce: str, at: datetime) -> Request:
    """QuerySmsTemplateList: what is approved; it tells nobody anything."""
    query = {"PageIndex": str(page), "PageSize": str(PAGE_SIZE)}
    return signed(provider, "QuerySmsTemplateList", query, {}, nonce, at)


def signed(
    provider: Provider, action: str, query: Mapping[str, str], form: Mapping[str, str], nonce: str, at: datetime
) -> Request:
    """A request of the RPC style: parameters in the query as the vendor describes them, JSON lists in a form."""
    options = provider.options
    assert isinstance(options, AliyunOptions)  # noqa: S101 - the site gives each supplier its own kind
    url = provider.url.rstrip("/") + "/"
    body = urlencode(form).encode()
    headers = {
        "accept": "application/json",
        "host": urlsplit(url).netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": hashed(body),
        "x-acs-date": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce,
        "x-acs-version": VERSION,
        **({"content-type": "application/x-www-form-urlencoded"} if form else {}),
    }
    signature, names = sign(provider.secret, "POST", urlsplit(url).path, query, headers)
    headers["authorization"] = authorization(options.access_key_id, names, signature)
    return Request("POST", f"{url}?{canonical_query(query)}", headers, body)


def authorization(key_id: str, names: str, signature: str) -> str:
    """The header that carries a signature."""
    return f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"


def sign(secret: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """The signature V3 over these headers (names in lower case), and their names as they are declared."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    payload = headers["x-acs-content-sha256"]
    canonical = "\n".join((method, path, canonical_query(query), lines, names, payload))
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest(), names


def canonical_query(query: Mapping[str, str]) -> str:
    """Sorted and percent-encoded, a space as %20."""
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


def hashed(body: bytes) -> str:
    """What `x-acs-content-sha256` says of a body."""
    return hashlib.sha256(body).hexdigest()


def compact(value: object) -> str:
    """JSON as a parameter."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def days(now: datetime) -> list[str]:
    """The days of China on which a call of the last 24 hours may have been made, the likelier first."""
    local = now.astimezone(UTC) + CHINA
    return [f"{day:%Y%m%d}" for day in (local, local - timedelta(days=1))]


def records(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The rows of an answer to QuerySendDetails."""
    found = (body.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or ()
    return [row for row in found if isinstance(row, dict)]
