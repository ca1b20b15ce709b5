"""One private Postgres and Redis for the whole run, a database of its own for each test, and the product upon them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from broadcaster.embedded import discard
from broadcaster.embedded import services as embedded_services
from broadcaster.errors import StateError
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.storage.database import Database
from tests.support import databases
from tests.support.cli import Cli
from tests.support.product import Product, running_product

NOWHERE = "http://127.0.0.1:9"
"""An address that nobody answers at: the discard port."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the run's Postgres and this worker's part of its Redis are."""

    postgres: str
    redis: str


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run have in common."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def servers(shared: Path, worker_id: str) -> Iterator[Servers]:
    """A running Postgres with a migrated template, and a Redis database that no other worker uses."""
    data = shared / "services"
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1
    with embedded_services(data) as addresses:
        with databases.only_one(shared, "template"):
            databases.make_template(addresses.database_url)
        yield Servers(addresses.database_url, f"{addresses.redis_url}?db={number}")
    with suppress(StateError):  # another worker still uses them; the last one cleans up
        discard(data)


@pytest.fixture
def database_url(servers: Servers) -> Iterator[str]:
    """The address of a migrated database of this test alone."""
    with databases.fresh(servers.postgres) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of this test alone."""
    found = Database(database_url)
    yield found
    found.close()


@pytest.fixture
def product(tmp_path: Path, database_url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """The product in this process, with a sandbox."""
    with running_product(tmp_path / "data", database_url, servers.redis, monkeypatch) as found:
        yield found


@pytest.fixture
def cli(tmp_path: Path, database_url: str, servers: Servers) -> Cli:
    """The command line on a database of this test, with a site whose providers nobody answers for."""
    data = tmp_path / "data"
    data.mkdir()
    write_sandbox_site(data, sandbox_url=NOWHERE, public_url=NOWHERE)
    return Cli(data, {"DATABASE_URL": database_url, "REDIS_URL": servers.redis})


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder that nobody made yet; what private services leave in it is deleted in the end."""
    folder = tmp_path / "data"
    yield folder
    discard(folder)


@pytest.fixture
def bare_cli(data: Path) -> Cli:
    """The command line where nothing is configured."""
    return Cli(data)
