"""HTTP on the way out: on reused connections, with every failure classified.

Our own format is signed by the Standard Webhooks scheme: a call is a POST, a question about one a GET under the call's
key, whose failure says nothing about the call. Suppliers with formats of their own use `exchange`.

Redirects are not followed, proxy variables are ignored, and private addresses are refused unless a setting allows them;
a checked address is the one that is connected to. Only a failure before the request was sent, or a status that says
so, counts as surely not accepted; whatever else goes wrong is ambiguous.

Source: standardwebhooks.com/spec (headers, `v1,` HMAC-SHA256 over `id.timestamp.body`, 2xx as the only success).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any

import orjson
from requests_hardened.ip_filter import InvalidIPAddress
from standardwebhooks import Webhook
from urllib3.exceptions import HTTPError

from broadcaster import clock
from broadcaster.channels.addresses import is_loopback
from broadcaster.channels.answers import EndlessAnswerError
from broadcaster.channels.connections import NeverSentError, Patience, UnsendableError
from broadcaster.channels.provider import Provider
from broadcaster.channels.request import Request as Request  # noqa: PLC0414 - also a word of this module
from broadcaster.channels.sending import CONNECT_TIMEOUT as CONNECT_TIMEOUT  # noqa: PLC0414 - likewise
from broadcaster.channels.sending import Sender
from broadcaster.channels.shelf import OwnShelf, Shelf
from broadcaster.errors import AmbiguousError, PermanentError, TransientError

FRESH = timedelta(seconds=2)
"""A signature that was refused when it was older than this may have been refused for its age."""
STALE = timedelta(minutes=5)
"""How long after it was written down a call may still be made: as long as our own format's signature holds."""

_NOT_ACCEPTED = frozenset({425, 429, 503})
_PERHAPS_ACCEPTED = frozenset({408, 409})
"""Beside every other 5xx: a gateway's own codes (522, 524) say nothing about what is behind it."""


class Transport:
    """The connections of this process, and the rules on where they may go."""

    def __init__(self, *, allow_private: bool = False, loopback_only: bool = False, shelf: Shelf | None = None) -> None:
        self._loopback_only = loopback_only
        self.shelf: Shelf = shelf or OwnShelf()
        """What the workers of a provider share, such as its access token."""
        self._made_at: datetime | None = None
        self._sender = Sender(refuse_private=not (allow_private or loopback_only))

    def dated(self, at: datetime) -> Transport:
        """The same connections, with every signature dated `at`, machine time: when the call was written down.

        Receivers refuse a signature that is too old. So what a frozen worker sends late is not accepted any more, and a
        "not found" that is older than that stays true.
        """
        found = copy.copy(self)
        found._made_at = at
        return found

    @property
    def made_at(self) -> datetime:
        """When what is signed now was written down, machine time: the date of its signature."""
        return self._made_at or clock.machine_now()

    def refuse_what_is_old(self, provider: Provider, after: timedelta = STALE) -> None:
        """Raise TransientError when what is sent now was written down long ago, by a worker that was frozen since.

        For a format in which nothing is dated, so that nobody at the other end refuses it.
        """
        if clock.machine_now() - self.made_at > after:
            raise TransientError(f"{provider.name}: the call was written down too long ago to be made")

    def exchange(self, provider: Provider, request: Request) -> Answer:
        """One request in a supplier's own format, and its whole answer, whatever its status.

        Raises TransientError when the request was surely not sent, AmbiguousError when no whole answer came, and
        PermanentError when the address is refused.
        """
        return self._exchange(provider, request)

    def post_event(
        self,
        provider: Provider,
        key: str,
        kind: str,
        at: datetime,
        data: Mapping[str, Any] | orjson.Fragment,
        check: Check | None = None,
    ) -> bytes:
        """POST `{type, timestamp, data}` under the idempotency key; gives the body of a 2xx answer.

        `data` may be written as JSON already. `check` raises what any other answer means; `raise_for_status` when it
        is None.
        """
        sent_at = self.made_at
        headers, body = self.signed_event(provider, key, kind, at, data)
        answer = self._exchange(provider, Request("POST", provider.url, headers, body))
        (check or raise_for_status)(provider, answer, clock.machine_now() - sent_at)
        return answer.body

    def signed_event(
        self, provider: Provider, key: str, kind: str, at: datetime, data: Mapping[str, Any] | orjson.Fragment
    ) -> tuple[dict[str, str], bytes]:
        """The headers and the body of an event as `post_event` sends it."""
        body = orjson.dumps({"type": kind, "timestamp": at.isoformat(), "data": data})
        signed = _signed(provider, key, self.made_at, body.decode())
        return {"content-type": "application/json; charset=utf-8", **signed}, body

    def get_event(self, provider: Provider, key: str) -> bytes | None:
        """Ask what became of the call under `key`; gives the answer that it got, None when it was never seen.

        `GET <url>?webhook-id=KEY`, signed over an empty body. Raises TransientError or AmbiguousError when there is no
        usable answer, whatever the reason: an unanswered question says nothing about the call.
        """
        headers = {"cache-control": "no-store", **_signed(provider, key, clock.machine_now(), "")}
        try:
            question = Request("GET", provider.url, headers, query={"webhook-id": key})
            answer = self._exchange(provider, question)
        except PermanentError as error:
            raise AmbiguousError(error.message, hint=error.hint) from error
        if answer.status in _NOT_ACCEPTED:
            raise TransientError(f"{provider.name} answered {answer.status}", retry_after=answer.retry_after)
        if answer.status == 404 and _names(answer.body, key):
            return None
        if answer.status == 200 and answer.body.lstrip().startswith(b"{"):
            return answer.body
        raise AmbiguousError(f"{provider.name} did not answer a question about a call ({answer.status})")

    def get_page(self, name: str, url: str, timeout: float) -> bytes:
        """What the public gets at an address, caches included; `name` is what it is called, `timeout` in seconds.

        Raises a DeliveryError when nothing is to be had there; anything but 200 is nothing.
        """
        whose = Provider(name, url, secret="", timeout=timeout)
        answer = self._exchange(whose, Request("GET", url))
        if answer.status != 200:
            raise TransientError(f"{name} answered {answer.status}")
        return answer.body

    def _exchange(self, provider: Provider, request: Request) -> Answer:
        """One request and its whole answer, whatever its status; raises what is known when there is none."""
        name = provider.name
        # Nothing is raised from a library's own error, which may quote the whole address, and some hold keys or phones.
        try:
            if self._loopback_only and not is_loopback(self._sender.address_of(request)):
                raise PermanentError(f"{name}: a rehearsal reaches loopback addresses only")
            answer = self._sender.exchange(request, patience(provider))
        except InvalidIPAddress:
            hint = "set `allow_private_addresses: true` in the site's configuration when that is meant"
            raise PermanentError(f"{name}: its address is private", hint=hint) from None
        except UnsendableError:
            raise PermanentError(f"{name}: its address is not a usable URL, or a header cannot be sent") from None
        except NeverSentError:
            raise TransientError(f"{name} cannot be reached") from None
        except EndlessAnswerError:
            raise AmbiguousError(f"{name} sent an answer that does not end") from None
        except (OSError, HTTPException, HTTPError) as error:
            raise AmbiguousError(f"{name} gave no readable answer ({type(error).__name__})") from None
        return Answer(answer.status, answer.body, _retry_after(answer.headers))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was read; `retry_after` in seconds."""

    status: int
    body: bytes
    retry_after: float | None


def patience(provider: Provider) -> Patience:
    """How long a request to a provider may take."""
    return Patience(CONNECT_TIMEOUT, provider.timeout, CONNECT_TIMEOUT + provider.timeout)


Check = Callable[[Provider, Answer, timedelta], None]
"""Raises what an answer means when it is no success; the last is the age of the request's signature."""


def _signed(provider: Provider, key: str, at: datetime, body: str) -> dict[str, str]:
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(key, at, body) for secret in provider.signing),
    }


def _names(body: bytes, key: str) -> bool:
    """Whether a "not found" is about this call: a router that knows no such address answers 404 as well."""
    try:
        return bool(json.loads(body)["webhook-id"] == key)
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def raise_for_status(provider: Provider, answer: Answer, age: timedelta = timedelta(0)) -> None:
    """Say what a status means for the call; `age` is that of its signature, where one that is too old gets a 401."""
    status = answer.status
    if 200 <= status < 300:
        return
    what = f"{provider.name} answered {status}"
    if status in _NOT_ACCEPTED or (status == 401 and age > FRESH):
        raise TransientError(what, retry_after=answer.retry_after)
    if status in _PERHAPS_ACCEPTED or status >= 500:
        raise AmbiguousError(what, retry_after=answer.retry_after)
    raise PermanentError(what)


def _retry_after(headers: Message) -> float | None:
    """Seconds for which the other end asks to be left alone, given as such or as the instant at which they are over.

    Source: RFC 9110, sections 10.2.3 and 5.6.7 (three forms of a date, all of them in GMT).
    """
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - clock.machine_now()).total_seconds())
