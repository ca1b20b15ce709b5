"""Random lives of announcements: whatever happens, nobody is left believing what is no longer true."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.conftest import Servers
from tests.lives.life import Life, lives
from tests.lives.player import play
from tests.lives.world import World, world
from tests.support import databases

LIVES = int(os.environ.get("LIVES", "500"))
SEED = int(os.environ.get("LIVES_SEED", "20220226"))


@pytest.fixture(scope="module")
def ground(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all lives."""
    with pytest.MonkeyPatch.context() as environment, databases.fresh(servers.postgres) as url:
        with world(tmp_path_factory.mktemp("lives"), url, environment) as found:
            yield found


@pytest.mark.timeout(3600)
def test_nobody_is_left_believing_what_is_no_longer_true(ground: World) -> None:
    """So many random lives, and every rule holds in each of them."""

    @seed(SEED)
    @settings(max_examples=LIVES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(lives())
    def lived(life: Life) -> None:
        play(ground, life)

    lived()
