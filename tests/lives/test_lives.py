"""Random lives of announcements: whatever happens, nobody is left believing what is no longer true."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.lives.life import Life, lives
from tests.lives.player import play
from tests.lives.world import World

LIVES = int(os.environ.get("LIVES", "500"))
SEED = int(os.environ.get("LIVES_SEED", "20220226"))


@pytest.mark.timeout(3600)
def test_nobody_is_left_believing_what_is_no_longer_true(ground: World) -> None:
    """So many random lives, and every rule holds in each of them."""

    @seed(SEED)
    @settings(max_examples=LIVES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(lives())
    def lived(life: Life) -> None:
        play(ground, life)

    lived()
