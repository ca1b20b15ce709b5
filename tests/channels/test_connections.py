"""Connections against a server of bare sockets: what goes out, what is read, and which step a failure was in."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import DecodeError

from broadcaster.channels import connections
from broadcaster.channels.answers import MAX_ANSWER_BYTES, EndlessAnswerError, Received
from broadcaster.channels.connections import ConnectionPool, NeverSentError, Patience, UnsendableError
from tests.support.polling import eventually

HOST = "127.0.0.1"
BODY = "暂停".encode() * 500
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BOMB = gzip.compress(b"0" * (MAX_ANSWER_BYTES + 1))


@dataclass(slots=True)
class Server:
    """One who listens, and answers each request by the next of `answers`, which is sent as it is."""

    url: str
    pieces: list[bytes] = field(default_factory=list)
    """What each read gave, of all connections."""
    connections: int = 0
    closed: int = 0

    @property
    def requests(self) -> int:
        """How many came whole."""
        return b"".join(self.pieces).count(BODY)


Talk = Callable[[socket.socket], None]


@contextmanager
def listening(answers: Sequence[Sequence[bytes | Talk]], certificate: Path | None = None) -> Iterator[Server]:
    """One who takes a connection for each list of answers, one after the other; over TLS with a certificate."""
    taking = socket.create_server((HOST, 0))
    server = Server(f"{'https' if certificate else 'http'}://{HOST}:{taking.getsockname()[1]}")
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        taking = context.wrap_socket(taking, server_side=True)

    def serve() -> None:
        for wanted in answers:
            with suppress(OSError), taking.accept()[0] as connection:
                server.connections += 1
                for answer in wanted:
                    _take_one(connection, server)
                    connection.sendall(answer) if isinstance(answer, bytes) else answer(connection)
            server.closed += 1

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            taking.shutdown(socket.SHUT_RDWR)  # whoever still waits for a connection goes home
        thread.join()
        taking.close()


def _take_one(connection: socket.socket, server: Server) -> None:
    before = server.requests
    while server.requests == before and (piece := connection.recv(65_536)):
        server.pieces.append(piece)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
    return file


def pool_of(url: str, trusted: Path | None = None) -> ConnectionPool:
    """Connections to an address as a session has them; `trusted` is a certificate that is believed."""
    session = requests.Session()
    adapter = session.get_adapter(url)
    assert isinstance(adapter, HTTPAdapter)
    connections.use(adapter)
    asked, verify = requests.Request("POST", url).prepare(), str(trusted) if trusted else True
    pool = adapter.get_connection_with_tls_context(asked, verify)
    adapter.cert_verify(pool, url, verify, None)  # type: ignore[no-untyped-call]
    return cast("ConnectionPool", pool)


def post(pool: ConnectionPool, *, silence: float = 10, lasting: float = 10) -> Received:
    """One request."""
    return pool.exchange("POST", "/x", {"host": HOST}, BODY, Patience(5, silence, lasting))


@pytest.mark.parametrize("secure", [False, True])
def test_head_and_body_arrive_together(certificate: Path, *, secure: bool) -> None:
    """Over TCP and over TLS, also on a connection that is used again."""
    with listening([[ANSWER, ANSWER]], certificate if secure else None) as server:
        pool = pool_of(server.url, certificate)
        assert [post(pool).body for _ in (1, 2)] == [b"{}", b"{}"]
    assert len(server.pieces) == 2
    assert all(piece.startswith(b"POST /x HTTP/1.1\r\n") and piece.endswith(BODY) for piece in server.pieces)


def test_no_compression_is_asked_for() -> None:
    """What is small goes as it is."""
    with listening([[ANSWER]]) as server:
        post(pool_of(server.url))
    assert b"accept-encoding: identity\r\n" in server.pieces[0].lower()
    assert f"content-length: {len(BODY)}\r\n".encode() in server.pieces[0].lower()


READABLE = {
    "chunks": (b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", b"{}"),
    "chunks with an end that says more": (
        b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n",
        b"{}",
    ),
    "no length": (b"200 OK\r\n\r\n{}", b"{}"),
    "nothing": (b"200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "204": (b"204 No Content\r\n\r\n", b""),
    "continued": (b"100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
    "gzip": (b"200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}"), b"{}"),
    "all that may be": (b"200 OK\r\n\r\n" + b"0" * MAX_ANSWER_BYTES, b"0" * MAX_ANSWER_BYTES),
}


@pytest.mark.parametrize(("answer", "body"), READABLE.values(), ids=READABLE)
def test_an_answer_is_read_to_its_end(answer: bytes, body: bytes) -> None:
    """However its length is told, and then the next request is answered."""
    with listening([[b"HTTP/1.1 " + answer], [ANSWER]]) as server:
        pool = pool_of(server.url)
        assert post(pool).body == body
        eventually(lambda: server.closed == 1, "the other end has closed its connection")
        assert post(pool).body == b"{}"


@pytest.mark.parametrize("name", ["chunks", "nothing", "204", "continued"])
def test_a_connection_is_kept_when_the_answer_has_an_end(name: str) -> None:
    """The next request goes out on it."""
    with listening([[b"HTTP/1.1 " + READABLE[name][0], ANSWER]]) as server:
        pool = pool_of(server.url)
        assert [post(pool).body for _ in (1, 2)] == [READABLE[name][1], b"{}"]


UNREADABLE = {
    "nothing": (b"", HTTPException),
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n", HTTPException),
    "half a status": (b"HTTP/1.1 2", HTTPException),
    "a status alone": (b"HTTP/1.1 200 OK\r\n", HTTPException),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Len", HTTPException),
    "a head without an end": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", HTTPException),
    "less than it says": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", HTTPException),
    "half a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", HTTPException),
    "no end of chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", HTTPException),
    "damaged gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot at all", DecodeError),
    "too much": (b"HTTP/1.1 200 OK\r\n\r\n" + b"0" * (MAX_ANSWER_BYTES + 1), EndlessAnswerError),
    "too much of gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + BOMB, EndlessAnswerError),
}


@pytest.mark.parametrize(("answer", "error"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_answer_that_cannot_be_read_is_no_reason_to_ask_again(answer: bytes, error: type[Exception]) -> None:
    """The request came: it went out once, and the next one has a connection of its own."""
    with listening([[answer], [ANSWER]]) as server:
        pool = pool_of(server.url)
        with pytest.raises(error):
            post(pool)
        assert server.requests == 1
        assert post(pool).body == b"{}"


def test_a_request_on_a_kept_connection_goes_out_once() -> None:
    """Also when the other end closes it without a word: whether they read it nobody knows."""
    with listening([[ANSWER, b""], [ANSWER]]) as server:
        pool = pool_of(server.url)
        post(pool)
        with pytest.raises(HTTPException):
            post(pool)
        assert server.requests == 2
        post(pool)
    assert (server.requests, server.connections) == (3, 2)


def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    """The next request would only be in doubt."""
    with listening([[ANSWER], [ANSWER]]) as server:
        pool = pool_of(server.url)
        post(pool)
        eventually(lambda: server.closed == 1, "the other end has closed it")
        post(pool)
    assert (server.requests, server.connections) == (2, 2)


@contextmanager
def interrupting(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """The address of one who answers before they have read anything, and closes; and what they read afterwards."""
    taking, read = socket.create_server((HOST, 0)), list[bytes]()

    def interrupt() -> None:
        with suppress(OSError), taking.accept()[0] as connection:
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                read.append(piece)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with taking:
        yield f"{HOST}:{taking.getsockname()[1]}", read
        thread.join()


def test_an_answer_before_the_whole_request_is_read() -> None:
    """Whoever finds a request too large says so, and closes."""
    answer = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with interrupting(answer) as (address, _):
        found = pool_of(f"http://{address}").exchange("POST", "/x", {}, b"0" * 3_000_000, Patience(5, 5, 5))
    assert found.status == 413


def test_silence_has_an_end() -> None:
    """As the provider's own timeout says."""
    over = threading.Event()

    def keep_silent(_: socket.socket) -> None:
        over.wait(10)

    with listening([[keep_silent]]) as server:
        with pytest.raises(TimeoutError):
            post(pool_of(server.url), silence=0.1)
        over.set()
    assert server.requests == 1


ENDLESS = {
    "a body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "a body of a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "the size of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "what comes after chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
    "a head": (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
    "answers before the answer": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize(("first", "again"), ENDLESS.values(), ids=ENDLESS)
def test_an_answer_that_drips_is_cut_off(first: bytes, again: bytes) -> None:
    """It is never silent for long, and never over, whichever part of it."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(first)
        while not over.wait(0.01):
            connection.sendall(again)

    with listening([[drip]]) as server:
        with pytest.raises(EndlessAnswerError):
            post(pool_of(server.url), lasting=0.2)
        over.set()
    assert server.requests == 1


def test_an_answer_before_the_answer_is_not_the_answer() -> None:
    """The one to come must not be taken for that to the next request."""
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    with listening([[early + ANSWER.replace(b"{}", b"[]")], [ANSWER]]) as server:
        pool = pool_of(server.url)
        with pytest.raises(HTTPException):
            post(pool)
        assert post(pool).body == b"{}"


def test_a_second_answer_is_nobodys(certificate: Path) -> None:
    """Also when it hides in what TLS has decrypted and nobody has read: a reader takes 8,192 bytes at once."""
    two = ANSWER.ljust(8192, b"#") + ANSWER.replace(b"{}", b"[]")
    with listening([[two, ANSWER], [ANSWER]], certificate) as server:
        pool = pool_of(server.url, certificate)
        assert [post(pool).body for _ in (1, 2)] == [b"{}", b"{}"]
    assert server.connections == 2


def test_nothing_is_sent_where_nobody_listens() -> None:
    """On a port that was just given back."""
    with socket.create_server((HOST, 0)) as taking:
        port = taking.getsockname()[1]
    with pytest.raises(NeverSentError):
        post(pool_of(f"http://{HOST}:{port}"))


@pytest.mark.parametrize("value", ["钥匙", "a\r\nb: c"], ids=["no latin letters", "a line of its own"])
def test_nothing_is_sent_that_http_does_not_have(value: str) -> None:
    """Such as a key that somebody mistyped; nor does any of it stand in the next request."""
    with listening([[ANSWER], [ANSWER]]) as server:
        pool = pool_of(server.url)
        with pytest.raises(UnsendableError):
            pool.exchange("POST", "/x", {"password": "hunter2", "key": value}, BODY, Patience(5, 5, 5))
        post(pool)
    assert server.pieces[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert b"hunter2" not in server.pieces[0]


def test_nothing_is_sent_when_a_handshake_takes_too_long() -> None:
    """Whoever takes a connection and says nothing has not been told anything."""
    over = threading.Event()

    def keep_silent(_: socket.socket) -> None:
        over.wait(10)

    with listening([[keep_silent]]) as server:
        pool = pool_of(server.url.replace("http:", "https:"))
        with pytest.raises(NeverSentError):
            pool.exchange("POST", "/x", {}, BODY, Patience(0.2, 5, 5))
        over.set()
    assert server.requests == 0


def test_nothing_is_sent_to_whom_nobody_vouches_for(certificate: Path) -> None:
    """A certificate that is not believed is looked at before anything is said."""
    with listening([[ANSWER]], certificate) as server:
        with pytest.raises(NeverSentError):
            post(pool_of(server.url))
        assert server.requests == 0


def test_nothing_is_sent_when_there_is_no_tls() -> None:
    """Whatever went wrong with it: the request would have come afterwards."""
    with interrupting(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (address, read), pytest.raises(NeverSentError):
        post(pool_of(f"https://{address}"))
    assert b"POST" not in b"".join(read)


def test_nothing_is_sent_by_connections_that_were_given_up() -> None:
    """Between their choice and their use."""
    with listening([[ANSWER]]) as server:
        pool = pool_of(server.url)
        cast("HTTPConnectionPool", pool).close()
        with pytest.raises(NeverSentError):
            post(pool)
        assert server.requests == 0
