"""The postman: brings the callbacks of stand-ins to the product, one after the other, again when nobody takes one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import requests
import structlog

from broadcaster.channels.callback import Callback
from broadcaster.channels.provider import Provider
from broadcaster.sandbox.agenda import Agenda

log = structlog.get_logger()

TRIES = 40
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A callback on its way, made anew for each attempt."""

    provider: Provider
    make: Callable[[], Callback]
    tries: int = 0


class Postman(threading.Thread):
    """Works through letters in the order in which they are due, until the process ends."""

    def __init__(self) -> None:
        super().__init__(name="postman", daemon=True)
        self._agenda = Agenda[Letter]()
        self._session = requests.Session()
        self._session.trust_env = False

    def add(self, letter: Letter, delay: float = 0.0) -> None:
        """Bring it in so many seconds."""
        self._agenda.add(letter, delay)

    def deliver_now(self, letter: Letter) -> None:
        """Bring it before this returns; later, when that fails."""
        if not self._deliver(letter):
            self.add(replace(letter, tries=1), RETRY_SECONDS)

    @property
    def waiting(self) -> int:
        """How many are still on their way."""
        return self._agenda.waiting

    def run(self) -> None:
        """Take what is due, bring it, and put back what nobody took."""
        while True:
            for letter in self._agenda.take():
                if not self._deliver(letter):
                    self._again(letter)
                self._agenda.done()

    def _again(self, letter: Letter) -> None:
        if letter.tries < TRIES:
            self.add(replace(letter, tries=letter.tries + 1), RETRY_SECONDS)
        else:
            log.warning("callback_lost", provider=letter.provider.name)

    def _deliver(self, letter: Letter) -> bool:
        """Whether somebody took it, or refused it for good."""
        callback = letter.make()
        try:
            answer = self._session.request(
                callback.method,
                letter.provider.callback_url,
                params=dict(callback.query),
                headers=dict(callback.headers),
                data=callback.body,
                timeout=10,
            )
        except requests.RequestException:
            return False
        if 400 <= answer.status_code < 500:
            log.warning("callback_refused", provider=letter.provider.name, status=answer.status_code)
        return answer.status_code < 500
