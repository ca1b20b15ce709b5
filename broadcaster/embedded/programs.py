"""Running other programs as the servers' account."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from broadcaster.embedded.account import Account
from broadcaster.errors import UnreachableError

OUTPUT_LINES = 20
"""How many of the last lines of a program's output an error quotes."""

_LAUNCH = 'umask 077; exec 3>&1 >>"$1" 2>&1 </dev/null; shift; exec "$@" 3>&- & echo $! >&3'
"""Starts a server and prints its process id.

The shell between us and the server makes it nobody's child: it belongs to its folder, not to the process that happened
to start it. It also opens the log as the servers' account, so that root never writes into a folder that is not root's.
"""


def run(arguments: Sequence[str | Path], account: Account, *, text: str = "", lock: int | None = None) -> str:
    """Run a program to its end with `text` as its input and return its output; UnreachableError when it fails.

    The program and whatever it starts inherit `lock`, a descriptor: they hold it also when we are killed meanwhile.
    """
    done = _run(arguments, account, text, () if lock is None else (lock,))
    if done.returncode:
        raise UnreachableError(
            f"{arguments[0]} failed with exit status {done.returncode} (as user {account.name}):\n{tail(done.stdout)}"
        )
    return done.stdout


def succeeds(arguments: Sequence[str | Path], account: Account) -> bool:
    """Whether a program ends with exit status 0."""
    return _run(arguments, account).returncode == 0


def launch(arguments: Sequence[str | Path], log: Path, account: Account) -> int:
    """Start a server that appends its output to `log`, and return its process id."""
    return int(run(["sh", "-c", _LAUNCH, "sh", log, *arguments], account))


def tail(text: str) -> str:
    """The last lines of an output."""
    return "\n".join(text.strip().splitlines()[-OUTPUT_LINES:])


def _run(
    arguments: Sequence[str | Path], account: Account, text: str = "", descriptors: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
        cwd="/",  # our own working directory may be closed to the account
        env=_environment(),
        umask=0o077,
        user=account.user,
        group=account.group,
        extra_groups=account.groups,
        pass_fds=descriptors,
        start_new_session=True,  # Ctrl-C on our terminal is for us: we stop the servers ourselves, in order
    )


def _environment() -> dict[str, str]:
    """Only what a program needs: PGPORT or PGDATA in the operator's shell are not meant for a private server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
