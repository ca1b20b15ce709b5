"""Connections to one address: a request goes out in one piece, and its answer is read to its end.

They stand on urllib3's pools, which know about names, TLS and connections that were closed meanwhile, and speak HTTP by
the standard library that urllib3 speaks by. `urlopen`, in between, is left out: it is made for retries and redirects,
which there are none of, and of its failures only the kind tells whether anything was sent before. Here the step that
failed tells it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection as PlainHTTP
from http.client import HTTPException
from typing import Any, cast

from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ClosedPoolError, HTTPError, LocationParseError
from urllib3.util.ssl_match_hostname import CertificateError

from broadcaster.channels.answers import Received, opened, read


class NeverSentError(Exception):
    """There was no connection: nothing of the request was sent, whatever the cause."""


class UnsendableError(Exception):
    """The address, or a header, is none that HTTP has: nothing was sent, and nothing ever will be."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    connect: float
    """For a connection, and for a request to be taken."""
    silence: float
    """For more of an answer."""
    whole: float
    """From the first of a request to the last of its answer."""


class Connection:
    """Speaks HTTP on a connection of urllib3; goes before its class."""

    putrequest = PlainHTTP.putrequest
    putheader = PlainHTTP.putheader
    _kept: list[bytes] | None = None

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, patience: Patience
    ) -> Received:
        """Send a request on the open connection; gives its whole answer.

        Raises UnsendableError before anything is sent; afterwards OSError, HTTPException or DecodeError when no answer
        can be read, and EndlessAnswerError when it does not end. After any of them the connection is of no use.
        """
        connection, deadline = cast("HTTPConnection", self), time.monotonic() + patience.whole
        whole = self._in_one_piece(method, target, headers, body)
        sock = connection.sock
        sock.settimeout(patience.connect)
        # Whoever closes before they have read everything may have answered all the same, such as with a 413.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(whole)
        connection.response_class = partial(opened, patience.silence, deadline)  # type: ignore[assignment] # makes one
        received = read(PlainHTTP.getresponse(connection))
        if isinstance(sock, ssl.SSLSocket) and sock.pending():  # more than one answer: whose is the other?
            connection.close()
        return received

    def _in_one_piece(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        """The request: head and body would go out one after the other, and be two packets, or records over TLS."""
        self._kept = []
        try:
            PlainHTTP.request(cast("HTTPConnection", self), method, target, body, headers)
            return b"".join(self._kept)
        except (ValueError, HTTPException) as error:
            raise UnsendableError from error
        finally:
            self._kept = None

    def send(self, data: Any) -> None:
        """Send it, or keep it until the request is complete."""
        if self._kept is None:
            super().send(data)  # type: ignore[misc] # of the connection
        else:
            self._kept.append(data)


class ConnectionPool:
    """The kept connections to one address; goes before a class of urllib3's pools."""

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, patience: Patience
    ) -> Received:
        """Send a request on one of them, or on a new one. Raises NeverSentError, and what `Connection.ask` raises."""
        pool = cast("HTTPConnectionPool", self)
        try:
            connection = cast("HTTPConnection", pool._get_conn())
        except ClosedPoolError as error:
            raise NeverSentError from error
        usable: HTTPConnection | None = None
        try:
            if connection.is_closed:
                _open(connection, patience.connect)
            received = cast("Connection", connection).ask(method, target, headers, body, patience)
            usable = connection
            return received
        finally:
            if usable is None:  # half of a request, or of an answer, may be left in it
                connection.close()
            pool._put_conn(usable)


def _open(connection: HTTPConnection, seconds: float) -> None:
    """Open it, with its handshake if it has one, within so many seconds."""
    connection.timeout, until = seconds, time.monotonic() + seconds
    try:
        connection.connect()
    except (LocationParseError, UnicodeError) as error:  # a host name that no name server takes, such as `a..b`
        raise UnsendableError from error
    except (OSError, CertificateError, HTTPError) as error:
        raise NeverSentError from error
    if time.monotonic() > until:  # each step of it kept to the time, all of them together did not
        raise NeverSentError


class _PlainConnection(Connection, HTTPConnection):
    """Over TCP."""


class _SecureConnection(Connection, HTTPSConnection):
    """Over TLS."""


class _PlainPool(ConnectionPool, HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(ConnectionPool, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def use(adapter: BaseAdapter) -> None:
    """Let a session's adapter have pools of this kind."""
    if isinstance(adapter, HTTPAdapter):
        adapter.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
