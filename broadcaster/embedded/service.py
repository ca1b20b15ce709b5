"""The two servers of a data folder, used together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from broadcaster.embedded import binaries as programs
from broadcaster.embedded import folders, postgres, server
from broadcaster.embedded.addresses import Services
from broadcaster.embedded.binaries import Binaries
from broadcaster.embedded.folders import Folders
from broadcaster.embedded.lock import Users, occupied
from broadcaster.embedded.postgres import Postgres
from broadcaster.embedded.redis import Redis
from broadcaster.errors import BroadcasterError, StateError, UnreachableError


@dataclass(frozen=True, slots=True)
class Pair:
    """The Postgres and the Redis of one data folder."""

    postgres: Postgres
    redis: Redis

    @classmethod
    def of(cls, place: Folders, choice: Binaries) -> Pair:
        """The pair in these folders, run by the programs that fit the choice and the data."""
        found = programs.postgres(choice, place.account, postgres.made_by(place))
        return cls(Postgres(place, found), Redis(place, programs.redis(choice, place.account)))

    def start(self) -> Services:
        """Have both running, and say where."""
        server.start(self.postgres)
        server.start(self.redis)
        return Services(self.postgres.url, self.redis.url)

    def stop(self) -> None:
        """Have neither running."""
        try:
            self.redis.stop()
        finally:
            self.postgres.stop()
        self.postgres.folders.tidy()


@contextmanager
def use(data: Path, choice: Binaries) -> Iterator[Services]:
    """See `broadcaster.embedded.services`."""
    data = data.resolve()
    with _explained(data):
        data.mkdir(parents=True, exist_ok=True)
        users = Users(data)
    try:
        with _explained(data), users.changing():
            users.join()
            pair = Pair.of(folders.make(data), choice)
            addresses = _start(pair, users)
        try:
            yield addresses
        finally:
            with _explained(data), users.changing():
                if users.alone():
                    pair.stop()
    finally:
        users.leave()


def discard(data: Path) -> None:
    """See `broadcaster.embedded.discard`."""
    data = data.resolve()
    if not data.exists():
        return
    with _explained(data):
        users = Users(data)
        try:
            with users.changing():
                _discard(data, users)
        finally:
            users.leave()


def _start(pair: Pair, users: Users) -> Services:
    try:
        return pair.start()
    except BaseException:
        if users.alone():
            with suppress(BroadcasterError):  # why it did not start is what the operator needs to read
                pair.stop()
        raise


def _discard(data: Path, users: Users) -> None:
    if not users.alone():
        raise StateError(f"The services of {data} are in use", hint="stop what uses them first")
    place = folders.find(data)
    if place is None:
        return
    if place.postgres.exists():
        Pair.of(place, Binaries.AUTO).stop()  # a killed process may have left them running
    with occupied(place.home):
        folders.remove(place, data)


@contextmanager
def _explained(data: Path) -> Iterator[None]:
    """Tell the operator what the system said, rather than show a traceback."""
    try:
        yield
    except (OSError, psutil.Error) as error:
        raise UnreachableError(f"The private Postgres and Redis of {data} cannot be run: {error}") from error
