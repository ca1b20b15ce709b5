"""Pausing and halting: a broadcast, an announcement or everything; from the next call on, and nothing is lost by it."""

from __future__ import annotations

import pytest

from broadcaster import clock
from broadcaster.delivery import rounds
from broadcaster.errors import StateError
from broadcaster.operations import holding
from broadcaster.operations.holding import Target
from broadcaster.storage.holds import Scope
from tests.integration.test_guard import once
from tests.support.examples import SLUG, local
from tests.support.product import ACTOR, Product

EVERYTHING = Target(Scope.EVERYTHING)
ANNOUNCEMENT = Target(Scope.ANNOUNCEMENT, SLUG)


@pytest.fixture
def opened(product: Product) -> tuple[Product, str]:
    """The SMS notice to 300 people, opened, nothing of it carried yet."""
    product.at(local("2022-02-18 10:00"))
    product.gather(300)
    product.publish()
    return product, product.open("sms")


def hold(product: Product, target: Target, *, halted: bool = False) -> None:
    """Hold something back, as an operator would."""
    with product.transaction() as connection:
        holding.hold(connection, target, "a test", ACTOR, clock.now(), halted=halted)


def resume(product: Product, target: Target) -> None:
    """Let it go on."""
    with product.transaction() as connection:
        holding.resume(connection, target, ACTOR, clock.now())


def targets(broadcast: str) -> list[Target]:
    """Everything that holds a broadcast back."""
    return [EVERYTHING, ANNOUNCEMENT, Target(Scope.BROADCAST, broadcast[:8])]


@pytest.mark.parametrize("number", range(3), ids=["everything", "announcement", "broadcast"])
def test_the_call_after_a_pause_is_not_made(opened: tuple[Product, str], number: int) -> None:
    """Paused during the first call, the second is not begun; resumed, the rest is told, once."""
    product, broadcast = opened
    target = targets(broadcast)[number]
    product.deliver(broadcast, product.worker("sms", once(lambda: hold(product, target))))
    assert len(product.shown(broadcast)) == 200
    assert product.broadcast(broadcast).accepted == 200
    resume(product, target)
    product.deliver(broadcast)
    assert list(product.shown(broadcast).values()) == [1] * 300


def test_what_is_held_back_is_not_put_on_the_queue(opened: tuple[Product, str]) -> None:
    """One broadcast is paused; the other channels' go on."""
    product, broadcast = opened
    hold(product, Target(Scope.BROADCAST, broadcast))
    [held] = product.batches(broadcast)
    fed = rounds.feed(product.parts.database, clock.now(), 100)
    assert fed
    assert held.id not in fed


def test_a_halt_takes_the_place_of_a_pause(opened: tuple[Product, str]) -> None:
    """What somebody must look into is not hidden by a routine pause; the other way round is refused."""
    product, _ = opened
    hold(product, ANNOUNCEMENT)
    hold(product, ANNOUNCEMENT, halted=True)
    with pytest.raises(StateError, match="held back already"):
        hold(product, ANNOUNCEMENT)


def test_what_is_not_paused_cannot_be_resumed(opened: tuple[Product, str]) -> None:
    """And it is said what is held back instead."""
    product, _ = opened
    hold(product, EVERYTHING)
    with pytest.raises(StateError, match="is not paused") as caught:
        resume(product, ANNOUNCEMENT)
    assert caught.value.hint == "held back now: everything"


def test_an_id_that_nobody_has_is_said(opened: tuple[Product, str]) -> None:
    """Nothing is held back by a slip of the pen."""
    product, _ = opened
    with pytest.raises(StateError, match="no broadcast has an id that begins with 'zz'"):
        hold(product, Target(Scope.BROADCAST, "zz"))


def test_a_closed_broadcast_cannot_be_held_back(opened: tuple[Product, str]) -> None:
    """It is over."""
    product, broadcast = opened
    product.deliver(broadcast)
    with pytest.raises(StateError, match="is closed"):
        hold(product, Target(Scope.BROADCAST, broadcast))
