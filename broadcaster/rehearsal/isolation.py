"""A rehearsal's own ground: a private database, made anew, in a folder that one rehearsal uses at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from broadcaster.errors import StateError

DATABASE = "rehearsal"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder; raises StateError when another rehearsal does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rehearsal.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(
                f"another rehearsal runs in {folder}", hint="wait for it, or give another folder with --data"
            ) from None
        yield


def fresh_database(database_url: str) -> str:
    """Make the rehearsal's database anew beside the one of `database_url`; gives its address."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {DATABASE}"))
    engine.dispose()
    return make_url(database_url).set(database=DATABASE).render_as_string(hide_password=False)
