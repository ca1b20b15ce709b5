"""Requests go out in one piece, over TCP and over TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from broadcaster.channels.in_one_piece import send_in_one_piece

HOST = "127.0.0.1"
BODY = "暂停".encode() * 500
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


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


@pytest.fixture(params=["http", "https"])
def receiver(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[str, list[bytes]]]:
    """An address, and what each read of the one who listens there gave: two requests on one connection."""
    listening, pieces = socket.create_server((HOST, 0)), list[bytes]()
    if request.param == "https":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        listening = context.wrap_socket(listening, server_side=True)

    def serve() -> None:
        with listening.accept()[0] as connection:
            for number in (1, 2):
                while b"".join(pieces).count(BODY) < number and (piece := connection.recv(65_536)):
                    pieces.append(piece)
                connection.sendall(ANSWER)

    thread = threading.Thread(target=serve)
    thread.start()
    with listening:
        yield f"{request.param}://{HOST}:{listening.getsockname()[1]}", pieces
        thread.join()


def test_head_and_body_arrive_together(receiver: tuple[str, list[bytes]], certificate: Path) -> None:
    """Also on a connection that is used again."""
    url, pieces = receiver
    with requests.Session() as session:
        session.trust_env = False
        for adapter in session.adapters.values():
            send_in_one_piece(adapter)
        answers = [session.post(url, data=BODY, verify=str(certificate), timeout=10).text for _ in (1, 2)]
    assert answers == ["{}", "{}"]
    assert len(pieces) == 2
    assert all(piece.startswith(b"POST / HTTP/1.1\r\n") and piece.endswith(BODY) for piece in pieces)
