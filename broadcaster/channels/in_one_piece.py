"""Connections that send a request in one piece.

urllib3 sends the head of a request, and then its body: two packets (two records, over TLS) for what fits into one, and
a receiver that wakes up twice.
"""

from __future__ import annotations

from typing import Any

from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class _InOnePiece:
    """Keeps what a request sends until it is complete; goes before a class of connections."""

    _kept: list[bytes] | None = None

    def request(self, *arguments: Any, **named: Any) -> None:
        self._kept = []
        try:
            super().request(*arguments, **named)  # type: ignore[misc] # of the connection
            whole = b"".join(self._kept)
        finally:
            self._kept = None
        self.send(whole)

    def send(self, data: Any) -> None:
        if self._kept is None:
            super().send(data)  # type: ignore[misc] # of the connection
        else:
            self._kept.append(data)


class _Plain(_InOnePiece, HTTPConnection):
    """Over TCP."""


class _Secure(_InOnePiece, HTTPSConnection):
    """Over TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def send_in_one_piece(adapter: BaseAdapter) -> None:
    """Let a session's adapter send every request in one piece."""
    if isinstance(adapter, HTTPAdapter):
        adapter.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
