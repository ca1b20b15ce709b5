"""Kannel's format: a message as a request to its smsbox, what the answers mean, and its delivery reports.

Sources: Kannel 1.4.5 user guide, "Using SMS push" and "Delivery reports"; `smsbox.c` of 1.4.5, and what a running one
answered. Everything goes by POST: user, password and phone stand in headers then, and in no address that somebody logs.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

from broadcaster.channels.callback import ReceiptStatus
from broadcaster.rendering.measures import SmsEncoding, sms_size

PATH = "/cgi-bin/sendsms"
"""`sendsms-url` of smsbox when its configuration says nothing else."""

CODING = {SmsEncoding.GSM7: "0", SmsEncoding.UCS2: "2"}
"""The alphabet; with 0, what is not in it would arrive as question marks, and nobody would be told."""

DELIVERED, UNDELIVERABLE, BUFFERED, TAKEN, REFUSED = 1, 2, 4, 8, 16
"""What a report says: by the phone's side (1, 2), and by the carrier's SMSC (4 waits, 8 accepted, 16 refused)."""
WANTED = DELIVERED | UNDELIVERABLE | REFUSED
"""`dlr-mask`: the final ones only, because each is a request to us."""
MEANING: Mapping[str, ReceiptStatus | None] = {
    str(DELIVERED): ReceiptStatus.DELIVERED,
    str(UNDELIVERABLE): ReceiptStatus.FAILED,
    str(BUFFERED): None,
    str(TAKEN): None,
    str(REFUSED): ReceiptStatus.FAILED,
}
"""A report's status → what it says of the delivery; None: nothing final."""

UNAUTHORISED = "Authorization failed"
"""403: the user or the password is wrong, or our address is not among those that the user may call from."""
NO_RECEIVER = "Missing receiver"
"""400 after user and password were found right: "Missing receiver number" by GET, "Missing receiver(s)" by POST."""

REFUSALS: Mapping[tuple[int, str], str] = {
    (400, "Number(s) has/have been denied"): "the gateway's lists do not let this number through",
    (403, "Not routable"): "the gateway has no route to this number",
}
"""Status and how the body begins → what it says of this one number; the account itself is well."""
FAULTS: Mapping[tuple[int, str], str] = {
    (400, "Sender missing"): "it wants a sender",
    (400, "Empty receiver"): "it was given no number",
    (403, UNAUTHORISED): "it does not accept the user and password, or not from this address",
}
"""Status and how the body begins → what it says of the account or the request; other refusals are told by number."""

LONGEST_VALIDITY = timedelta(days=2)
"""Carriers take no longer one, and some refuse what asks for more."""


def headers(credentials: Mapping[str, str], to: str, text: str, minutes: int, report_url: str) -> dict[str, str]:
    """The headers of a message whose text is the body; `minutes` after which nobody needs to be told any more."""
    return {
        **credentials,
        "X-Kannel-To": to,
        "X-Kannel-Coding": CODING[sms_size(text).encoding],
        "X-Kannel-Validity": str(minutes),
        "X-Kannel-DLR-Mask": str(WANTED),
        "X-Kannel-DLR-Url": report_url,
    }


def credentials(username: str, password: str, sender: str) -> dict[str, str]:
    """Who asks, and in whose name; the body is UTF-8."""
    return {
        "Content-Type": "text/plain; charset=UTF-8",
        "X-Kannel-Username": username,
        "X-Kannel-Password": password,
        "X-Kannel-From": sender,
    }


def report_url(callback_url: str, proof: str, broadcast: str, recipient: int) -> str:
    """Where the report on one delivery goes; Kannel fills in its status (`%d`) and when it was made (`%T`, seconds).

    `proof` is the `mac` of the delivery. A `%` that is meant as one is doubled.
    """
    fixed = {"broadcast": broadcast, "id": str(recipient), "mac": proof}
    address = f"{callback_url}?{urlencode(fixed)}".replace("%", "%%")
    return f"{address}&status=%d&at=%T"


def mac(key: str, provider: str, broadcast: str, recipient: str) -> str:
    """Shows that it was us who asked this provider for a report on this delivery."""
    said = "\n".join((provider, broadcast, recipient)).encode()
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()


def found(table: Mapping[tuple[int, str], str], status: int, body: str) -> str | None:
    """What a table says of an answer."""
    return next((words for (code, start), words in table.items() if code == status and body.startswith(start)), None)
