"""A worker that is frozen between writing a call down and sending it, and goes on when another has its batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from broadcaster import clock
from broadcaster.channels.base import Adapter, Call, Delivery, Idempotency
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.transport import Transport
from broadcaster.delivery.courier import Courier
from tests.channels.stand_ins import StandIn, Street, add, street
from tests.support.adapters import adapter_of, with_adapter
from tests.support.examples import example, local
from tests.support.polling import eventually
from tests.support.product import Product

PEOPLE = 3
SMS = CHANNELS["sms"]
VISIBLE_AFTER = timedelta(seconds=3)


@dataclass(slots=True)
class Late:
    """An adapter whose first call is made late: something else happens right before it."""

    real: Adapter
    before: Callable[[], None]
    frozen: bool = True
    idempotency: Idempotency = field(init=False)
    dedupes_for: timedelta = field(init=False)
    visible_after: timedelta = field(init=False)

    def __post_init__(self) -> None:
        self.idempotency, self.dedupes_for = self.real.idempotency, self.real.dedupes_for
        self.visible_after = self.real.visible_after

    @property
    def members_per_call(self) -> int:
        """As many as the real one takes."""
        return self.real.members_per_call

    def send(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery]:
        """Make the call, the first time after what happens meanwhile."""
        if self.frozen:
            self.frozen = False
            self.before()
        return self.real.send(call, provider, transport)

    def ask(self, call: Call, provider: Provider, transport: Transport) -> Sequence[Delivery] | None:
        """Ask as the real one does."""
        return self.real.ask(call, provider, transport)


@pytest.fixture
def stand_ins() -> Iterator[Street]:
    """Where this test's provider is."""
    with street() as found:
        yield found


@pytest.fixture
def notice(product: Product) -> str:
    """A notice to a few people, open."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish(example())
    return product.open("sms")


def courier_of(product: Product, stand_in: StandIn, before: Callable[[], None] | None = None) -> Courier:
    """A worker that reaches people through the stand-in."""
    adapter = Late(adapter_of(SMS), before) if before else adapter_of(SMS)
    providers = {"sms": {stand_in.provider.name: stand_in.provider}}
    return product.another_courier(providers=providers, channels={"sms": with_adapter(SMS, adapter)})


@pytest.mark.parametrize("idempotency", Idempotency)
def test_a_worker_that_thaws_before_its_call_tells_nobody_twice(
    product: Product, stand_ins: Street, notice: str, idempotency: Idempotency
) -> None:
    """Another has settled everything meanwhile: the late call is deduped, refused as too old, or the only one."""
    stand_in = add(stand_ins, SMS, idempotency, VISIBLE_AFTER)
    other = courier_of(product, stand_in)

    def carried_by_the_other() -> bool:
        product.end_waits()
        product.deliver(notice, other)
        return all(batch.done for batch in product.batches(notice))

    def another_takes_over() -> None:
        began = clock.machine_now()
        eventually(carried_by_the_other, "the other worker carries the batch to its end")
        eventually(lambda: clock.machine_now() - began > VISIBLE_AFTER, "a signature of before is too old")

    product.deliver(notice, courier_of(product, stand_in, another_takes_over))
    shown = dict(stand_ins.archive.shown()).get(notice, {})
    outcomes = {str(row.outcome) for row in product.ledger(notice)}
    assert list(shown.values()) == [1] * PEOPLE or (idempotency is Idempotency.NONE and not shown)
    assert outcomes == {"unknown" if idempotency is Idempotency.NONE else "accepted"}
