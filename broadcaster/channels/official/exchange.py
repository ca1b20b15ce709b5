"""One request to the platform, and what it said: raw UTF-8 JSON both ways, a status of 200 with an error inside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from broadcaster.channels.official import wire
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Request, Transport, raise_for_status
from broadcaster.errors import AmbiguousError, PermanentError, TransientError

MOST = 2**53
"""The largest number that every reader of JSON reads alike (RFC 8259, section 6)."""
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the platform to one account."""

    account: str
    fields: Mapping[str, Any]

    @property
    def code(self) -> int:
        """Its return code; 0 is success, and so is none."""
        found = self.fields.get("errcode", 0)
        if isinstance(found, bool) or not isinstance(found, int):
            raise self._unreadable()
        return found

    def check(self) -> None:
        """Raise what a return code means. Of the platform's own words none are repeated: they may hold anything."""
        if self.code == 0:
            return
        known = wire.CODES.get(self.code)
        if known is None and self.code < 0:  # the platform's own troubles have such codes: it may be done all the same
            raise AmbiguousError(f"{self.account}: the platform has a trouble that is not known ({self.code})")
        if known is None:
            raise PermanentError(f"{self.account}: the platform refuses it with a code that is not known ({self.code})")
        message = f"{self.account}: {known.words} ({self.code})"
        if issubclass(known.error, PermanentError):
            raise known.error(message, hint=self._hint())
        raise known.error(message, retry_after=known.retry_after)

    def text(self, name: str) -> str:
        """A field that must be there, as text."""
        found = self.fields.get(name)
        if isinstance(found, bool) or not isinstance(found, (str, int)) or found == "":
            raise self._unreadable()
        return str(found)

    def perhaps(self, name: str) -> str:
        """A field as text; empty when it is not there, or is no text."""
        found = self.fields.get(name)
        return "" if isinstance(found, bool) or not isinstance(found, (str, int)) else str(found)

    def number(self, name: str) -> int:
        """A field that must be a number, and not beyond all that one can mean."""
        found = self.fields.get(name)
        if isinstance(found, bool) or not isinstance(found, int) or abs(found) > MOST:
            raise self._unreadable()
        return found

    def rows(self, name: str) -> list[dict[str, Any]]:
        """A list of objects; empty when there is none."""
        found = self.fields.get(name) or []
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise self._unreadable()
        return found

    def _hint(self) -> str | None:
        """Which address to put on the whitelist, where the platform says which one it saw."""
        if self.code != wire.NOT_WHITELISTED:
            return None
        seen = _ADDRESS.search(str(self.fields.get("errmsg", "")))
        return f"add {seen.group()} to the IP whitelist of the account" if seen else None

    def _unreadable(self) -> AmbiguousError:
        return AmbiguousError(f"{self.account} answered something that cannot be read")


def post(
    provider: Provider,
    transport: Transport,
    path: str,
    payload: Mapping[str, Any] | bytes,
    query: Mapping[str, str] | None = None,
    media_type: str = "application/json; charset=utf-8",
) -> Said:
    """POST a payload, or a body that is ready; gives what a 2xx answer says, whatever its return code."""
    # The platform takes \u escapes for six characters each, or refuses them.
    body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    headers = {"content-type": media_type}
    return _said(provider, transport, Request("POST", _address(provider, path), headers, body, query or {}))


def get(provider: Provider, transport: Transport, path: str, query: Mapping[str, str]) -> Said:
    """GET what the platform lists; gives what a 2xx answer says, whatever its return code."""
    return _said(provider, transport, Request("GET", _address(provider, path), query=query))


def _address(provider: Provider, path: str) -> str:
    return f"{provider.url.rstrip('/')}{path}"


def _said(provider: Provider, transport: Transport, request: Request) -> Said:
    answer = transport.exchange(provider, request)
    raise_for_status(provider, answer)
    try:
        fields = json.loads(answer.body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise AmbiguousError(f"{provider.name} answered something that cannot be read")
    return Said(provider.name, fields)


@contextmanager
def unseen() -> Iterator[None]:
    """Requests that show nothing to the public: whatever becomes of them, surely nobody saw the call yet."""
    try:
        yield
    except AmbiguousError as error:
        raise TransientError(error.message, hint=error.hint, retry_after=error.retry_after) from error
