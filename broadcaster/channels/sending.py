"""Sending a request, and reading the head of its answer: by the connections that `requests` would use.

`requests` itself would look for cookies, hooks and redirects, which there are none of: half of a call's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import requests
from requests.adapters import HTTPAdapter
from requests_hardened import Config, Manager
from urllib3 import HTTPConnectionPool
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout

from broadcaster.channels.in_one_piece import send_in_one_piece
from broadcaster.channels.request import Request

CONNECT_TIMEOUT = 5.0
"""Seconds to wait for a connection."""
MOST_ADDRESSES = 500
"""Whose connections are kept open."""
MOST_AT_ONCE = 16
"""Connections to one address that are kept open: as many as a batch calls endpoints at a time."""


@dataclass(slots=True)
class _Base:
    """What is the same for every request to an address; `pool` holds its connections."""

    prepared: requests.PreparedRequest
    headers: dict[str, str]
    pool: HTTPConnectionPool | None = None


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
            # One that is closed while somebody is about to call through it leaves them in doubt.
            adapter.init_poolmanager(MOST_ADDRESSES, MOST_AT_ONCE)
            send_in_one_piece(adapter)
        self._bases: dict[tuple[str, str], _Base] = {}

    def address_of(self, request: Request) -> str:
        """Where a request goes, as it is understood; raises what `requests` raises when that is nowhere."""
        return self._base(request).prepared.url or ""

    def send(self, request: Request, timeout: Timeout) -> BaseHTTPResponse:
        """The answer of which only the head is read; raises what `requests` and urllib3 raise."""
        base = self._base(request)
        pool, headers = self._connections(base)
        path = base.prepared.path_url
        if query := request.asked:
            path = f"{path}?{query}"
        body = request.body if request.method != "GET" or request.body else None
        if body is not None:
            headers["content-length"] = str(len(body))
        headers |= {name.lower(): value for name, value in request.headers.items()}
        answer: BaseHTTPResponse = pool.urlopen(
            request.method,
            path,
            body,
            headers,
            retries=self._adapter_of(base.prepared).max_retries,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )
        return answer

    def _connections(self, base: _Base) -> tuple[HTTPConnectionPool, dict[str, str]]:
        """The connections to an address, and the headers of every request to it."""
        if self._refuse_private:
            # The name is looked up and its address checked each time, and what was checked is connected to.
            asked = base.prepared.copy()
            return self._pool_of(asked), {**base.headers, "host": str(asked.headers["Host"])}
        if base.pool is None or base.pool.pool is None:  # not yet, or closed in favour of other addresses
            base.pool = self._pool_of(base.prepared)
        return base.pool, {**base.headers}

    def _base(self, request: Request) -> _Base:
        key = request.method, request.address
        found = self._bases.get(key)
        if found is None:
            prepared = self._session.prepare_request(requests.Request(*key))
            headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
            found = self._bases[key] = _Base(prepared, headers)
        return found

    def _pool_of(self, prepared: requests.PreparedRequest) -> HTTPConnectionPool:
        adapter, verify = self._adapter_of(prepared), self._session.verify
        pool = cast("HTTPConnectionPool", adapter.get_connection_with_tls_context(prepared, verify))
        adapter.cert_verify(pool, prepared.url, verify, None)  # type: ignore[no-untyped-call]
        return pool

    def _adapter_of(self, prepared: requests.PreparedRequest) -> HTTPAdapter:
        found = self._session.get_adapter(prepared.url or "")
        assert isinstance(found, HTTPAdapter)  # noqa: S101 - there is no other kind in a session
        return found
