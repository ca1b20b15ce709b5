"""One world for all lives of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Servers
from tests.lives.world import World, world
from tests.support import databases


@pytest.fixture(scope="module")
def ground(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all lives."""
    folder = tmp_path_factory.mktemp("lives")
    with (
        pytest.MonkeyPatch.context() as environment,
        databases.fresh(servers.postgres) as url,
        world(folder, url, environment) as found,
    ):
        yield found
