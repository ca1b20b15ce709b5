"""The private Postgres."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
from psycopg import pq

from broadcaster.embedded.account import Account
from broadcaster.embedded.binaries import PostgresPrograms
from broadcaster.embedded.folders import Folders
from broadcaster.embedded.lock import occupied
from broadcaster.embedded.processes import find
from broadcaster.embedded.programs import run, succeeds
from broadcaster.errors import StateError

NAME = "broadcaster"
"""The role and the database."""

PORT = 5432
"""No port is opened; the number is part of the socket's name."""

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "logging_collector": "off",
    # Terse: the details of an error would carry people's rows into the log.
    "log_error_verbosity": "terse",
}
"""Everything else keeps its default, above all fsync and synchronous_commit: a commit survives a power cut."""

STOP_SECONDS = 60

_DISOWN = '{ echo $$; tail -n +2 "$1"; } >"$1.new" && mv "$1.new" "$1"'
"""Writes the number of this shell, which is gone a moment later, over the process id in a lock file."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A Postgres on a Unix socket in a folder of mode 0700. Only that folder makes its `trust` authentication safe."""

    folders: Folders
    programs: PostgresPrograms

    @property
    def name(self) -> str:
        """What the operator calls it."""
        return "Postgres"

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folders.log("postgres")

    @property
    def account(self) -> Account:
        """As whom it runs."""
        return self.folders.account

    @property
    def url(self) -> str:
        """Its address; with the port, because libpq would otherwise take it from PGPORT."""
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.folders.sockets), safe='/')}&port={PORT}"

    def pid(self) -> int | None:
        """The process id of the running server, None when it does not run."""
        pid = _pid_in(self.folders.postgres / "postmaster.pid")
        return pid if find(pid, {"postgres"}, self.folders.postgres) else None

    def answers(self) -> bool:
        """Whether it takes connections; yes also when all of them are taken."""
        address = f"host='{_escaped(self.folders.sockets)}' port={PORT} user={NAME} dbname={NAME} connect_timeout=2"
        return pq.PGconn.ping(address.encode()) == pq.Ping.OK

    def prepare(self) -> None:
        """Make the cluster when there is none, and free lock files whose process id is now some other program's."""
        if not self.folders.postgres.exists():
            self._create()
        for lock in (self.folders.postgres / "postmaster.pid", self.folders.sockets / f".s.PGSQL.{PORT}.lock"):
            pid = _pid_in(lock)
            # Postgres takes any living process, and a dead one that nobody has waited for, for an earlier server.
            if pid is not None and psutil.pid_exists(abs(pid)):
                # The rest of the file stays: by it Postgres finds out whether a killed server's backends still run.
                run(["sh", "-c", _DISOWN, "sh", lock], self.account)

    def command(self) -> list[str | Path]:
        """What to run."""
        sockets = str(self.folders.sockets).replace('"', '""')
        settings = {**SETTINGS, "unix_socket_directories": f'"{sockets}"'}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self.programs.folder / "postgres", "-D", self.folders.postgres, *options]

    def may_try_again(self, output: str) -> bool:
        """A killed server's backends take a moment to notice."""
        return "pre-existing shared memory block" in output

    def stop(self) -> None:
        """Stop it if it runs: sessions are ended, everything is written out."""
        if self.pid() is not None:
            pg_ctl = self.programs.folder / "pg_ctl"
            how = ("-m", "fast", "-w", "-t", str(STOP_SECONDS), "-s")
            run([pg_ctl, "stop", "-D", self.folders.postgres, *how], self.account)

    def _create(self) -> None:
        """Make the cluster beside its place and move it there when complete: an interrupted start leaves nothing."""
        scratch = self.folders.home / "postgres.new"
        how = ("-U", NAME, "--auth=trust", "--encoding=UTF8", f"--locale={self._locale()}")
        single = ("--single", "-c", "exit_on_error=on", "-D", scratch, "postgres")
        create = f"CREATE DATABASE {NAME};\n"
        with occupied(self.folders.home) as lock:
            run(["rm", "-rf", scratch], self.account)
            run([self.programs.folder / "initdb", "-D", scratch, *how], self.account, lock=lock)
            run([self.programs.folder / "postgres", *single], self.account, text=create, lock=lock)
            run(["mv", scratch, self.folders.postgres], self.account)

    def _locale(self) -> str:
        """Both sort by code point; C.UTF-8 also knows upper and lower case beyond ASCII, where the machine has it."""
        known = succeeds(["sh", "-c", "locale -a | grep -qixE 'C[.]utf-?8'"], self.account)
        return "C.UTF-8" if known else "C"


def made_by(folders: Folders) -> int | None:
    """The major version of Postgres that made the data, None without data; StateError when it cannot be told."""
    file = folders.postgres / "PG_VERSION"
    if not folders.postgres.exists():
        return None
    try:
        return int(file.read_text(encoding="utf-8").split(".")[0])
    except (FileNotFoundError, ValueError):
        raise StateError(
            f"{file} does not tell a Postgres version: the data folder is damaged",
            hint=f"restore {folders.postgres} from a backup, or move it away to begin with an empty database",
        ) from None


def _pid_in(lock: Path) -> int | None:
    """The process id in a lock file; negative for a standalone backend, and so never a server's."""
    try:
        return int(lock.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _escaped(path: Path) -> str:
    return os.fspath(path).replace("\\", "\\\\").replace("'", "\\'")
