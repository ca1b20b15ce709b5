"""Answers: read to their end within a size and a time, whichever of their parts does not end."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, cast

import urllib3

MAX_ANSWER_BYTES = 1_000_000


class EndlessAnswerError(Exception):
    """The answer was not over when it was as long, or had taken as long, as answers may."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it was read, its content decoded."""

    status: int
    headers: HTTPMessage
    body: bytes


def opened(silence: float, deadline: float, sock: socket.socket, **named: Any) -> HTTPResponse:
    """The answer that comes on a socket, nothing of it read; `silence` in seconds, `deadline` monotonic."""
    return HTTPResponse(cast("socket.socket", _Source(sock, silence, deadline)), **named)


def read(answer: HTTPResponse) -> Received:
    """The whole of an answer whose head is read. Raises OSError, HTTPException, DecodeError or EndlessAnswerError."""
    with answer:
        if cast("_Timed", answer.fp.raw).over:  # the library takes what breaks off in its head for one without a body
            raise HTTPException("an answer without an end of its head")
        if answer.status < 200:  # the final answer is still to come, and would be taken for that to another request
            raise HTTPException("an answer before the answer")
        return Received(answer.status, answer.headers, _content(answer))


class _Timed(RawIOBase):
    """What comes on a socket until a deadline; whoever waits for it longer gets EndlessAnswerError."""

    over = False
    """Whether there is nothing more to come, and somebody wanted it."""

    def __init__(self, sock: socket.socket, silence: float, deadline: float) -> None:
        self._sock, self._silence, self._deadline = sock, silence, deadline
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """The next of it."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise EndlessAnswerError
        self._sock.settimeout(min(self._silence, left))
        try:
            number: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            if left < self._silence:
                raise EndlessAnswerError from None
            raise
        self.over = number == 0
        return number

    def close(self) -> None:
        """Read no more; the socket is closed with its connection."""
        self._raw.close()
        super().close()


@dataclass(frozen=True, slots=True)
class _Source:
    """Stands for a socket where an answer is read from."""

    sock: socket.socket
    silence: float
    deadline: float

    def makefile(self, _mode: str) -> BufferedReader:
        """The only thing that an answer wants of a socket."""
        return BufferedReader(_Timed(self.sock, self.silence, self.deadline))


def _content(answer: HTTPResponse) -> bytes:
    content = bytearray()
    while answer.length != 0 and not answer.isclosed():
        content += answer.read1(65_536)
        if len(content) > MAX_ANSWER_BYTES:
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
