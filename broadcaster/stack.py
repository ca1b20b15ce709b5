"""The stack: the product's processes on one machine, started together, watched, and stopped together."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from broadcaster.clock import OFFSET_FILE_VARIABLE
from broadcaster.errors import UnreachableError
from broadcaster.settings import Settings

START_SECONDS = 30.0
STOP_SECONDS = 15.0
"""A worker finishes the call it is in; after that it is ended."""
MOST_RESTARTS = 50

DELIVERY_PROCESSES = 4
"""Each waits for a provider or a disk half of its time: two cores are busy with four of them."""

HOST = "127.0.0.1"

_PR_SET_PDEATHSIG = 1
"""linux/prctl.h: the signal that this process gets when its parent dies."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process: a name for its log, its command, and where it answers that it is well (None: it has no port)."""

    name: str
    command: tuple[str, ...]
    health: str | None = None


def programs(
    settings: Settings, *, web_port: int, sandbox_port: int | None, concurrency: int = DELIVERY_PROCESSES
) -> list[Program]:
    """Everything that runs: web, the two workers, beat, and the sandbox when it has a port."""
    found = [_server("web", "broadcaster.web.app:create", web_port)]
    if sandbox_port:
        found.insert(0, _server("sandbox", "broadcaster.sandbox.app:create", sandbox_port))
    celery = (sys.executable, "-m", "celery", "-A", "workers.app")
    # Workers have nothing to tell each other: all they share is in the database. Asking around would delay their start.
    worker = (*celery, "worker", "--without-mingle", "--without-gossip", "-l", "WARNING")
    delivery = (*worker, "-Q", "delivery,correction", "-n", "delivery@%h", "-c", str(concurrency))
    control = (*worker, "-Q", "control", "-n", "control@%h", "-P", "solo")
    schedule = str(settings.data / "beat-schedule")
    beat = (*celery, "beat", "--schedule", schedule, "--pidfile=", "-l", "WARNING")
    return [*found, Program("delivery", delivery), Program("control", control), Program("beat", beat)]


def environment(settings: Settings, offset_file: Path | None = None) -> dict[str, str]:
    """The environment of the processes."""
    found = {
        **os.environ,
        "BROADCASTER_DATA": str(settings.data.resolve()),
        "BROADCASTER_SITE": str(settings.site_file.resolve()),
        "DATABASE_URL": settings.database_url or "",
        "REDIS_URL": settings.redis_url or "",
    }
    if settings.rehearsal:
        found["BROADCASTER_REHEARSAL"] = "1"
    if offset_file:
        found[OFFSET_FILE_VARIABLE] = str(offset_file.resolve())
    return found


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Stack:
    """Running programs, with a log file each. One that ends by itself is started again."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = dict(env)
        self._running: dict[str, tuple[Program, subprocess.Popen[bytes]]] = {}
        self.restarts = 0

    def start(self, wanted: Iterable[Program]) -> None:
        """Start programs and wait until those with an address answer."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for program in wanted:
            self._running[program.name] = (program, self._launch(program))
        deadline = time.monotonic() + START_SECONDS
        for program, process in list(self._running.values()):
            self._wait_for(program, process, deadline)

    def revive(self) -> None:
        """Start again what ended by itself."""
        for name, (program, process) in list(self._running.items()):
            if process.poll() is None:
                continue
            self.restarts += 1
            if self.restarts > MOST_RESTARTS:
                raise UnreachableError(f"{name} ends again and again", hint=self._tail(name))
            self._running[name] = (program, self._launch(program))

    def stop(self, *, at_once: bool = False) -> None:
        """Ask every program to end, wait, and end those that do not; `at_once`, when nothing is under way, ask none."""
        processes = [process for _, process in reversed(self._running.values())]
        for process in processes:
            if process.poll() is None:
                (_end_group if at_once else subprocess.Popen.terminate)(process)
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _end_group(process)
        self._running.clear()

    def _launch(self, program: Program) -> subprocess.Popen[bytes]:
        with (self._folder / f"{program.name}.log").open("ab") as log:
            # A session of its own: Ctrl-C reaches us alone, and we stop the programs in order.
            return subprocess.Popen(
                program.command,
                stdout=subprocess.DEVNULL,  # what Celery says to whoever sits before it; logs are on standard error
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self._env,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - started from the main thread of a small process
            )

    def _wait_for(self, program: Program, process: subprocess.Popen[bytes], deadline: float) -> None:
        while program.health and not _answers(program.health):
            if process.poll() is not None:
                raise UnreachableError(f"{program.name} ended with {process.returncode}", hint=self._tail(program.name))
            if time.monotonic() > deadline:
                raise UnreachableError(f"{program.name} does not answer", hint=self._tail(program.name))
            time.sleep(0.05)

    def _tail(self, name: str) -> str:
        path = self._folder / f"{name}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        return f"{path} ends with: {' / '.join(lines[-3:])}"


def _server(name: str, factory: str, port: int) -> Program:
    command: Sequence[str] = (sys.executable, "-m", "uvicorn", "--factory", factory, "--host", HOST)
    quiet = ("--log-level", "warning", "--no-access-log")
    return Program(name, (*command, "--port", str(port), *quiet), f"http://{HOST}:{port}/healthz")


def _end_with_parent() -> None:
    # Should we be killed without a chance to stop the programs, the kernel asks them to end in our place.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


def _end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
