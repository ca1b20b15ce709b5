"""Signed calls of the arms that send without the product: the same request that its SMS adapter makes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import requests
from standardwebhooks import Webhook


class Caller:
    """Posts calls on kept connections; `requests` as it is, without the checks of the product's transport."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._webhook = Webhook(secret)
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, key: str, broadcast: str, members: Sequence[Mapping[str, str]]) -> None:
        """Make one call; raises requests.RequestException when it is not taken."""
        now = datetime.now(UTC)
        event = {"type": "sms.send", "timestamp": now.isoformat(), "data": {"broadcast": broadcast, "to": members}}
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        headers = {
            "content-type": "application/json; charset=utf-8",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(key, now, body),
        }
        self._session.post(self._url, data=body.encode(), headers=headers, timeout=30).raise_for_status()


def member(recipient_id: int, phone: str, language: str, text: str) -> dict[str, str]:
    """A recipient of a call with a text of their own."""
    return {"id": str(recipient_id), "phone": phone, "language": language, "text": text}
