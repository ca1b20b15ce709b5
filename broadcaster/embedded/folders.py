"""The folders of the servers: where they are, whose they are, and that nobody else gets in.

    <data>/services/             mode 0700, the servers' account's
        postgres/  redis/        their data
        postgres.log redis.log
        run/                     the sockets

As root the servers run as another user, who may be unable to get into the data folder (/root is 0700). Nobody's
permissions are loosened for that: the folder is then made under /var/lib/broadcaster, and `services` is a link to it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from broadcaster.embedded import account as accounts
from broadcaster.embedded.account import Account
from broadcaster.embedded.programs import run, succeeds
from broadcaster.errors import StateError

STATE = Path("/var/lib/broadcaster")
"""Where root keeps what the servers' account could not reach elsewhere."""

SOCKET_BYTES = 107
"""The longest path of a Unix socket: sun_path in unix(7) has 108 bytes with the closing NUL."""

_LONGEST_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the servers of one data folder live, and as whom they run."""

    home: Path
    sockets: Path
    account: Account

    @property
    def postgres(self) -> Path:
        """The database cluster (PGDATA)."""
        return self.home / "postgres"

    @property
    def redis(self) -> Path:
        """Redis' working directory; it holds nothing but a process id."""
        return self.home / "redis"

    def log(self, name: str) -> Path:
        """The log of a server."""
        return self.home / f"{name}.log"

    def tidy(self) -> None:
        """Remove what a stopped server does not need: the folder of the sockets, where it had to be a temporary one."""
        if self.sockets.parent != self.home:
            with suppress(OSError):
                self.sockets.rmdir()


def find(data: Path) -> Folders | None:
    """The folders that `data` has already; StateError when they are not fit for use."""
    home = _pointed_to(data)
    if home is None:
        return None
    account = accounts.owner(home.stat())
    if account.other and home.stat().st_uid == 0:
        _own(home, account)  # an earlier start ended between making it and giving it away
    _refuse_open(home, account)
    if account.other and not reaches(account, home):
        raise StateError(
            f"{home} belongs to user {account.name}, who cannot get there any more",
            hint=f"let everybody pass (chmod o+x) through the folders above it: {data}",
        )
    return Folders(home, _sockets(home, account), account)


def make(data: Path) -> Folders:
    """The folders of `data`, made when they are not there yet."""
    found = find(data)
    if found is not None:
        return found
    account = accounts.own()
    if not account.other or reaches(account, data):
        _make_private(data / "services", account)
    else:
        home = _free_home(data)
        _make_private(home, account)
        _claim(home).unlink(missing_ok=True)
        _claim(home).symlink_to(data)
        (data / "services").symlink_to(home)
    made = find(data)
    assert made is not None  # noqa: S101 - just made
    return made


def remove(folders: Folders, data: Path) -> None:
    """Delete the folders of `data` and everything in them."""
    folders.tidy()
    shutil.rmtree(folders.home)
    if (data / "services").is_symlink():
        (data / "services").unlink()
        _claim(folders.home).unlink(missing_ok=True)


def reaches(account: Account, folder: Path) -> bool:
    """Whether the account can get into a folder; asked of the kernel, which also knows of access lists."""
    return succeeds(["test", "-x", folder], account)


def make_state_folder(name: str = "") -> Path:
    """A folder of root's under /var/lib/broadcaster that everybody may pass through and nobody else may change."""
    for folder in (STATE, STATE / name):
        with suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(0o711)  # just made by us; the umask may have closed it
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
            raise StateError(
                f"{folder} is not a folder that only root can change", hint="move it away, or set it right"
            )
    return STATE / name


def _pointed_to(data: Path) -> Path | None:
    pointer = data / "services"
    if not pointer.is_symlink():
        return pointer if pointer.exists() else None
    home = pointer.readlink()
    if not home.is_dir():
        raise StateError(
            f"{pointer} points to {home}, which is not there: the database was left on another machine or deleted",
            hint=f"bring it back, or remove {pointer} to begin with an empty database",
        )
    _refuse_copied(data, home)
    return home


def _refuse_copied(data: Path, home: Path) -> None:
    """A copied data folder has a copy of the link: two folders would use one database without knowing of each other."""
    claim = _claim(home)
    if not claim.is_symlink() or claim.readlink() == data:
        return
    original = claim.readlink() / "services"
    if original.is_symlink() and original.readlink() == home:
        raise StateError(
            f"{data} is a copy of {original.parent}: the database {home} belongs to that one",
            hint=f"remove {data / 'services'} to begin with an empty database",
        )
    claim.unlink()  # the folder was moved, not copied
    claim.symlink_to(data)


def _claim(home: Path) -> Path:
    """The link beside a folder in /var/lib/broadcaster that tells which data folder it belongs to."""
    return home.with_name(f"{home.name}.data")


def _free_home(data: Path) -> Path:
    """A folder no other data folder has: an earlier one of the same name may have been moved or deleted."""
    state, name = make_state_folder(), _short_hash(data)
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(home for home in map(state.joinpath, names) if not home.exists() or not any(home.iterdir()))


def _make_private(folder: Path, account: Account) -> None:
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _own(folder, account)
    _refuse_open(folder, account)


def _own(folder: Path, account: Account) -> None:
    """Give an empty folder of root's to the account; through a descriptor, so that nobody can swap it meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if account.other and os.fstat(descriptor).st_uid == 0 and _is_empty(descriptor):
            os.fchown(descriptor, account.uid, account.gid)
    finally:
        os.close(descriptor)


def _is_empty(descriptor: int) -> bool:
    return not os.listdir(descriptor)


def _refuse_open(folder: Path, account: Account) -> None:
    """Postgres trusts whoever reaches its socket, so the folder must be closed to everybody else."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != account.uid:
        raise StateError(f"{folder} does not belong to user {account.name}", hint="run as its owner, or move it away")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise StateError(f"{folder} is open to other users", hint=f"chmod 700 {folder}")


def _sockets(home: Path, account: Account) -> Path:
    """The folder of the sockets: in the home, else a temporary one, which the link `run` keeps for later users."""
    pointer = home / "run"
    folder = pointer if _fits(pointer) else _temporary(pointer, f"broadcaster-{_short_hash(home)}")
    if not folder.exists():
        run(["mkdir", "-m", "700", folder], account)
    _refuse_open(folder, account)
    return folder


def _temporary(pointer: Path, name: str) -> Path:
    # The name is checked because a copied home must not lead to the original's sockets.
    if pointer.is_symlink() and pointer.readlink().name == name:
        return pointer.readlink()
    pointer.unlink(missing_ok=True)
    folder = Path(tempfile.gettempdir()).resolve() / name
    if not _fits(folder):
        raise StateError(f"{folder} is too long a path for a Unix socket", hint="set TMPDIR to a shorter one")
    pointer.symlink_to(folder)
    return folder


def _fits(folder: Path) -> bool:
    # libpq reads a comma as the end of a host, and a colon is what ends one in many a URL reader.
    plain = not set(",:") & set(str(folder))
    return plain and len(os.fsencode(folder / _LONGEST_SOCKET)) <= SOCKET_BYTES


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
