"""`python -m tests.support.launcher SOCKET`: a process that has loaded the libraries, and forks for each command.

Most of a command's time goes into loading the libraries. A fork has them already; it is a process of its own all the
same, and everything of the product's own is loaded in it, by the installed program, as in any other. What starts from
nothing is seen by the tests of `up`, `rehearse` and the wheel.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("broadcaster")
LIBRARIES = (
    "alembic.command",
    "cryptography.hazmat.primitives.ciphers.aead",
    "jinja2.sandbox",
    "kombu.connection",
    "psycopg",
    "pydantic_settings",
    "redis",
    "requests_hardened",
    "rich.progress",
    "ruamel.yaml",
    "sqlalchemy.dialects.postgresql.psycopg",
    "standardwebhooks",
    "structlog",
    "typer.rich_utils",
)
_LARGEST = 1 << 20
"""Bytes of a request: the arguments and the environment of a command."""


def run(arguments: Sequence[str], environment: Mapping[str, str], longest: float) -> tuple[int, str, str]:
    """Run the program to its end; gives its exit code, negative for a signal, and what it wrote into its two pipes.

    Raises TimeoutError when it runs for more than `longest` seconds; it is killed then.
    """
    request = json.dumps({"arguments": arguments, "environment": dict(environment), "folder": str(Path.cwd())})
    (out, its_out), (err, its_err) = os.pipe(), os.pipe()
    with ThreadPoolExecutor(2) as readers, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        said = [readers.submit(_read, pipe) for pipe in (out, err)]
        try:
            client.settimeout(longest)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST)
            client.connect(_listening())
            socket.send_fds(client, [request.encode()], [its_out, its_err])
        finally:
            os.close(its_out)
            os.close(its_err)
        return _code(client), said[0].result(), said[1].result()


def _read(pipe: int) -> str:
    with open(pipe, encoding="utf-8") as file:
        return file.read()


def _code(client: socket.socket) -> int:
    pid = int(client.recv(64))
    try:
        return int(client.recv(64))
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        raise


@cache
def _listening() -> str:
    """The abstract address of this process's launcher, which is started at first use and ends with us."""
    address = f"\0launcher-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(address)
        server.listen()
        command = [sys.executable, "-m", "tests.support.launcher", str(server.fileno())]
        process = subprocess.Popen(command, pass_fds=[server.fileno()], stdin=subprocess.PIPE, cwd=ROOT)
    atexit.register(process.communicate)
    return address


def _serve(server: socket.socket) -> None:
    """Fork for one request after the other; only a fork comes back from here, with everything set for its command.

    Ends when standard input does, which is when whoever started us is gone, in whatever way.
    """
    while True:
        if sys.stdin in select.select([server, sys.stdin], [], [])[0]:
            sys.exit()
        client, _ = server.accept()
        request, outputs, _, _ = socket.recv_fds(client, _LARGEST, 2)
        pid = os.fork()
        if pid == 0:
            client.close()
            server.close()
            _become(json.loads(request), outputs)
            return
        for output in outputs:
            os.close(output)
        with client, contextlib.suppress(BrokenPipeError):  # whoever asked waited too long already
            client.send(str(pid).encode())
            _, status = os.waitpid(pid, 0)
            client.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: Mapping[str, Any], outputs: Sequence[int]) -> None:
    for number, output in enumerate([os.open(os.devnull, os.O_RDONLY), *outputs]):
        os.dup2(output, number)
        os.close(output)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.argv = [str(PROGRAM), *request["arguments"]]


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # a fork that looks for garbage does not look through the libraries
    _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_path(str(PROGRAM), run_name="__main__")
