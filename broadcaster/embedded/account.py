"""The account the servers run as: our own, or, because Postgres refuses to be root, an unprivileged one."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

from broadcaster.errors import MissingPartError

UNPRIVILEGED = ("postgres", "nobody")
"""Accounts to fall back on as root, best first."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its group; `other` when it is not the one this process runs as."""

    name: str
    uid: int
    gid: int
    other: bool

    @property
    def user(self) -> int | None:
        """What subprocess takes as `user`."""
        return self.uid if self.other else None

    @property
    def group(self) -> int | None:
        """What subprocess takes as `group`."""
        return self.gid if self.other else None

    @property
    def groups(self) -> list[int] | None:
        """What subprocess takes as `extra_groups`: none of root's."""
        return [] if self.other else None


def own() -> Account:
    """The account of this process, or as root the unprivileged one; MissingPartError when there is none."""
    if os.geteuid() != 0:
        return _of_uid(os.geteuid(), os.getegid(), other=False)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, other=True)
    raise MissingPartError(
        "Postgres does not run as root, and this machine has neither a user postgres nor a user nobody",
        hint="run as an ordinary user, or set DATABASE_URL and REDIS_URL",
    )


def owner(status: os.stat_result) -> Account:
    """The account for a folder that is there already.

    As root its owner's: the user `postgres` may have come onto the machine after `nobody` made the data.
    """
    if os.geteuid() != 0 or status.st_uid == 0:
        return own()
    return _of_uid(status.st_uid, status.st_gid, other=True)


def _of_uid(uid: int, gid: int, *, other: bool) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # a container may run as a number without a name
        return Account(str(uid), uid, gid, other)
    return Account(entry.pw_name, uid, entry.pw_gid if other else gid, other)
