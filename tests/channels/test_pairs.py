"""What holds for every channel with each of its suppliers: one set of cases, each pair against its own stand-in.

Which cases concern a provider follows from its class alone, as its adapter declares it or, in our own format, as the
site says. What one format adds is in the files on that format.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcaster.channels.base import Outcome, visible_after_of
from broadcaster.channels.callback import Callback, ForgedError, ReceiptStatus
from broadcaster.channels.simulation import Target
from broadcaster.channels.transport import STALE, Transport
from broadcaster.clock import machine_now
from broadcaster.errors import AmbiguousError, TransientError
from broadcaster.sandbox.faults import FaultKind
from tests.channels.http_server import local_server
from tests.channels.pairs import (
    ENTRIES,
    PAIRS,
    Case,
    calling_back,
    every_case,
    idempotent,
    never_calling_back,
    not_idempotent,
    not_queryable,
    queryable,
)
from tests.channels.stand_ins import StandIn, Street
from tests.support.polling import eventually

LOST = {
    "dropped": {"kind": FaultKind.DROP_AFTER},
    "500": {"kind": FaultKind.STATUS, "status": 500, "accepted": True},
}
after_losing = pytest.mark.parametrize("fault", LOST.values(), ids=list(LOST))


@pytest.fixture
def stand_in(one_street: Street, case: Case) -> StandIn:
    """A stand-in that nobody has called, for which all goes well."""
    return case.open(one_street)


def lose(stand_in: StandIn, **fault: object) -> None:
    """Make the call, and get no answer that says what became of it."""
    stand_in.order(**fault)
    with pytest.raises(AmbiguousError):
        stand_in.send()


def test_every_registered_pair_has_an_entry() -> None:
    """A new supplier is held to all of this as soon as it is known how its provider is configured."""
    assert set(ENTRIES) == set(PAIRS)


# Calls


@every_case
def test_a_call_is_accepted_and_shown_once(stand_in: StandIn) -> None:
    """One delivery a member, in the order of the call; and nobody else is shown anything."""
    sent = stand_in.send()
    assert [(row.recipient_id, row.outcome) for row in sent] == [
        (member.id, Outcome.ACCEPTED) for member in stand_in.sample.members
    ]
    assert stand_in.shown() == stand_in.everybody(1)


@idempotent
def test_a_repeated_call_is_answered_the_same_and_shown_once(stand_in: StandIn) -> None:
    """That is what the class says."""
    assert stand_in.send() == stand_in.send()
    assert stand_in.shown() == stand_in.everybody(1)


@not_idempotent
def test_a_repeated_call_is_shown_twice_at_most_where_nothing_repeats_it(stand_in: StandIn) -> None:
    """Shown again, or refused as in doubt: the courier never makes a call again that may have arrived there."""
    stand_in.send()
    try:
        stand_in.send()
    except AmbiguousError:
        assert stand_in.shown() == stand_in.everybody(1)
    else:
        assert stand_in.shown() == stand_in.everybody(2)


@every_case
def test_a_call_that_was_written_down_long_ago_is_refused(stand_in: StandIn) -> None:
    """What a frozen worker sends late is not accepted any more: it may have been sent anew."""
    age = visible_after_of(stand_in.channel, stand_in.provider) or STALE + timedelta(seconds=1)
    with pytest.raises(TransientError):
        stand_in.send(Transport(allow_private=True).dated(machine_now() - age))
    assert stand_in.shown() == stand_in.everybody(0)


@every_case
@pytest.mark.parametrize(("status", "after"), [(503, None), (429, 7)])
def test_what_is_put_off_was_shown_to_nobody_and_goes_through_later(
    stand_in: StandIn, status: int, after: int | None
) -> None:
    """Surely not accepted, and not before the provider said."""
    stand_in.order(kind=FaultKind.STATUS, status=status, retry_after=after)
    with pytest.raises(TransientError) as caught:
        stand_in.send()
    assert caught.value.retry_after == after
    assert stand_in.shown() == stand_in.everybody(0)
    assert {row.outcome for row in stand_in.send()} == {Outcome.ACCEPTED}
    assert stand_in.shown() == stand_in.everybody(1)


@every_case
def test_where_nobody_listens_nobody_was_told(stand_in: StandIn) -> None:
    """A refused connection is not ambiguous."""
    with local_server() as gone:
        pass
    with pytest.raises(TransientError):
        stand_in.elsewhere(gone.url).send()


# Lost answers


@every_case
@after_losing
def test_an_answer_that_is_lost_leaves_the_call_in_doubt(stand_in: StandIn, fault: dict[str, object]) -> None:
    """The public saw it."""
    lose(stand_in, **fault)
    assert stand_in.shown() == stand_in.everybody(1)


@every_case
def test_a_call_that_is_dropped_unread_is_in_doubt_too(stand_in: StandIn) -> None:
    """From outside it looks the same."""
    lose(stand_in, kind=FaultKind.DROP_BEFORE)
    assert stand_in.shown() == stand_in.everybody(0)


@idempotent
@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE])
def test_made_again_after_a_lost_answer_it_is_accepted_and_shown_once(stand_in: StandIn, kind: FaultKind) -> None:
    """Whether or not it had arrived."""
    lose(stand_in, kind=kind)
    assert [row.outcome for row in stand_in.send()] == stand_in.everybody(Outcome.ACCEPTED)
    assert stand_in.shown() == stand_in.everybody(1)


@queryable
@after_losing
def test_asked_after_a_lost_answer_it_says_what_was_accepted(stand_in: StandIn, fault: dict[str, object]) -> None:
    """However often it is asked; asking shows nobody anything."""
    lose(stand_in, **fault)
    for _ in range(2):
        assert [(row.recipient_id, row.outcome) for row in stand_in.ask() or ()] == [
            (member.id, Outcome.ACCEPTED) for member in stand_in.sample.members
        ]
    assert stand_in.shown() == stand_in.everybody(1)


@queryable
def test_asked_after_never_seen_it_is_sure_of_it(stand_in: StandIn) -> None:
    """Also when the call came as far as its door."""
    assert stand_in.ask() is None
    lose(stand_in, kind=FaultKind.DROP_BEFORE)
    assert stand_in.ask() is None


@queryable
def test_asked_too_early_it_has_not_seen_it_yet(stand_in: StandIn) -> None:
    """That is why an early "never seen" settles nothing; a moment later it knows."""
    stand_in.order(kind=FaultKind.HIDDEN, seconds=0.3)
    stand_in.send()
    assert stand_in.ask() is None
    eventually(lambda: stand_in.ask() is not None, "it knows of the call")


@queryable
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": FaultKind.STATUS, "status": 500},
        {"kind": FaultKind.STATUS, "status": 429, "retry_after": 1},
        {"kind": FaultKind.DROP_BEFORE},
    ],
    ids=["500", "429", "dropped"],
)
def test_a_question_that_fails_says_nothing(stand_in: StandIn, fault: dict[str, object]) -> None:
    """Neither "never seen" nor "refused"; it is asked again, and then there is an answer."""
    stand_in.send()
    stand_in.order(target=Target.QUESTIONS, **fault)
    with pytest.raises((TransientError, AmbiguousError)):
        stand_in.ask()
    assert [row.outcome for row in stand_in.ask() or ()] == stand_in.everybody(Outcome.ACCEPTED)


@not_queryable
def test_who_cannot_be_asked_gives_no_answer(stand_in: StandIn) -> None:
    """Neither before nor after the call: least of all "never seen"."""
    with pytest.raises((TransientError, AmbiguousError)):
        stand_in.ask()
    stand_in.send()
    with pytest.raises((TransientError, AmbiguousError)):
        stand_in.ask()


# Callbacks


@calling_back
def test_its_own_callback_is_believed(stand_in: StandIn) -> None:
    """It says of every member that they got it."""
    stand_in.send()
    heard = stand_in.hear(stand_in.callback())
    assert [row.status for row in heard.receipts] == stand_in.everybody(ReceiptStatus.DELIVERED)


@calling_back
def test_a_forged_callback_is_refused(stand_in: StandIn, case: Case, one_street: Street) -> None:
    """The same words without their proof, or with the proof of another provider."""
    stand_in.send()
    found = stand_in.callback()
    with pytest.raises(ForgedError):
        stand_in.hear(Callback(found.method, {}, {}, found.body))
    with pytest.raises(ForgedError):
        case.open(one_street).hear(found)


@never_calling_back
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_calls_nobody_back_did_not_send_this(stand_in: StandIn, method: str) -> None:
    """Whoever calls in its name is somebody else."""
    with pytest.raises(ForgedError):
        stand_in.hear(Callback(method, {}, {}, b'{"type": "receipt", "data": {"receipts": []}}'))
