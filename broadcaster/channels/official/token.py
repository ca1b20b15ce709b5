"""Access tokens: one an account, shared by all workers through the shelf, fetched by one of them at a time.

`stable_token` gives every caller the same token while it lasts, so that fetching it throws nobody out. Only a forced
refresh does: at most 20 a day and one in 30 seconds. It is asked for when the platform gives a token and refuses it.
"""

from __future__ import annotations

import time

from broadcaster.channels.official import wire
from broadcaster.channels.official.exchange import post, unseen
from broadcaster.channels.official.options import appid_of
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.errors import PermanentError, TransientError

FETCHING_SECONDS = 10.0
"""For how long one worker may be fetching, and the others wait for what it fetches."""
LOOK_EVERY = 0.05
SPARE_SECONDS = 120
"""A token is not used for the last part of its life, so that it does not end between two requests of a call."""
FEWEST_SECONDS = 10


class Tokens:
    """The token of one account."""

    def __init__(self, provider: Provider, transport: Transport) -> None:
        self._provider = provider
        self._transport = transport
        self._appid = appid_of(provider)
        self._name = f"wechat token {provider.name} {self._appid}"

    def current(self, refused: str | None = None) -> str:
        """A token; another than the one that was `refused`. Raises a DeliveryError when there is none to be had."""
        until = time.monotonic() + FETCHING_SECONDS
        while time.monotonic() < until:
            known = self._transport.shelf.get(self._name)
            if known and known != refused:
                return known
            if self._transport.shelf.claim(self._name, FETCHING_SECONDS):
                return self._fetch_alone(refused)
            time.sleep(LOOK_EVERY)
        raise TransientError(f"{self._provider.name}: another worker is fetching its access token", retry_after=1)

    def _fetch_alone(self, refused: str | None) -> str:
        """Fetch it while nobody else does; whoever had the claim just before may have fetched it."""
        try:
            known = self._transport.shelf.get(self._name)
            if known and known != refused:
                return known
            found = self._fetch(force=False)
            return self._fetch(force=True) if found == refused else found
        finally:
            self._transport.shelf.release(self._name)

    def _fetch(self, *, force: bool) -> str:
        payload = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": self._provider.secret,
            "force_refresh": force,
        }
        with unseen():
            said = post(self._provider, self._transport, wire.STABLE_TOKEN, payload)
            if said.code == wire.WRONG_SECRET_TOO:
                raise PermanentError(f"{self._provider.name}: {wire.CODES[wire.WRONG_SECRET].words} ({said.code})")
            said.check()
            token, seconds = said.text("access_token"), said.number("expires_in")
        self._transport.shelf.put(self._name, token, max(FEWEST_SECONDS, seconds - SPARE_SECONDS))
        return token
