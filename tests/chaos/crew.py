"""The product's processes, so that they can be struck: known by name, killed, frozen, started again, all ended."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from broadcaster.embedded.processes import gone, wait_until
from broadcaster.settings import Settings
from broadcaster.stack import Program, Stack, programs

DELIVERY = ("delivery-1", "delivery-2")
WEB, CONTROL, BEAT, SECOND_BEAT = "web", "control", "beat", "beat-2"
CALLERS_EACH = 2
"""Processes that make calls, below each delivery worker."""
CALLERS = CALLERS_EACH * len(DELIVERY)

END_SECONDS = 6.0
"""A batch that is under way comes to its end in that time; a frozen one does not."""

PLAIN = "celery"
"""The module that runs the workers, as in production; a test names its own instead."""


def cast(settings: Settings, web_port: int, module: str = PLAIN) -> list[Program]:
    """Web, two delivery workers, the control worker and beat."""
    usual = programs(settings, web_port=web_port, sandbox_port=None, concurrency=CALLERS_EACH)
    found = {program.name: program for program in usual}
    delivery = found.pop("delivery")
    workers = [replace(delivery, name=name, command=_named(delivery.command, name, module)) for name in DELIVERY]
    return [*found.values(), *workers]


def second_beat(program: Program) -> Program:
    """Another beat beside the first."""
    command = [f"{part}-2" if part.endswith("beat-schedule") else part for part in program.command]
    return Program(SECOND_BEAT, tuple(command))


class Crew(Stack):
    """Running programs that can be struck. One that was killed is started again by `revive`."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        super().__init__(folder, env)
        self._variables: dict[str, Mapping[str, str]] = {}
        self._seen: dict[int, psutil.Process] = {}
        self._frozen: set[psutil.Process] = set()

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of the programs."""
        return self._env

    def program(self, name: str) -> Program:
        """What was started under a name."""
        return self._running[name][0]

    def main(self, name: str) -> psutil.Process | None:
        """The process that was started under a name; None when it has ended."""
        process = self._running[name][1]
        return None if process.poll() is not None else psutil.Process(process.pid)

    def callers(self, name: str) -> list[psutil.Process]:
        """The processes below a delivery worker that make calls and are not frozen."""
        main = self.main(name)
        if main is None:
            return []
        with contextlib.suppress(psutil.Error):
            return [child for child in main.children() if not gone(child) and child not in self._frozen]
        return []

    def note(self) -> None:
        """Remember every process there is, so that none of them outlives the crew when its parent is killed."""
        for name in list(self._running):
            main = self.main(name)
            if main is None:
                continue
            with contextlib.suppress(psutil.Error):
                self._seen |= {process.pid: process for process in (main, *main.children(recursive=True))}

    def freeze(self, process: psutil.Process) -> None:
        """Stop a process in the middle of whatever it does."""
        self._frozen.add(process)
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()

    def thaw(self, process: psutil.Process) -> None:
        """Let it go on."""
        self._frozen.discard(process)
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()

    def restart(self, name: str, variables: Mapping[str, str]) -> None:
        """End a program in good order and start it again with other variables in its environment."""
        program, process = self._running[name]
        self._variables[name] = variables
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        if process.poll() is None:
            process.kill()
            process.wait()
        self._running[name] = (program, self._launch(program))

    def dismiss(self, name: str) -> None:
        """End a program and do not start it again."""
        _, process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self, *, at_once: bool = False) -> None:
        """End everything, also what a killed parent left behind."""
        self.note()
        for process in list(self._frozen):
            self.thaw(process)
        super().stop(at_once=at_once)
        left = [process for process in self._seen.values() if not gone(process)]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        wait_until(lambda: all(gone(process) for process in left), 10)

    def _launch(self, program: Program) -> subprocess.Popen[bytes]:
        usual = self._env
        self._env = {**usual, **self._variables.get(program.name, {})}
        try:
            return super()._launch(program)
        finally:
            self._env = usual


def kill(process: psutil.Process) -> None:
    """SIGKILL."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def _named(command: tuple[str, ...], name: str, module: str) -> tuple[str, ...]:
    parts = [f"{name}@%h" if part == "delivery@%h" else part for part in command]
    return tuple(module if part == PLAIN else part for part in parts)
