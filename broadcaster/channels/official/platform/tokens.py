"""Access tokens as `stable_token` gives them, in machine time."""

from __future__ import annotations

import secrets
import time
from typing import Any

from broadcaster.channels.official.options import appid_of
from broadcaster.channels.official.platform.refusal import RefusedError
from broadcaster.channels.provider import Provider

LIFE = 7200
RENEWED_BEFORE = 300
"""Seconds before its end from which on the normal mode gives the next token; meanwhile both are good."""
FORCED_A_DAY = 20
FORCED_APART = 30.0
_DAY = 86_400.0


class TokenOffice:
    """Gives out the tokens of one account, and knows them."""

    def __init__(self, provider: Provider) -> None:
        self._appid = appid_of(provider)
        self._secret = provider.secret
        self._ends: dict[str, float] = {}
        self._newest = ""
        self._forced: list[float] = []
        self.whitelisted = True

    def give(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The token of now."""
        self._check_credentials(payload)
        now = time.monotonic()
        if payload.get("force_refresh"):
            self._count_forced(now)
            self._ends.clear()
        if self._ends.get(self._newest, 0.0) - now <= RENEWED_BEFORE:
            self._newest = f"{len(self._ends)}_{secrets.token_urlsafe(96)}"
            self._ends[self._newest] = now + LIFE
        return {"access_token": self._newest, "expires_in": int(self._ends[self._newest] - now)}

    def check(self, token: str) -> None:
        """Refuse what is no token, or none any more."""
        if not token:
            raise RefusedError(41001, "access_token missing")
        ends = self._ends.get(token)
        if ends is None:
            raise RefusedError(40001, "invalid credential, access_token is invalid or not latest")
        if ends <= time.monotonic():
            raise RefusedError(42001, "access_token expired")
        self._check_address()

    def revoke(self) -> None:
        """Let every token be none any more, as when somebody else forces a refresh."""
        self._ends.clear()

    def expire(self) -> None:
        """Let every token's life be over."""
        self._ends = dict.fromkeys(self._ends, 0.0)

    def _check_credentials(self, payload: dict[str, Any]) -> None:
        if payload.get("grant_type") != "client_credential":
            raise RefusedError(40002, "invalid grant_type")
        if payload.get("appid") != self._appid:
            raise RefusedError(40013, "invalid appid")
        if payload.get("secret") != self._secret:
            raise RefusedError(40125, "invalid appsecret")
        self._check_address()

    def _check_address(self) -> None:
        if not self.whitelisted:
            raise RefusedError(40164, "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist")

    def _count_forced(self, now: float) -> None:
        self._forced = [at for at in self._forced if now - at < _DAY]
        if len(self._forced) >= FORCED_A_DAY:
            raise RefusedError(45009, "reach max api daily quota limit")
        if self._forced and now - self._forced[-1] < FORCED_APART:
            raise RefusedError(45011, "api minute-quota reach limit, must slower, retry next minute")
        self._forced.append(now)
