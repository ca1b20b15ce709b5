"""Impact rows that do not concern everybody: one message each, in words about what concerns its reader."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import pytest

from broadcaster.channels.sms.adapter import CHANNEL as SMS
from broadcaster.delivery.courier import Courier
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from tests.support.adapters import Overheard, adapter_of, with_adapter
from tests.support.changing import audience, move, replace_with
from tests.support.examples import example, local
from tests.support.product import Killed, Product, kill

RETIRED, HOSPITAL, NEITHER = (f"+86100000000{number:02}" for number in range(3))
PENSION, SETTLEMENT, SHARING = "养老、失业、工伤保险和职业年金业务", "工伤医疗费用登记和联网结算", "社保信息共享"


def divided() -> Proposal:
    """The example, whose pension row concerns retired people, and whose settlement row hospitals."""
    proposal = example()
    announcement = proposal.announcement
    of_row = {0: "tag:retired", 1: "tag:hospital"}
    impacts = [
        impact.model_copy(update={"audience": of_row[number]}) if number in of_row else impact
        for number, impact in enumerate(announcement.impacts)
    ]
    return proposal.model_copy(update={"announcement": announcement.model_copy(update={"impacts": tuple(impacts)})})


@pytest.fixture
def heard() -> Overheard:
    """What goes out by SMS."""
    return Overheard(adapter_of(SMS))


@pytest.fixture
def worker(product: Product, heard: Overheard) -> Courier:
    """A worker whose calls are overheard, before three people whom different rows concern."""
    product.at(local("2022-02-18 10:00"))
    audience(product, {RETIRED: ("retired",), HOSPITAL: ("hospital",), NEITHER: ()})
    return product.another_courier(channels={**product.parts.channels, "sms": with_adapter(SMS, heard)})


def deliver(product: Product, worker: Courier, phase: Phase = Phase.NOTICE) -> str:
    """Carry what is due by SMS."""
    broadcast = product.open("sms", phase)
    product.deliver(broadcast, worker)
    return broadcast


def said(heard: Overheard) -> Mapping[str, str]:
    """Phone → the text that it was sent last."""
    return {
        member.address: call.messages[member.language].parts["text"] for call in heard.calls for member in call.members
    }


def test_everybody_reads_what_concerns_them(product: Product, worker: Courier, heard: Overheard) -> None:
    """And nobody gets a second message for the rest."""
    product.publish(divided())
    broadcast = deliver(product, worker)
    texts = said(heard)
    told = {phone: [words in texts[phone] for words in (PENSION, SETTLEMENT, SHARING)] for phone in texts}
    assert told == {
        RETIRED: [True, False, True],
        HOSPITAL: [False, True, True],
        NEITHER: [False, False, True],
    }
    assert sorted(product.shown(broadcast).values()) == [1, 1, 1]


def test_an_undivided_announcement_is_told_as_a_whole(product: Product, worker: Courier, heard: Overheard) -> None:
    """All in one call."""
    product.publish(example())
    deliver(product, worker)
    [call] = heard.calls
    assert (call.rows, len(call.members)) == ((), 3)


def test_a_call_that_is_made_again_says_the_same(product: Product, worker: Courier, heard: Overheard) -> None:
    """From which side it tells stands in its row, for the worker that takes over."""
    product.publish(divided())
    broadcast = product.open("sms")
    heard.afterwards = kill
    with contextlib.suppress(Killed):
        product.deliver(broadcast, worker)
    [first] = heard.calls
    heard.afterwards = lambda: None
    product.end_waits()
    product.deliver(broadcast, worker)
    [again] = [call for call in heard.calls[1:] if call.key == first.key]
    assert again == first
    assert sorted(product.shown(broadcast).values()) == [1, 1, 1]


def test_a_correction_is_told_from_both_sides(product: Product, worker: Courier, heard: Overheard) -> None:
    """What has changed for its reader, and the rows that concern them."""
    product.publish(divided())
    deliver(product, worker)
    product.at(local("2022-02-19 10:00"))
    move(product, end=local("2022-03-25 00:00"), resume=local("2022-03-25 00:00"))
    deliver(product, worker, Phase.CHANGED)
    changed = [call for call in heard.calls if call.phase is Phase.CHANGED]
    assert sorted(len(call.members) for call in changed) == [1, 1, 1]
    assert all(call.changes for call in changed)
    assert len({call.rows for call in changed}) == 3


def test_a_row_that_comes_to_concern_somebody_is_told_to_them(
    product: Product, worker: Courier, heard: Overheard
) -> None:
    """Who read the whole of it holds nothing that is untrue of the rows left to them, but of the others."""
    product.publish(example())
    deliver(product, worker)
    heard.calls.clear()
    product.at(local("2022-02-19 10:00"))
    replace_with(product, divided())
    deliver(product, worker, Phase.CHANGED)
    assert {member.address for call in heard.calls for member in call.members} == {RETIRED, HOSPITAL, NEITHER}
    assert {call.rows for call in heard.calls} == {
        ("insurance-everywhere", "sharing-with-departments"),
        ("settlement-at-hospitals", "sharing-with-departments"),
        ("sharing-with-departments",),
    }
