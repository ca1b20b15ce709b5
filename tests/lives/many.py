"""Many lives: as Hypothesis draws them, one after the other in one world; the first that breaks a rule is shrunk."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, note, seed, settings

from tests.lives.life import Life, lives
from tests.lives.player import play
from tests.lives.world import World

AS_DRAWN = (Phase.generate,)
SHRUNK = (Phase.generate, Phase.shrink)


def play_many(
    world: World,
    number: int,
    of_seed: int,
    phases: tuple[Phase, ...] = SHRUNK,
    after_each: Callable[[], None] = lambda: None,
) -> None:
    """Play so many lives of a seed; raises AssertionError with the simplest life that breaks a rule."""

    @seed(of_seed)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(lives())
    def lived(life: Life) -> None:
        note(repr(life))
        play(world, life)
        after_each()

    lived()
