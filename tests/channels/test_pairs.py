"""What holds for every channel with each of its suppliers: one set of cases, each pair against its own stand-in.

`test_classes` has what our own format adds, the files on vendors what theirs do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from broadcaster.channels.base import Idempotency, Outcome, adapter_of, idempotency_of
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.channels.transport import Transport
from broadcaster.clock import machine_now
from broadcaster.errors import AmbiguousError, TransientError
from broadcaster.sandbox.faults import FaultKind
from tests.channels.samples import OURS
from tests.channels.stand_ins import StandIn, add, street
from tests.channels.vendors import OPTIONS, Vendor, vendor
from tests.support.polling import eventually

Pair = tuple[str, str]
PAIRS: list[Pair] = [(slug, WEBHOOK) for slug in OURS] + [("sms", supplier) for supplier in OPTIONS]
CAN_BE_ASKED: list[Pair] = [(slug, WEBHOOK) for slug in OURS] + [("sms", "aliyun")]
SHORTEST = timedelta(seconds=10)
every_pair = pytest.mark.parametrize("pair", PAIRS, ids="-".join)
askable = pytest.mark.parametrize("pair", CAN_BE_ASKED, ids="-".join)


@pytest.fixture
def stand_in(pair: Pair) -> Iterator[StandIn | Vendor]:
    """The pair's stand-in: of our own format as one that can be asked, of a vendor as what the vendor is."""
    slug, supplier = pair
    if supplier != WEBHOOK:
        with vendor(supplier, at=f"/{slug}/vendor", visible_after=SHORTEST) as found:
            yield found
        return
    with street() as one:
        yield add(one, CHANNELS[slug], Idempotency.QUERYABLE, SHORTEST)


@every_pair
def test_a_call_is_accepted_and_shown_once(stand_in: StandIn | Vendor) -> None:
    """One delivery a member, in the order of the call."""
    sent = stand_in.send()
    assert [(row.recipient_id, row.outcome) for row in sent] == [
        (member.id, Outcome.ACCEPTED) for member in stand_in.sample.members
    ]
    assert set(stand_in.shown()) == {1}


@every_pair
def test_a_call_that_was_written_down_long_ago_is_refused(stand_in: StandIn | Vendor) -> None:
    """What a frozen worker sends late is not accepted any more: it may have been sent anew."""
    with pytest.raises(TransientError):
        stand_in.send(transport=Transport(allow_private=True).dated(machine_now() - SHORTEST))
    assert set(stand_in.shown()) == {0}


@every_pair
def test_a_repeated_call_is_shown_twice_at_most_where_nothing_repeats_it(stand_in: StandIn | Vendor) -> None:
    """Only a provider that says so dedupes; at any other the courier never makes a call again that may have arrived."""
    stand_in.send()
    try:
        stand_in.send()
    except AmbiguousError:
        assert set(stand_in.shown()) == {1}
    else:
        assert idempotency_of(stand_in.channel, stand_in.provider) is not Idempotency.IDEMPOTENT
        assert set(stand_in.shown()) == {2}


@every_pair
def test_an_answer_that_is_lost_leaves_the_call_in_doubt(stand_in: StandIn | Vendor) -> None:
    """The public saw it."""
    stand_in.order(kind=FaultKind.DROP_AFTER)
    with pytest.raises(AmbiguousError):
        stand_in.send()
    assert set(stand_in.shown()) == {1}


@askable
def test_asked_after_a_lost_answer_it_says_what_was_accepted(stand_in: StandIn | Vendor) -> None:
    """However often it is asked; asking shows nobody anything."""
    stand_in.order(kind=FaultKind.DROP_AFTER)
    with pytest.raises(AmbiguousError):
        stand_in.send()
    for _ in range(2):
        assert {row.outcome for row in stand_in.ask() or ()} == {Outcome.ACCEPTED}
    assert set(stand_in.shown()) == {1}


@askable
def test_asked_after_never_seen_it_is_sure_of_it(stand_in: StandIn | Vendor) -> None:
    """Also when the call came as far as its door."""
    assert stand_in.ask() is None
    stand_in.order(kind=FaultKind.DROP_BEFORE)
    with pytest.raises(AmbiguousError):
        stand_in.send()
    assert stand_in.ask() is None


@askable
def test_asked_too_early_it_has_not_seen_it_yet(stand_in: StandIn | Vendor) -> None:
    """That is why an early "never seen" settles nothing; a moment later it knows."""
    stand_in.order(kind=FaultKind.HIDDEN, seconds=0.3)
    stand_in.send()
    assert stand_in.ask() is None
    eventually(lambda: stand_in.ask() is not None, "it knows of the call")


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair not in CAN_BE_ASKED], ids="-".join)
def test_who_cannot_be_asked_gives_no_answer(stand_in: StandIn | Vendor) -> None:
    """Least of all "never seen"; and its class says so."""
    assert adapter_of(stand_in.channel, stand_in.provider).idempotency is not Idempotency.QUERYABLE
    stand_in.send()
    with pytest.raises(AmbiguousError):
        stand_in.ask()
