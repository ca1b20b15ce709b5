"""Sending a request, and reading its answer: by the connections that `requests` would use.

`requests` itself would look for cookies, hooks and redirects, which there are none of: half of a call's time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import requests
from requests.adapters import HTTPAdapter
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress

from broadcaster.channels import connections
from broadcaster.channels.answers import Received
from broadcaster.channels.connections import ConnectionPool, NeverSentError, Patience, UnsendableError
from broadcaster.channels.request import Request

CONNECT_TIMEOUT = 5.0
"""Seconds to wait for a connection."""
MOST_ADDRESSES = 500
"""Whose connections are kept open, of those that are looked up for each request."""
MOST_AT_ONCE = 16
"""Connections to one address that are kept open: as many as a batch calls endpoints at a time."""
_SAID_ANYWAY = ("accept", "accept-encoding", "connection", "content-length")
"""Headers that a connection says by itself, or by saying nothing: any type, no compression, kept open, its length."""


@dataclass(slots=True)
class _Base:
    """What is the same for every request of a method to an address; `pool` holds its connections."""

    prepared: requests.PreparedRequest
    headers: dict[str, str]
    pool: ConnectionPool | None = None


class Sender:
    """The sessions of one process: no redirects, no proxies of the environment, and if wanted no private addresses."""

    def __init__(self, *, refuse_private: bool) -> None:
        config = Config(
            ip_filter_enable=refuse_private,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=(CONNECT_TIMEOUT, 15.0),
            user_agent_override="broadcaster",
        )
        self._refuse_private = refuse_private
        self._session = Manager(config).get_session()
        self._session.trust_env = False
        for adapter in self._session.adapters.values():
            adapter.init_poolmanager(MOST_ADDRESSES, MOST_AT_ONCE)
            connections.use(adapter)
        self._bases: dict[tuple[str, str], _Base] = {}

    def address_of(self, request: Request) -> str:
        """Where a request goes, as it is understood. Raises UnsendableError when that is nowhere."""
        return self._base(request).prepared.url or ""

    def exchange(self, request: Request, patience: Patience) -> Received:
        """The whole answer to a request.

        Raises InvalidIPAddress for a private address, and what `ConnectionPool.exchange` raises.
        """
        base = self._base(request)
        pool, headers = self._connections(base)
        headers |= {name.lower(): value for name, value in request.headers.items()}
        return pool.exchange(request.method, _target(base, request), headers, request.body or None, patience)

    def _connections(self, base: _Base) -> tuple[ConnectionPool, dict[str, str]]:
        """The connections to an address, and the headers of every request to it."""
        if self._refuse_private:
            # The name is looked up and its address checked each time, and what was checked is connected to.
            checked = base.prepared.copy()
            return self._pool_of(checked), {**base.headers, "host": str(checked.headers["Host"])}
        if base.pool is None:
            base.pool = self._pool_of(base.prepared)
        return base.pool, {**base.headers}

    def _base(self, request: Request) -> _Base:
        key = request.method, request.address
        found = self._bases.get(key)
        if found is None:
            with _looking_up():
                prepared = self._session.prepare_request(requests.Request(*key))
            headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
            for name in _SAID_ANYWAY:
                headers.pop(name, None)
            found = self._bases[key] = _Base(prepared, headers)
        return found

    def _pool_of(self, prepared: requests.PreparedRequest) -> ConnectionPool:
        with _looking_up():
            adapter, verify = self._session.get_adapter(prepared.url or ""), self._session.verify
            assert isinstance(adapter, HTTPAdapter)  # noqa: S101 - there is no other kind in a session
            pool = adapter.get_connection_with_tls_context(prepared, verify)
            adapter.cert_verify(pool, prepared.url, verify, None)  # type: ignore[no-untyped-call]
        return cast("ConnectionPool", pool)


def _target(base: _Base, request: Request) -> str:
    """What is asked for at the address: path and query."""
    path = base.prepared.path_url
    try:
        return f"{path}?{query}" if (query := request.whole_query) else path
    except UnicodeError as error:
        raise UnsendableError from error


@contextmanager
def _looking_up() -> Iterator[None]:
    """What is wrong with an address, in our own words: nothing has been sent yet."""
    try:
        yield
    except InvalidIPAddress:
        raise
    except ValueError as error:  # what requests, urllib3 and the codecs have against an address are all of this kind
        raise UnsendableError from error
    except OSError as error:  # such as a name without an address; those of requests are of this kind
        raise NeverSentError from error
