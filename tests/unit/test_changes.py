"""Changes: from the broadcasts that stand to those that are wanted, without touching what has begun."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broadcaster.announcement.lifecycle import State
from broadcaster.planning.broadcast import PERHAPS_SENT, Broadcast, BroadcastState
from broadcaster.planning.changes import compare
from broadcaster.planning.phase import Phase
from broadcaster.planning.planner import plan
from broadcaster.planning.situation import Situation
from tests.builders import announcement_data, at, example, proposal

ROW = Broadcast(
    id="a" * 20,
    slug="pump-works",
    revision=1,
    channel="sms",
    phase=Phase.NOTICE,
    occurrence="approval",
    due_at=at("2030-05-01 10:00"),
    expires_at=at("2030-05-07 10:00"),
)
LATER = replace(ROW, due_at=at("2030-05-02 10:00"))


def test_what_is_new_is_added() -> None:
    """Nothing stands yet."""
    found = compare([], [ROW])
    assert (found.added, found.moved, found.revoked, found.kept) == ((ROW,), (), (), ())


def test_what_is_the_same_is_kept_and_is_no_change() -> None:
    """`bool` tells whether there is anything to do."""
    found = compare([ROW], [ROW])
    assert found.kept == (ROW,)
    assert not found


@pytest.mark.parametrize("wanted", [LATER, replace(ROW, expires_at=at("2030-05-08 10:00")), replace(ROW, revision=2)])
def test_another_time_expiry_or_revision_moves_it(wanted: Broadcast) -> None:
    """Under its old id."""
    found = compare([ROW], [wanted])
    assert (found.added, found.moved, found.revoked, found.kept) == ((), (wanted,), (), ())


def test_what_is_no_longer_wanted_is_revoked_with_its_reason() -> None:
    """It stays in the plan's history."""
    found = compare([ROW], [])
    assert found.revoked == (replace(ROW, state=BroadcastState.REVOKED, reason="no longer in the plan"),)


@pytest.mark.parametrize("state", [BroadcastState.OPEN, BroadcastState.CLOSED])
@pytest.mark.parametrize("wanted", [[], [ROW], [LATER]])
def test_what_has_begun_is_never_put_off(state: BroadcastState, wanted: list[Broadcast]) -> None:
    """Whether it is wanted, wanted otherwise, or not wanted any more."""
    assert not compare([replace(ROW, state=state)], wanted)


def test_what_is_under_way_goes_on_with_a_newer_revision() -> None:
    """Whoever is left in it is told the new words; what is closed stays as it was told."""
    newer = replace(ROW, revision=2)
    assert compare([replace(ROW, state=BroadcastState.OPEN)], [newer]).carried == (newer,)
    assert not compare([replace(ROW, state=BroadcastState.CLOSED)], [newer])


def test_a_skipped_one_that_becomes_true_again_stands_up() -> None:
    """A postponed start makes a late notice timely; one that stays skipped is no change."""
    skipped = replace(ROW, state=BroadcastState.SKIPPED, reason="too late")
    assert compare([skipped], [ROW]).moved == (ROW,)
    assert not compare([skipped], [replace(LATER, state=BroadcastState.SKIPPED)])


def test_a_revoked_one_that_is_wanted_again_stands_up() -> None:
    """A cancelled announcement is reinstated; one that stays unwanted stays revoked."""
    revoked = replace(ROW, state=BroadcastState.REVOKED, reason="no longer in the plan")
    assert compare([revoked], [ROW]).moved == (ROW,)
    assert not compare([revoked], [])


def test_what_may_have_gone_out_does_not_stand_up_again() -> None:
    """A restored database does not know whether it was sent: no plan sends it once more, or takes it back."""
    unsure = replace(ROW, state=BroadcastState.SKIPPED, reason=PERHAPS_SENT)
    assert not compare([unsure], [replace(ROW, revision=2)])
    assert not compare([unsure], [])


@pytest.mark.parametrize("state", [BroadcastState.PLANNED, BroadcastState.OPEN])
def test_a_retry_is_nothing_that_a_plan_takes_back(state: BroadcastState) -> None:
    """An operator asked for it: it is neither moved nor revoked, nor counted as part of the plan."""
    retry = replace(ROW, id="b" * 20, state=state, retries=ROW.id)
    found = compare([ROW, retry], [ROW])
    assert (found.kept, bool(found)) == ((ROW,), False)


def test_planning_twice_changes_nothing() -> None:
    """What `apply` did, the next `plan` finds done."""
    now = at("2022-02-17 10:00")
    first = plan(example(), Situation(1, approved_at=now), now)
    known = {row.id: row for row in first}
    later = now + timedelta(hours=1)
    again = compare(first, plan(example(), Situation(1, approved_at=now, known=known), later))
    assert not again
    assert len(again.kept) == len(first)


def test_an_extension_moves_and_adds_but_takes_nothing_back_that_was_sent() -> None:
    """The outage ends a week later: another overrun replaces the old one, one more week of news is added."""
    now = at("2030-05-15 12:00")
    before = proposal(window={"start": "2030-05-10 00:00", "end": "2030-05-20 24:00"})
    longer = proposal(window={"start": "2030-05-10 00:00", "end": "2030-05-27 24:00"})
    assert announcement_data()["window"] == {"start": "2030-05-10 00:00", "end": "2030-05-20 24:00"}
    first = plan(before, Situation(1, approved_at=at("2030-05-01 10:00")), at("2030-05-01 10:00"))
    standing = [replace(row, state=BroadcastState.CLOSED) if row.due_at < now else row for row in first]
    known = {row.id: row for row in first}
    found = compare(standing, plan(longer, Situation(2, State.IN_PROGRESS, at("2030-05-01 10:00"), known=known), now))
    assert {(str(row.phase), row.occurrence) for row in found.added} == {
        ("ongoing", "2030-05-24T02:00Z"),
        ("overrun", "2030-05-27T16:30Z"),
    }
    assert {(str(row.phase), row.occurrence) for row in found.moved} == {("ongoing", "2030-05-17T02:00Z")}
    assert {(str(row.phase), row.occurrence) for row in found.revoked} == {("overrun", "2030-05-20T16:30Z")}
