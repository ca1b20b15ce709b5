"""The ground that everything is measured on: private services, and a database for each purpose.

Every arm uses the same Postgres with the product's own settings: nothing about durability is changed for a measurement.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from psycopg import sql
from sqlalchemy import make_url

from bench.audience import Imported, import_people, write_people
from bench.sink import SECRET_VARIABLE
from bench.site import write_site
from broadcaster.embedded import Services, discard, services
from broadcaster.settings import Settings
from broadcaster.storage.database import Database
from broadcaster.storage.migrate import migrate
from broadcaster.vault import ensure_keyring

SECRET = "whsec_YmVuY2htYXJrcyBhcmUgc2lnbmVkIGxpa2UgZXZlcnl0aGluZw=="  # noqa: S105 - signs calls to ourselves

NOWHERE = "http://127.0.0.1:9"
"""The discard port."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Private services in a folder that is removed in the end."""

    folder: Path
    services: Services

    def settings(self, name: str) -> Settings:
        """The settings of a product with the database of this name, and a data folder of its own."""
        return Settings(
            data=self.folder / name, database_url=self._url(name), redis_url=self.services.redis_url, log_level="INFO"
        )

    def make(self, name: str) -> Settings:
        """A database with the product's tables and keys, and nobody in it."""
        self._administer("CREATE DATABASE {}", name)
        settings = self.settings(name)
        settings.data.mkdir(parents=True)
        ensure_keyring(settings.keys_file)
        # Every run of the product writes the site that it needs; until then there is one that nobody answers for.
        write_site(settings.data, NOWHERE, NOWHERE, members_per_call=1)
        database = Database(self._url(name))
        migrate(database)
        database.close()
        return settings

    def people(self, name: str, rows: int) -> tuple[Settings, Imported]:
        """A database with so many people in it, and what importing them took."""
        settings, path = self.make(name), self.folder / f"{name}.csv"
        write_people(path, rows)
        self.calm()
        imported = import_people(settings, path, rows)
        path.unlink()
        # What autovacuum would do a minute after an import, done before anything is measured instead of meanwhile.
        with psycopg.connect(self._url(name), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        return settings, imported

    def drop(self, name: str) -> None:
        """Make room on the disk."""
        self._administer("DROP DATABASE {} WITH (FORCE)", name)
        shutil.rmtree(self.folder / name)

    def calm(self) -> None:
        """Nothing on the queue, nothing still to be written out: every run begins alike."""
        redis.Redis.from_url(self.services.redis_url).flushall()
        with psycopg.connect(self.services.database_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def _url(self, name: str) -> str:
        return make_url(self.services.database_url).set(database=name).render_as_string(hide_password=False)

    def _administer(self, statement: str, name: str) -> None:
        with psycopg.connect(self.services.database_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Private services for the block; nothing of them is left behind."""
    os.environ[SECRET_VARIABLE] = SECRET
    _remove(folder)
    try:
        with services(folder) as private:
            yield Ground(folder, private)
    except Exception:
        _keep_logs(folder, folder.with_name("logs"))
        raise
    finally:
        _remove(folder)


def _keep_logs(folder: Path, to: Path) -> None:
    """After a failure the logs of the processes say why."""
    shutil.rmtree(to, ignore_errors=True)
    for logs in folder.glob("*/logs"):
        shutil.copytree(logs, to / logs.parent.name)


def _remove(folder: Path) -> None:
    discard(folder)
    shutil.rmtree(folder, ignore_errors=True)
