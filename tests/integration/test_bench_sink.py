"""The sink counts what it is sent, however the bytes come."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from bench.load import Load, load
from tests.support.polling import eventually

BODY = b'{"to":[{"phone":"1"},{"phone":"2"}]}'
REQUEST = b"POST /sms HTTP/1.1\r\nhost: sink\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Load]:
    """A running sink."""
    with load(tmp_path) as found:
        yield found


def _say(sink: Load, *pieces: bytes) -> bytes:
    """Send pieces on one connection, and give what was answered."""
    address = urlsplit(sink.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_call_counts_its_recipients(sink: Load) -> None:
    """Every phone in a body is one, and nothing else is looked at."""
    requests.post(f"{sink.url}/sms", data=BODY, timeout=10).raise_for_status()
    assert sink.recipients() == 2
    assert len(sink.arrivals()) == 1


def test_a_call_in_pieces_counts_once(sink: Load) -> None:
    """A head or a body that is cut anywhere is put together again."""
    _say(sink, *(REQUEST[place : place + 7] for place in range(0, len(REQUEST), 7)))
    eventually(lambda: sink.recipients() == 2, "the call was counted")


def test_calls_in_one_piece_count_each(sink: Load) -> None:
    """Requests that come together are answered one by one."""
    assert _say(sink, REQUEST * 3).count(b"200 OK") == 3
    assert sink.recipients() == 6


def test_a_wrong_count_is_an_error(sink: Load) -> None:
    """A rate is worth nothing when somebody was left out."""
    with pytest.raises(Exception, match="0 recipients instead of 1"):
        sink.require(1)
