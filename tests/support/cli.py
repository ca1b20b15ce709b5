"""The command line as its users run it: another process, its exit code and its two outputs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import launcher
from tests.support.launcher import PROGRAM

LONGEST = 300.0
"""Seconds after which a command counts as hanging."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Cli:
    """Commands run with `data` as their data folder, and `variables` in their environment."""

    data: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str | Path, **variables: str) -> Ran:
        """Run a command to its end."""
        given = [str(argument) for argument in arguments]
        return Ran(*launcher.run(given, self.environment(**variables), LONGEST))

    @contextmanager
    def running(self, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        """A command under way, its words in `output` of the data folder; killed when the block left it running."""
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "output").open("wb") as output:
            process = subprocess.Popen(
                [PROGRAM, *arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment of a command: nothing of ours leaks in from the developer's own."""
        ours = ("BROADCASTER_", "DATABASE_URL", "REDIS_URL", "PYTEST_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**inherited, "COLUMNS": "200", "BROADCASTER_DATA": str(self.data), **self.variables, **variables}
