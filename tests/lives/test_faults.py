"""Faults that are planted on purpose: the lives find each of them, so that they would find a real one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from broadcaster.announcement.lifecycle import TRANSITIONS, Event, State
from broadcaster.delivery import claiming, routing
from broadcaster.delivery.run import Run, Step
from broadcaster.operations import advance
from broadcaster.planning import moments
from broadcaster.planning.broadcast import Among
from broadcaster.storage import announcements, believing
from tests.lives.many import AS_DRAWN, play_many
from tests.lives.world import World

WITHIN = 200
"""After so many lives a fault is found."""
SEED = 6

Plant = Callable[[pytest.MonkeyPatch], None]


def repeat_what_is_outdated(plant: pytest.MonkeyPatch) -> None:
    """A call in doubt is made again although what it says is no longer true."""
    plant.setattr(claiming, "_outdated", lambda *_: frozenset())


def take_doubts_for_nothing(plant: pytest.MonkeyPatch) -> None:
    """Whoever may have been told is not counted."""
    for name in ("COUNT", "REASONS"):
        plant.setattr(believing, name, getattr(believing, name).replace("OR d.outcome = 'unknown'", ""))


def correct_again_and_again(plant: pytest.MonkeyPatch) -> None:
    """Whoever did not get their correction is sent another one, for as long as they are stale."""
    for name in ("COUNT", "REASONS"):
        plant.setattr(believing, name, getattr(believing, name).replace(believing.UNCORRECTED, believing.STALE))
    for name in ("NEXT", "IN_RANGE"):
        found = getattr(believing, name)
        wrong = {key: row.replace(believing.UNCORRECTED, believing.STALE) for key, row in found.items()}
        plant.setattr(believing, name, wrong)


def tell_everybody_of_a_change(plant: pytest.MonkeyPatch) -> None:
    """A correction goes to the whole audience."""
    real = moments._changed
    plant.setattr(moments, "_changed", lambda frame: (replace(row, among=Among.ALL) for row in real(frame)))


def let_the_clock_complete(plant: pytest.MonkeyPatch) -> None:
    """The planned end is taken for the end."""
    plant.setitem(TRANSITIONS, (State.IN_PROGRESS, Event.END_PASSED), State.COMPLETED)
    real = advance._move

    def move(connection, slug: str, event: Event, edge: datetime, now: datetime) -> bool:  # type: ignore[no-untyped-def]
        moved = real(connection, slug, event, edge, now)
        if moved and event is Event.END_PASSED:
            announcements.change(connection, slug, finished_at=edge, concluded_at=now)
        return moved

    plant.setattr(advance, "_move", move)


def tell_everybody_of_every_row(plant: pytest.MonkeyPatch) -> None:
    """People read of impact rows that do not concern them."""
    plant.setattr(claiming, "rows_for", lambda *_: ())


def repeat_through_another_provider(plant: pytest.MonkeyPatch) -> None:
    """A call in doubt is made again at a provider that never saw its key."""
    real = routing.repeat

    def repeat(run: Run, *values: Any) -> Step:
        step = real(run, *values)
        others = [provider for provider in run.providers.values() if provider is not step.provider]
        return replace(step, provider=others[0]) if others else step

    plant.setattr(routing, "repeat", repeat)


@pytest.mark.parametrize(
    ("plant", "seen"),
    [
        (repeat_what_is_outdated, "that is not true|is said while"),
        (take_doubts_for_nothing, "are counted as stale"),
        (correct_again_and_again, "corrected twice|never comes to rest"),
        (tell_everybody_of_a_change, "was told nothing else"),
        (tell_everybody_of_every_row, "that is not true: counters is None"),
        (repeat_through_another_provider, "goes through another provider"),
        (let_the_clock_complete, "restored is said, and no human said it"),
    ],
)
@pytest.mark.timeout(900)
def test_a_planted_fault_is_found(ground: World, monkeypatch: pytest.MonkeyPatch, plant: Plant, seen: str) -> None:
    """Within so many lives, by the rule that it breaks."""
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=seen):
        play_many(ground, WITHIN, SEED, AS_DRAWN)
