"""Web applications of the product, served by uvicorn on a thread of the test's process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
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
    with served_together({on: app}):
        yield


@contextmanager
def served_together(apps: Mapping[socket.socket, FastAPI]) -> Iterator[None]:
    """Serve each of `apps` on its socket until the block ends; they begin and end at once, for each takes its time."""
    servers = {on: uvicorn.Server(_config(app)) for on, app in apps.items()}
    threads = [threading.Thread(target=server.run, kwargs={"sockets": [on]}) for on, server in servers.items()]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: all(server.started for server in servers.values()), "the applications are served")
        yield
    finally:
        for server in servers.values():
            server.should_exit = True
        for thread in threads:
            thread.join()
        for on in servers:
            on.close()


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(app, log_level="critical", access_log=False, ws="none", lifespan="on")
