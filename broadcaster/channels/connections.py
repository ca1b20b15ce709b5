"""Connections to one address: a request goes out in one piece, and its answer is read to its end.

They stand on urllib3's pools, which know about names, TLS and connections that were closed meanwhile, and speak HTTP by
the standard library that urllib3 speaks by. `urlopen`, in between, is left out: it tries again, follows redirects and
keeps cookies, which there are none of, and of its failures only the kind tells whether anything was sent before. Here
the step that failed tells it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection as PlainHTTP
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead
from io import BytesIO
from typing import Any, cast

import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ClosedPoolError, HTTPError, LocationParseError
from urllib3.util.ssl_match_hostname import CertificateError

MAX_ANSWER_BYTES = 1_000_000


class NeverSentError(Exception):
    """There was no connection: nothing of the request was sent, whatever the cause."""


class UnsendableError(Exception):
    """The address, or a header, is none that HTTP has: nothing was sent, and nothing ever will be."""


class EndlessAnswerError(Exception):
    """The answer was not over when it was as long, or had taken as long, as answers may."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it was read, its content decoded."""

    status: int
    headers: HTTPMessage
    body: bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a connection may take, and an answer may keep silent; when it has to be over, monotonic."""

    connect: float
    silence: float
    deadline: float


class Line:
    """Speaks HTTP on a connection of urllib3; goes before its class."""

    putrequest = PlainHTTP.putrequest
    putheader = PlainHTTP.putheader
    _kept: list[bytes] | None = None

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, patience: Patience
    ) -> Received:
        """Send a request on the open connection; gives its whole answer.

        Raises UnsendableError before anything is sent; afterwards OSError, HTTPException or DecodeError when no answer
        can be read, and EndlessAnswerError when it does not end.
        """
        connection = cast("HTTPConnection", self)
        connection.sock.settimeout(patience.connect)
        whole = self._in_one_piece(method, target, headers, body)
        # Whoever closes before they have read everything may have answered all the same, such as with a 413.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(whole)
        connection.sock.settimeout(patience.silence)
        with PlainHTTP.getresponse(connection) as answer:
            return Received(answer.status, answer.headers, _content(answer, patience.deadline))

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


class Pool:
    """The kept connections to one address; goes before a class of urllib3's pools."""

    @property
    def is_closed(self) -> bool:
        """Whether it was closed in favour of other addresses."""
        return cast("HTTPConnectionPool", self).pool is None

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, patience: Patience
    ) -> Received:
        """Send a request on one of them, or on a new one. Raises NeverSentError, and what `Line.ask` raises."""
        pool = cast("HTTPConnectionPool", self)
        try:
            connection = cast("HTTPConnection", pool._get_conn())
        except ClosedPoolError as error:
            raise NeverSentError from error
        try:
            if connection.is_closed:
                _open(connection, patience.connect)
            return cast("Line", connection).ask(method, target, headers, body, patience)
        except BaseException:
            connection.close()
            raise
        finally:
            pool._put_conn(connection)


def _open(connection: HTTPConnection, seconds: float) -> None:
    connection.timeout = seconds
    try:
        connection.connect()
    except (LocationParseError, UnicodeError) as error:  # a host name that no name server takes, such as `a..b`
        raise UnsendableError from error
    except (OSError, CertificateError, HTTPError) as error:
        raise NeverSentError from error


def _content(answer: HTTPResponse, deadline: float) -> bytes:
    """The body, as it comes: nobody waits for the rest of one that drips or does not end."""
    content = bytearray()
    while answer.length != 0 and not answer.isclosed():
        content += answer.read1(65_536)
        if len(content) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
            raise EndlessAnswerError
    if answer.length:
        raise IncompleteRead(bytes(content), answer.length)
    encoding = answer.headers.get("content-encoding")
    return _decoded(bytes(content), encoding) if encoding else bytes(content)


def _decoded(content: bytes, encoding: str) -> bytes:
    """A body that came compressed, though nobody asked for it. Raises urllib3's DecodeError."""
    headers = {"content-encoding": encoding}
    with urllib3.HTTPResponse(BytesIO(content), headers, preload_content=False) as answer:
        found = answer.read(MAX_ANSWER_BYTES + 1, decode_content=True)
    if len(found) > MAX_ANSWER_BYTES:
        raise EndlessAnswerError
    return found


class _PlainLine(Line, HTTPConnection):
    """Over TCP."""


class _SecureLine(Line, HTTPSConnection):
    """Over TLS."""


class _PlainPool(Pool, HTTPConnectionPool):
    ConnectionCls = _PlainLine


class _SecurePool(Pool, HTTPSConnectionPool):
    ConnectionCls = _SecureLine


def use(adapter: BaseAdapter) -> None:
    """Let a session's adapter have pools of this kind."""
    if isinstance(adapter, HTTPAdapter):
        adapter.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
