"""Random lives of announcements: whatever happens, nobody is left believing what is no longer true."""

from __future__ import annotations

import os

import pytest

from tests.lives.many import play_many
from tests.lives.world import World

LIVES = int(os.environ.get("LIVES", "500"))
SEED = int(os.environ.get("LIVES_SEED", "20220226"))
PARTS = 4
"""Each of its own seed, so that several processes share the work."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_nobody_is_left_believing_what_is_no_longer_true(ground: World, part: int) -> None:
    """So many random lives, and every rule holds in each of them."""
    play_many(ground, LIVES // PARTS, SEED + part)
