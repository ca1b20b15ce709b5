"""The sandbox's provider side after a call: endpoints fetch their document, and receipts go back, signed."""

from __future__ import annotations

import json
import queue
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
import structlog
from standardwebhooks import Webhook

from broadcaster import clock
from broadcaster.channels.provider import Provider
from broadcaster.channels.simulation import Reception
from broadcaster.sandbox.archive import Archive
from broadcaster.surfaces.document import milliseconds

log = structlog.get_logger()

RECEIPTS_AT_ONCE = 1000
TRIES = 5


@dataclass(frozen=True, slots=True)
class Aftermath:
    """A call that was accepted, and what still follows from it."""

    channel: str
    provider: Provider
    broadcast: str
    reception: Reception


class Clerk(threading.Thread):
    """Works through the aftermath of calls, one after the other, until the process ends."""

    def __init__(self, archive: Archive, callback_url: str) -> None:
        super().__init__(name="clerk", daemon=True)
        self._archive = archive
        self._callback_url = callback_url
        self._queue: queue.Queue[Aftermath] = queue.Queue()
        self._session = requests.Session()
        self._session.trust_env = False

    def add(self, after: Aftermath) -> None:
        """Take over what follows from a call."""
        self._queue.put(after)

    @property
    def waiting(self) -> int:
        """How many calls' aftermath is not done yet."""
        return self._queue.unfinished_tasks

    def run(self) -> None:
        """Take what waits, put receipts for the same provider together, send them."""
        while True:
            first = self._queue.get()
            taken = [first]
            while len(taken) < RECEIPTS_AT_ONCE // 100 and not self._queue.empty():
                taken.append(self._queue.get())
            try:
                self._work(taken)
            except (requests.RequestException, ValueError, KeyError) as error:
                log.warning("receipts_lost", calls=len(taken), error=type(error).__name__)
            for _ in taken:
                self._queue.task_done()

    def _work(self, taken: list[Aftermath]) -> None:
        rows: dict[tuple[str, str], tuple[Provider, list[dict[str, Any]]]] = {}
        for after in taken:
            if after.reception.document:
                self._fetch(after)
            _, of_provider = rows.setdefault((after.channel, after.provider.name), (after.provider, []))
            of_provider += _receipts(after)
        for (channel, _), (provider, of_provider) in rows.items():
            for start in range(0, len(of_provider), RECEIPTS_AT_ONCE):
                self._post(channel, provider, of_provider[start : start + RECEIPTS_AT_ONCE])

    def _fetch(self, after: Aftermath) -> None:
        answer = self._session.get(str(after.reception.document), timeout=10, allow_redirects=False)
        answer.raise_for_status()
        self._archive.keep_document(after.channel, milliseconds(clock.now()), answer.json())

    def _post(self, channel: str, provider: Provider, rows: list[dict[str, Any]]) -> None:
        body = json.dumps({"type": "receipt", "data": {"receipts": rows}})
        url = f"{self._callback_url}/callbacks/{channel}/{provider.name}"
        for attempt in range(TRIES):
            answer = self._session.post(url, data=body, headers=_signed(provider, body), timeout=10)
            if answer.ok:
                return
            log.warning("receipts_refused", status=answer.status_code, attempt=attempt)
        raise ValueError("the receipts were refused every time")


def _receipts(after: Aftermath) -> list[dict[str, Any]]:
    at = clock.now().isoformat()
    return [
        {
            "broadcast": after.broadcast,
            "id": int(exhibit.recipient),
            "status": "failed" if exhibit.recipient in after.reception.failing else "delivered",
            "at": at,
        }
        for exhibit in after.reception.exhibits
    ]


def _signed(provider: Provider, body: str) -> Mapping[str, str]:
    now, key = clock.machine_now(), uuid.uuid4().hex
    return {
        "content-type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(provider.secret).sign(key, now, body),
    }
