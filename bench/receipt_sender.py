"""Signed receipts on their way back to the product, in bulk."""

from __future__ import annotations

import queue
import re
import threading
import uuid
from datetime import UTC, datetime

import requests
from standardwebhooks import Webhook

RECEIPTS_AT_ONCE = 1000
"""In one request; some 110 kB."""
TRIES = 20

_ID = re.compile(rb'"id":"?(\d+)')
_BROADCAST = re.compile(rb'"broadcast":"([^"]+)"')


class ReceiptSender(threading.Thread):
    """Reads who is in a call and says of each that the message was delivered."""

    def __init__(self, url: str, secret: str) -> None:
        super().__init__(name="receipts", daemon=True)
        self.sent = 0
        """Receipts that were taken."""
        self._url = url
        self._webhook = Webhook(secret)
        self._queue: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._session = requests.Session()
        self._session.trust_env = False

    def add(self, call: bytes) -> None:
        """Take over a call's body."""
        self._queue.put(call)

    def run(self) -> None:
        """Until the process ends: put together what waits, up to a request's worth, and send it."""
        while True:
            rows = rows_of(self._queue.get())
            while len(rows) < RECEIPTS_AT_ONCE and not self._queue.empty():
                rows += rows_of(self._queue.get())
            for start in range(0, len(rows), RECEIPTS_AT_ONCE):
                self.post(rows[start : start + RECEIPTS_AT_ONCE])

    def post(self, rows: list[bytes]) -> None:
        """Send receipts, again when they are not taken."""
        body = b'{"type":"receipt","data":{"receipts":[' + b",".join(rows) + b"]}}"
        for _ in range(TRIES):
            answer = self._session.post(self._url, data=body, headers=self._signed(body), timeout=60)
            if answer.ok:
                self.sent += len(rows)
                return
        raise RuntimeError(f"the receipts were refused: {answer.status_code}")

    def _signed(self, body: bytes) -> dict[str, str]:
        now, key = datetime.now(UTC), uuid.uuid4().hex
        return {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(key, now, body.decode()),
        }


def rows_of(call: bytes) -> list[bytes]:
    """A receipt for each member of a call, as JSON."""
    found = _BROADCAST.search(call)
    if found is None:
        return []
    at = datetime.now(UTC).isoformat().encode()
    start = b'{"broadcast":"' + found[1] + b'","id":'
    end = b',"status":"delivered","at":"' + at + b'"}'
    return [start + id_ + end for id_ in _ID.findall(call)]
