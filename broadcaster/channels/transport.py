"""HTTP on the way out: signed by the Standard Webhooks scheme, on reused connections, with every failure classified.

Redirects are not followed, proxy variables are ignored, and private addresses are refused unless a setting allows them;
a checked address is the one that is connected to. Only a failure before the request was sent, or a status that says
so, counts as surely not accepted; whatever else goes wrong is ambiguous.

Source: standardwebhooks.com/spec (headers, `v1,` HMAC-SHA256 over `id.timestamp.body`, 2xx as the only success).
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress
from standardwebhooks import Webhook
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
)

from broadcaster import clock
from broadcaster.channels.provider import Provider
from broadcaster.errors import AmbiguousError, PermanentError, TransientError

CONNECT_TIMEOUT = 5.0
"""Seconds to wait for a connection."""
MAX_ANSWER_BYTES = 1_000_000

_NOT_ACCEPTED = frozenset({425, 429, 503})
_PERHAPS_ACCEPTED = frozenset({408, 409})
"""Beside every other 5xx: a gateway's own codes (522, 524) say nothing about what is behind it."""
_NEVER_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError)


class Transport:
    """Sessions of this process, one a provider host, and the rules on where they may go."""

    def __init__(self, *, allow_private: bool = False, loopback_only: bool = False) -> None:
        self._loopback_only = loopback_only
        config = Config(
            ip_filter_enable=not (allow_private or loopback_only),
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=(CONNECT_TIMEOUT, 15.0),
            user_agent_override="broadcaster",
        )
        self._session = Manager(config).get_session()
        self._session.trust_env = False

    def post_event(self, provider: Provider, key: str, kind: str, at: datetime, data: Mapping[str, Any]) -> bytes:
        """POST `{type, timestamp, data}` under the idempotency key; gives the body of a 2xx answer."""
        event = {"type": kind, "timestamp": at.isoformat(), "data": data}
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        sent_at = clock.machine_now()
        headers = {
            "content-type": "application/json; charset=utf-8",
            "webhook-id": key,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": Webhook(provider.secret).sign(key, sent_at, body),
        }
        return self._post(provider, body.encode(), headers)

    def _post(self, provider: Provider, body: bytes, headers: dict[str, str]) -> bytes:
        if self._loopback_only and not is_loopback(provider.url):
            raise PermanentError(f"{provider.name}: a rehearsal reaches loopback addresses only")
        try:
            deadline = time.monotonic() + CONNECT_TIMEOUT + provider.timeout
            timeouts = (CONNECT_TIMEOUT, provider.timeout)
            answer = self._session.post(provider.url, data=body, headers=headers, timeout=timeouts, stream=True)
            content = _read(provider, answer, deadline)
        except InvalidIPAddress:
            hint = "set `allow_private_addresses: true` in the site's configuration when that is meant"
            raise PermanentError(f"{provider.name}: its address is private", hint=hint) from None
        except (LocationParseError, UnicodeError):  # a host name that no name server takes, such as `a..b`
            raise PermanentError(f"{provider.name}: its address is not a usable URL") from None
        except requests.RequestException as error:
            raise _failure(provider, error) from error
        except HTTPError as error:
            raise AmbiguousError(f"{provider.name} broke off its answer ({type(error).__name__})") from error
        _raise_for_status(provider, answer)
        return content


def is_loopback(url: str) -> bool:
    """Whether the URL's host is written as a loopback address; a name that merely resolves to one is not."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(provider: Provider, answer: requests.Response, deadline: float) -> bytes:
    """The body, in pieces: one that drips or does not end is cut off, and the call is in doubt."""
    content = bytearray()
    while piece := answer.raw.read1(65_536, decode_content=True):
        content += piece
        if len(content) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
            answer.close()
            raise AmbiguousError(f"{provider.name} sent an answer that does not end")
    answer.close()
    return bytes(content)


def _raise_for_status(provider: Provider, answer: requests.Response) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    what = f"{provider.name} answered {status}"
    if status in _NOT_ACCEPTED:
        raise TransientError(what, retry_after=_retry_after(answer))
    if status in _PERHAPS_ACCEPTED or status >= 500:
        raise AmbiguousError(what, retry_after=_retry_after(answer))
    raise PermanentError(what)


def _retry_after(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None


def _failure(provider: Provider, error: requests.RequestException) -> TransientError | AmbiguousError | PermanentError:
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return PermanentError(f"{provider.name}: its address is not a usable URL")
    if isinstance(error, requests.exceptions.ConnectTimeout) or _was_never_sent(error):
        return TransientError(f"{provider.name} cannot be reached")
    # The exception's own text would hold the URL and perhaps a key in it: its kind is enough.
    return AmbiguousError(f"{provider.name} gave no readable answer ({type(error).__name__})")


def _was_never_sent(error: requests.RequestException) -> bool:
    if isinstance(error.__cause__, socket.gaierror):  # how the address filter says that a name has no address
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    # A certificate is looked at before anything is said; a later TLS failure proves nothing.
    refused_certificate = any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(reason))
    return refused_certificate or isinstance(reason, _NEVER_SENT)


def _chain(error: object) -> Iterator[object]:
    """An error, and whatever caused it."""
    while isinstance(error, BaseException):
        yield error
        yield from error.args
        error = error.__cause__ or error.__context__
