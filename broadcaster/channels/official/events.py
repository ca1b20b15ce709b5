"""What the platform sends of its own accord: that a mass send, a publication or a template message is over, and how.

Source: developers.weixin.qq.com, 事件推送群发结果, 发布能力 (PUBLISHJOBFINISH), 模板消息 (TEMPLATESENDJOBFINISH),
接入指南 (signature, echostr). An account has one address for all of them; each channel hears those that are about it.
The plain mode signs only token, time and nonce: whoever saw one address can send anything for five minutes. An account
with an EncodingAESKey is believed in the safe mode only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from broadcaster import clock
from broadcaster.channels.callback import TEXT, Callback, ForgedError, Heard, Receipt, ReceiptStatus
from broadcaster.channels.official import wire
from broadcaster.channels.official.crypto import UnsealedError, is_signed, unseal, wrong_key
from broadcaster.channels.official.options import AES_KEY, CALLBACK_TOKEN, appid_of
from broadcaster.channels.official.xml import RefusedXmlError, fields
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import Hear
from broadcaster.errors import InputError

HOLDS_FOR = timedelta(minutes=5)
"""How old a signed request may be, or ahead of us."""
ANSWER = b"success"
MASS_FINISHED = "MASSSENDJOBFINISH"
PUBLISH_FINISHED = "PUBLISHJOBFINISH"
TEMPLATE_FINISHED = "TEMPLATESENDJOBFINISH"
_SENT = frozenset({"send success", "sendsuccess"})
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Ending:
    """An event that says how something ended: where it names what, and what it says of it."""

    references: tuple[str, ...]
    status: Callable[[Mapping[str, str]], ReceiptStatus | None]
    address: str = ""
    """Where it names the recipient; empty: that is the account itself."""


Endings = Mapping[str, Ending]
"""By the names of their events."""


def hears(endings: Endings) -> Hear:
    """Hears the receipt of an event that is one of these; others are taken and say nothing.

    A GET proves that this address is ours."""

    def hear(callback: Callback, provider: Provider) -> Heard:
        _check_signature(callback, provider)
        if callback.method == "GET":
            return Heard((), callback.query.get("echostr", "").encode(), TEXT)
        event = _read(_opened(callback, provider))
        found = _receipt(endings, event, provider)
        return Heard(() if found is None else (found,), ANSWER, TEXT)

    return hear


def _check_signature(callback: Callback, provider: Provider) -> None:
    query, token = callback.query, provider.secrets.get(CALLBACK_TOKEN, "")
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not token or not is_signed(query.get("signature", ""), token, timestamp, nonce):
        raise ForgedError
    if not _is_time(timestamp) or abs(clock.machine_now() - datetime.fromtimestamp(int(timestamp), UTC)) > HOLDS_FOR:
        raise ForgedError


def _opened(callback: Callback, provider: Provider) -> bytes:
    """The event's XML: the body itself, or what is sealed in it where the account has a key."""
    key = provider.secrets.get(AES_KEY)
    if key is None:
        return callback.body
    if wrong := wrong_key(key):
        raise InputError.one(f"the secret {AES_KEY!r} cannot be used: {wrong}")
    sealed, query = _read(callback.body).get("Encrypt", ""), callback.query
    words = (provider.secrets[CALLBACK_TOKEN], query.get("timestamp", ""), query.get("nonce", ""), sealed)
    if not is_signed(query.get("msg_signature", ""), *words):
        raise ForgedError
    try:
        return unseal(key, appid_of(provider), sealed)
    except UnsealedError:
        raise ForgedError from None


def _read(body: bytes) -> dict[str, str]:
    try:
        return fields(body)
    except RefusedXmlError as error:
        raise InputError.one(f"an event cannot be read: {error}") from None


def _receipt(endings: Endings, event: dict[str, str], provider: Provider) -> Receipt | None:
    """What an event says of a delivery; None when it is about something else, or nothing is decided."""
    known = endings.get(event.get("Event", ""))
    if known is None:
        return None
    references, status = [event[name] for name in known.references if event.get(name)], known.status(event)
    if status is None or not references:
        return None
    address = event.get(known.address, "") if known.address else provider.name
    return Receipt("", 0, status, _at(event), address, "\n".join(references))


def _mass_status(event: Mapping[str, str]) -> ReceiptStatus:
    """Sent, if to anybody: those who have had their four this month are filtered out, and may be all there are."""
    nobody = event.get("SentCount") == "0"
    sent = event.get("Status", "").lower() in _SENT and not nobody
    return ReceiptStatus.DELIVERED if sent else ReceiptStatus.FAILED


def _publish_status(event: Mapping[str, str]) -> ReceiptStatus | None:
    status = event.get("publish_status", "")
    if status == str(wire.PUBLISHING):
        return None
    return ReceiptStatus.DELIVERED if status == str(wire.PUBLISHED) else ReceiptStatus.FAILED


def _template_status(event: Mapping[str, str]) -> ReceiptStatus:
    """`success`, or `failed:user block` (they take no messages of the account) or `failed: system failed`."""
    return ReceiptStatus.DELIVERED if event.get("Status", "").strip() == "success" else ReceiptStatus.FAILED


ARTICLES: Endings = {
    MASS_FINISHED: Ending(("MsgID",), _mass_status),
    # A publication that was found by asking is known by its article alone.
    PUBLISH_FINISHED: Ending(("publish_id", "article_id"), _publish_status),
}
TEMPLATES: Endings = {TEMPLATE_FINISHED: Ending(("MsgID",), _template_status, "FromUserName")}


def _at(event: Mapping[str, str]) -> datetime:
    """When it happened; never later than now, whatever the platform's clock says."""
    now, said = clock.now(), event.get("CreateTime", "")
    return min(datetime.fromtimestamp(int(said), UTC), now) if _is_time(said) else now


def _is_time(said: str) -> bool:
    """Whether it counts seconds since 1970, in as many digits as they have until 2286."""
    return said.isascii() and said.isdecimal() and len(said) <= _DIGITS
