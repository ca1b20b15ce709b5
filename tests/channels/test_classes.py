"""What repeating a call and asking about it mean in our own format: every channel against a stand-in of every class.

What holds for every supplier is in `test_pairs`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broadcaster.channels.base import (
    Channel,
    Idempotency,
    Outcome,
    RecipientKind,
    idempotency_of,
    visible_after_of,
)
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from tests.channels.samples import SECRET, address, every_channel
from tests.channels.stand_ins import StandIn, Street, add
from tests.support.adapters import adapter_of

every_class = pytest.mark.parametrize("idempotency", Idempotency)
queryable = pytest.mark.parametrize("idempotency", [Idempotency.QUERYABLE])
REFUSING = [channel for channel in CHANNELS.values() if channel.reaches is RecipientKind.PERSON]
"""Channels whose stand-in refuses somebody."""


@pytest.fixture
def stand_in(one_street: Street, channel: Channel, idempotency: Idempotency) -> StandIn:
    """A stand-in of the class that the test is about."""
    return add(one_street, channel, idempotency)


@every_channel
@every_class
def test_a_repeated_call_gets_the_same_answer(stand_in: StandIn) -> None:
    """The answer alone does not tell whether the public saw it twice."""
    assert stand_in.send() == stand_in.send()


@every_channel
@every_class
def test_only_an_idempotent_provider_shows_a_repeated_call_once(stand_in: StandIn, idempotency: Idempotency) -> None:
    """The others show it again, and the sandbox counts both the repeat and the duplicates."""
    archive = stand_in.street.archive
    before = archive.totals()
    stand_in.send()
    stand_in.send()
    twice = idempotency is not Idempotency.IDEMPOTENT
    assert stand_in.shown() == stand_in.everybody(2 if twice else 1)
    duplicates = len(stand_in.sample.members) if twice else 0
    assert archive.totals()["duplicates"] - before["duplicates"] == duplicates
    assert archive.totals()["repeats"] - before["repeats"] == 1


@every_channel
@queryable
def test_asked_after_seen_it_says_what_the_call_was_answered(stand_in: StandIn) -> None:
    """The same deliveries as the answer itself, however often it is asked; asking shows nobody anything."""
    sent = stand_in.send()
    assert [stand_in.ask(), stand_in.ask()] == [sent, sent]
    assert stand_in.shown() == stand_in.everybody(1)


@pytest.mark.parametrize("channel", REFUSING, ids=[channel.slug for channel in REFUSING])
@queryable
def test_who_was_refused_is_refused_in_the_answer_to_a_question(stand_in: StandIn) -> None:
    """A question is answered with everything that the call was told."""
    first, *others = stand_in.sample.members
    members = (first._replace(address=address(stand_in.channel, "999")), *others)
    strict = replace(stand_in, sample=replace(stand_in.sample, members=members))
    sent = strict.send()
    assert [row.outcome for row in sent][:2] == [Outcome.REJECTED, Outcome.ACCEPTED]
    assert strict.ask() == sent


@every_channel
def test_without_a_word_of_the_site_the_adapter_says_what_a_provider_is(channel: Channel) -> None:
    """And the site's word on one provider goes before."""
    silent = Provider("vendor", "https://vendor.example", SECRET)
    assert idempotency_of(channel, silent) is adapter_of(channel).idempotency
    assert visible_after_of(channel, silent) == adapter_of(channel).visible_after
    said = replace(silent, idempotency=Idempotency.NONE, visible_after=timedelta(0))
    assert idempotency_of(channel, said) is Idempotency.NONE
    assert visible_after_of(channel, said) == timedelta(0)


@every_channel
def test_an_adapter_waits_longer_than_a_signature_holds(channel: Channel) -> None:
    """Five minutes is what the webhook scheme asks of receivers."""
    assert adapter_of(channel).visible_after > timedelta(minutes=5)
    assert adapter_of(channel).dedupes_for > adapter_of(channel).visible_after
