"""A session: what a command needs of the product, with private services when the environment names none."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from broadcaster import logs
from broadcaster import settings as settings_module
from broadcaster.hosting import hosted
from broadcaster.storage.migrate import migrate
from broadcaster.wiring import App, open_app


@contextmanager
def session() -> Iterator[App]:
    """The parts of the product on a database that is up to date."""
    settings = settings_module.load()
    logs.configure(settings.log_level)
    with hosted(settings) as addressed:
        parts = open_app(addressed)
        try:
            migrate(parts.database, parts.vault)
            yield parts
        finally:
            parts.database.close()


def operator() -> str:
    """Who is at the keyboard, for the event log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
