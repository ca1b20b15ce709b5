"""Phone numbers as E.164, with a fast path for plain mainland mobiles."""

from __future__ import annotations

import re

import phonenumbers

REGION = "CN"
_MAINLAND_MOBILE = re.compile(r"(?:\+?86)?(1[0-9]{10})")
_NOISE = str.maketrans("", "", " -()\u00a0")


def masked(phone: str) -> str:
    """An E.164 number as it may be shown: `+86138****1234`."""
    return f"{phone[:6]}****{phone[-4:]}"


def e164(text: str) -> str:
    """The number in E.164 form, such as +8613800138000; raises ValueError when it is none."""
    plain = text.translate(_NOISE)
    match = _MAINLAND_MOBILE.fullmatch(plain)
    if match:
        return f"+86{match[1]}"
    try:
        parsed = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a phone number") from error
    if not phonenumbers.is_valid_number(parsed):
        raise ValueError("not a valid phone number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
