"""Web applications of the product, served by uvicorn on a thread of the test's process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tests.support.polling import eventually

HOST = "127.0.0.1"


def bound() -> socket.socket:
    """A socket on a free port: taken from now on, so that its address can be told before anything is served on it."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind((HOST, 0))
    return found


def address_of(found: socket.socket) -> str:
    """The URL that a socket is reached at."""
    return f"http://{HOST}:{found.getsockname()[1]}"


@contextmanager
def served(app: FastAPI, on: socket.socket) -> Iterator[None]:
    """Serve `app` until the block ends."""
    config = uvicorn.Config(app, log_level="critical", access_log=False, ws="none", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [on]})
    thread.start()
    try:
        eventually(lambda: server.started, "the application is served")
        yield
    finally:
        server.should_exit = True
        thread.join()
        on.close()
