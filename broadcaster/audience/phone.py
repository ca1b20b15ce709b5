"""Phone numbers as E.164, with a fast path for plain mainland mobiles."""

from __future__ import annotations

import re

import phonenumbers

REGION = "CN"
TEST_BLOCK = r"10[0-9]{9}"
"""Numbers that no carrier has: mainland mobiles never begin with 10. Generated people have them."""

_NOISE = str.maketrans("", "", " -()\u00a0")


def _mobiles() -> str:
    """What phonenumbers itself takes for a mainland mobile: its own pattern, without its parsing."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(REGION)
    known = metadata.mobile if metadata else None
    return (known and known.national_number_pattern) or TEST_BLOCK


PLAIN = re.compile(rf"(?:\+?86)?({_mobiles()}|{TEST_BLOCK})", re.ASCII)
"""The fast path: a mainland mobile as most people write it."""


def masked(phone: str) -> str:
    """An E.164 number as it may be shown: `+86138****1234`."""
    return f"{phone[:6]}****{phone[-4:]}"


def e164(text: str) -> str:
    """The number in E.164 form, such as +8613800138000; raises ValueError when it is none."""
    match = PLAIN.fullmatch(text) or PLAIN.fullmatch(text.translate(_NOISE))
    if match:
        return f"+86{match[1]}"
    try:
        parsed = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a phone number") from error
    if not phonenumbers.is_valid_number(parsed):
        raise ValueError("not a valid phone number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
