"""The sandbox's provider side after a call: endpoints fetch their document, and receipts go back, signed."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import requests
import structlog
from standardwebhooks import Webhook

from broadcaster import clock
from broadcaster.channels.provider import Provider
from broadcaster.channels.simulation import Reception
from broadcaster.sandbox.agenda import Agenda
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.onlookers import look

log = structlog.get_logger()

RECEIPTS_AT_ONCE = 1000
CALLS_AT_ONCE = 10
TRIES = 40
RETRY_SECONDS = 1.0
"""A provider keeps a receipt that nobody took, and brings it again."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """A call that was accepted, and what still follows from it."""

    channel: str
    provider: Provider
    broadcast: str
    reception: Reception
    shuffled: bool = False
    """Whether its receipts come in another order."""
    tries: int = 0


class Clerk(threading.Thread):
    """Works through the aftermath of calls, one after the other, until the process ends."""

    def __init__(self, archive: Archive, callback_url: str) -> None:
        super().__init__(name="clerk", daemon=True)
        self._archive = archive
        self._callback_url = callback_url
        self._agenda = Agenda[Aftermath]()

    def add(self, after: Aftermath, delays: Sequence[float] = (0.0,)) -> None:
        """Take over what follows from a call: once for each delay, in seconds."""
        for delay in delays:
            self._agenda.add(after, delay)

    def see_to(self, after: Aftermath) -> None:
        """Do what follows from a call at once; later, when it fails."""
        try:
            with _session() as session:
                self._work(session, [after])
        except (requests.RequestException, ValueError, KeyError):
            self.add(after, (RETRY_SECONDS,))

    @property
    def waiting(self) -> int:
        """How many calls' aftermath is not done yet."""
        return self._agenda.waiting

    def run(self) -> None:
        """Take what is due, put receipts for the same provider together, send them."""
        session = _session()
        while True:
            taken = self._agenda.take(CALLS_AT_ONCE)
            try:
                self._work(session, taken)
            except requests.RequestException as error:
                self._again(taken, error)
            except (ValueError, KeyError) as error:
                log.warning("receipts_lost", calls=len(taken), error=type(error).__name__)
            self._agenda.done(len(taken))

    def _again(self, taken: list[Aftermath], error: requests.RequestException) -> None:
        left = [after for after in taken if after.tries < TRIES]
        for after in left:
            self.add(replace(after, tries=after.tries + 1), (RETRY_SECONDS,))
        log.warning("receipts_refused", calls=len(left), lost=len(taken) - len(left), error=type(error).__name__)

    def _work(self, session: requests.Session, taken: list[Aftermath]) -> None:
        rows: dict[tuple[str, str], tuple[Provider, list[dict[str, Any]]]] = {}
        for after in taken:
            if after.reception.document:
                look(session, self._archive, after.channel, after.reception.document, after.provider.name)
            _, of_provider = rows.setdefault((after.channel, after.provider.name), (after.provider, []))
            of_provider += _receipts(after)
        for (channel, _), (provider, of_provider) in rows.items():
            for start in range(0, len(of_provider), RECEIPTS_AT_ONCE):
                self._post(session, channel, provider, of_provider[start : start + RECEIPTS_AT_ONCE])

    def _post(self, session: requests.Session, channel: str, provider: Provider, rows: list[dict[str, Any]]) -> None:
        body = json.dumps({"type": "receipt", "data": {"receipts": rows}})
        url = f"{self._callback_url}/callbacks/{channel}/{provider.name}"
        answer = session.post(url, data=body, headers=_signed(provider, body), timeout=10)
        if 400 <= answer.status_code < 500:
            raise ValueError("the receipts were refused, and would be refused again")
        answer.raise_for_status()


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _receipts(after: Aftermath) -> list[dict[str, Any]]:
    at = clock.now().isoformat()
    rows = [
        {
            "broadcast": after.broadcast,
            "id": int(exhibit.recipient),
            "status": "failed" if exhibit.recipient in after.reception.failing else "delivered",
            "at": at,
        }
        for exhibit in after.reception.exhibits
    ]
    if after.shuffled:
        random.shuffle(rows)
    return rows


def _signed(provider: Provider, body: str) -> Mapping[str, str]:
    now, key = clock.machine_now(), uuid.uuid4().hex
    return {
        "content-type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(provider.secret).sign(key, now, body),
    }
