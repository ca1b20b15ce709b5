"""The planner: what goes out when, what is too late, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.announcement.lifecycle import State
from broadcaster.planning.broadcast import Broadcast, BroadcastState, broadcast_id
from broadcaster.planning.capacity import Capacity, Rate
from broadcaster.planning.moments import HORIZON
from broadcaster.planning.phase import Phase
from broadcaster.planning.planner import plan
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.segment import contains, parse_segment
from broadcaster.planning.situation import Situation
from tests.builders import CHANNELS, at, example, proposal, segments, window

APPROVED = at("2022-02-17 10:00")
EARLY = Situation(revision=1, approved_at=APPROVED)

Row = tuple[str, str, str]


def _rows(found: Iterable[Broadcast], channel: str | None = None) -> list[Row]:
    """(due, phase, channel) of what is planned, in the order of the plan."""
    planned = [row for row in found if row.state is BroadcastState.PLANNED and channel in (None, row.channel)]
    return [(f"{row.due_at:%Y-%m-%d %H:%M}", str(row.phase), row.channel) for row in planned]


def _skipped(found: Iterable[Broadcast], channel: str) -> dict[str, str]:
    """`phase occurrence` → reason of what is skipped on a channel."""
    rows = [row for row in found if row.state is BroadcastState.SKIPPED and row.channel == channel]
    return {f"{row.phase} {row.occurrence}": row.reason for row in rows}


def _on(due: str, phase: str, *channels: str) -> list[Row]:
    return [(due, phase, channel) for channel in channels]


def test_the_example_from_end_to_end() -> None:
    """Nine moments on five channels; what falls into the night reaches phones in the morning."""
    every, silent_at_night = ("banner", "kiosk", "sms", "webhook", "wechat"), ("banner", "kiosk", "webhook", "wechat")
    assert _rows(plan(example(), EARLY, APPROVED)) == [
        *_on("2022-02-17 10:00", "notice", *every),
        *_on("2022-02-23 10:00", "reminder", *every),
        *_on("2022-02-25 10:00", "reminder", *every),
        *_on("2022-02-26 00:00", "started", *silent_at_night),
        *_on("2022-02-26 08:00", "started", "sms"),
        *_on("2022-03-05 10:00", "ongoing", *every),
        *_on("2022-03-12 10:00", "ongoing", *every),
        *_on("2022-03-19 10:00", "ongoing", *every),
        *_on("2022-03-21 00:30", "overrun", *silent_at_night),
        *_on("2022-03-21 08:00", "overrun", "sms"),
    ]


def test_each_message_expires_when_the_next_is_due_or_its_truth_ends() -> None:
    """The last reminder ends with the start, even for phones that hear of the start at 08:00 only."""
    found = [row for row in plan(example(), EARLY, APPROVED) if row.channel == "sms"]
    assert [(str(row.phase), f"{row.expires_at:%m-%d %H:%M}") for row in found] == [
        ("notice", "02-23 10:00"),
        ("reminder", "02-25 10:00"),
        ("reminder", "02-26 00:00"),
        ("started", "03-05 10:00"),
        ("ongoing", "03-12 10:00"),
        ("ongoing", "03-19 10:00"),
        ("ongoing", "03-21 00:00"),
        ("overrun", "03-22 00:30"),
    ]


def test_what_quiet_hours_move_says_so() -> None:
    """The operator sees from where."""
    found = plan(example(), EARLY, APPROVED)
    notes = {row.note for row in found if row.note}
    assert notes == {"moved from 02-26 00:00 by quiet hours", "moved from 03-21 00:30 by quiet hours"}


def test_ids_are_the_same_for_ever() -> None:
    """A release that computed them otherwise would send everything a second time."""
    assert broadcast_id("qingdao-2022", "sms", Phase.NOTICE, "approval", 1) == "0d0ce9510bb3ab524e74"
    assert broadcast_id("qingdao-2022", "sms", Phase.RESTORED, "finish", 1) == "4b1e82ce962a704ee525"


@pytest.mark.parametrize("phase", list(Phase))
def test_only_news_of_a_revision_depends_on_the_revision(phase: Phase) -> None:
    """`changed` and `restored` are told anew for a new revision; a notice told once is told."""
    ids = {broadcast_id("slug", "sms", phase, "x", revision) for revision in (1, 2)}
    assert len(ids) == (2 if phase in (Phase.CHANGED, Phase.RESTORED) else 1)


def test_each_part_of_an_id_counts() -> None:
    """Slug, channel, phase, occurrence and audience; and no part runs over into the next."""
    ids = {
        broadcast_id("slug", "sms", Phase.NOTICE, "a", 1),
        broadcast_id("other", "sms", Phase.NOTICE, "a", 1),
        broadcast_id("slug", "kiosk", Phase.NOTICE, "a", 1),
        broadcast_id("slug", "sms", Phase.REMINDER, "a", 1),
        broadcast_id("slug", "sms", Phase.NOTICE, "b", 1),
        broadcast_id("slug", "sms", Phase.NOTICE, "a", 1, audience="some"),
        broadcast_id("slu", "gsms", Phase.NOTICE, "a", 1),
    }
    assert len(ids) == 7


def test_late_approval_sends_only_the_newest_true_message() -> None:
    """Approved on 26 February at 09:00, each channel hears that it has stopped; no backlog."""
    now = at("2022-02-26 09:00")
    found = plan(example(), Situation(1, State.IN_PROGRESS, approved_at=now), now)
    due_now = [row for row in _rows(found) if row[0] <= "2022-02-26 09:00"]
    assert due_now == _on("2022-02-26 09:00", "started", "banner", "kiosk", "sms", "webhook", "wechat")
    assert {row.note for row in found if row.phase is Phase.STARTED} == {"was due 02-26 00:00", "was due 02-26 08:00"}


def test_what_is_too_late_is_kept_with_its_reason() -> None:
    """Nothing is dropped in silence."""
    now = at("2022-02-26 09:00")
    found = plan(example(), Situation(1, State.IN_PROGRESS, approved_at=now), now)
    assert _skipped(found, "sms") == {
        "reminder 2022-02-23T02:00Z": "past: was due 02-23 10:00, no longer true since 02-25 10:00",
        "reminder 2022-02-25T02:00Z": "past: was due 02-25 10:00, no longer true since 02-26 00:00",
        "notice approval": "would be due at 02-26 09:00, when it is no longer true",
    }


def test_between_two_reminders_the_notice_goes_out_alone() -> None:
    """Approved on the 24th: what the reminder of the 23rd said, the notice says too."""
    now = at("2022-02-24 12:00")
    found = plan(example(), Situation(1, approved_at=now), now)
    assert _rows(found, "wechat")[:2] == [
        ("2022-02-24 12:00", "notice", "wechat"),
        ("2022-02-25 10:00", "reminder", "wechat"),
    ]
    assert list(_skipped(found, "wechat")) == ["reminder 2022-02-23T02:00Z"]


def test_a_late_message_waits_for_the_morning_too() -> None:
    """Approved at 22:00 in an outage, phones hear of it at 08:00."""
    now = at("2022-02-26 22:00")
    found = plan(example(), Situation(1, State.IN_PROGRESS, approved_at=now), now)
    assert _rows(found, "sms")[0] == ("2022-02-27 08:00", "started", "sms")


def test_a_late_message_that_the_morning_makes_untrue_is_skipped() -> None:
    """A start at 07:00, found out about at 22:00 the evening before: the reminder would arrive after it."""
    one = proposal(window=window("2030-05-10 07:00", "2030-05-20 00:00"), policy={"notice": []})
    found = plan(one, Situation(1), at("2030-05-09 22:00"))
    reason = _skipped(found, "sms")["reminder 2030-05-09T02:00Z"]
    assert reason == "would be due at 05-10 08:00, when it is no longer true"
    assert _rows(found, "sms")[0] == ("2030-05-10 08:00", "started", "sms")


def test_a_night_outage_is_not_announced_to_phones_when_it_is_over() -> None:
    """From 23:00 to 05:00 phones sleep through the whole of it."""
    one = proposal(window=window("2030-05-10 23:00", "2030-05-11 05:00"))
    found = plan(one, Situation(1, approved_at=at("2030-05-01 10:00")), at("2030-05-01 10:00"))
    assert _skipped(found, "sms") == {
        "started 2030-05-10T15:00Z": "would be due at 05-11 08:00, when it is no longer true"
    }
    assert ("2030-05-10 23:00", "started", "wechat") in _rows(found)


def test_what_is_never_sent_does_not_end_what_is() -> None:
    """The skipped `started` of a night outage leaves the reminder true until the start."""
    one = proposal(window=window("2030-05-10 23:00", "2030-05-11 05:00"))
    found = plan(one, Situation(1, approved_at=at("2030-05-01 10:00")), at("2030-05-01 10:00"))
    (last,) = [row for row in found if (row.channel, row.occurrence) == ("sms", "2030-05-09T02:00Z")]
    assert last.expires_at == at("2030-05-10 23:00")


def test_of_two_messages_of_one_moment_the_later_phase_goes_out() -> None:
    """A notice that falls together with a reminder says nothing that the reminder does not."""
    one = proposal(policy={"notice": [{"days_before": [3]}], "reminder": [{"days_before": [3, 1]}], "quiet_hours": {}})
    found = plan(one, Situation(1), at("2030-05-01 10:00"))
    assert _rows(found, "wechat")[0] == ("2030-05-07 10:00", "reminder", "wechat")
    assert _skipped(found, "wechat") == {
        "notice 2030-05-07T02:00Z": "would be due at 05-07 10:00, when it is no longer true"
    }


def test_minutes_after_are_minutes_not_clock_hands() -> None:
    """A planned end 15 minutes before Berlin's clocks go back: 30 minutes later it is 02:15 for the second time."""
    one = proposal(
        zone="Europe/Berlin", window=window("2030-10-20 00:00", "2030-10-27 02:45"), policy={"quiet_hours": {}}
    )
    found = plan(one, Situation(1), at("2030-10-01 10:00", "Europe/Berlin"))
    assert {row.due_at.isoformat() for row in found if row.phase is Phase.OVERRUN} == {"2030-10-27T02:15:00+01:00"}


def test_clock_times_of_the_policy_stay_clock_times() -> None:
    """10:00 before and after the clocks change is 10:00, twenty-five hours apart."""
    one = proposal(
        zone="Europe/Berlin",
        window=window("2030-10-25 00:00", "2030-10-30 00:00"),
        policy={"ongoing": [{"every_days": 1}]},
    )
    found = plan(one, Situation(1), at("2030-10-01 10:00", "Europe/Berlin"))
    due = [row.due_at.isoformat() for row in found if row.phase is Phase.ONGOING and row.channel == "kiosk"]
    assert due[:2] == ["2030-10-26T10:00:00+02:00", "2030-10-27T10:00:00+01:00"]


OPEN_ENDED = proposal(window=window("2030-05-10 00:00"))


def test_without_an_end_news_is_planned_up_to_the_horizon() -> None:
    """Thirty-five days are five weeks; planning again later adds more."""
    now = at("2030-05-01 09:00")
    found = plan(OPEN_ENDED, Situation(1, approved_at=now), now)
    weekly = [row.due_at for row in found if row.phase is Phase.ONGOING and row.channel == "wechat"]
    assert [f"{due:%m-%d}" for due in weekly] == ["05-17", "05-24", "05-31", "06-07"]
    later = plan(OPEN_ENDED, Situation(1, State.IN_PROGRESS, approved_at=now), at("2030-06-01 00:00"))
    latest = max(row.due_at for row in later)
    assert at("2030-06-28 00:00") < latest < at("2030-06-01 00:00") + HORIZON


def test_without_an_end_nothing_overruns() -> None:
    """And `started` is true for a week, `ongoing` for a day."""
    now = at("2030-05-01 09:00")
    found = [row for row in plan(OPEN_ENDED, Situation(1, approved_at=now), now) if row.channel == "wechat"]
    assert Phase.OVERRUN not in {row.phase for row in found}
    lasts = {
        str(row.phase): row.expires_at - row.due_at for row in found if row.phase in (Phase.STARTED, Phase.ONGOING)
    }
    assert lasts == {"started": timedelta(days=7), "ongoing": timedelta(days=1)}


def test_an_overrun_is_told_daily_once_it_has_begun() -> None:
    """Two days ahead, while it lasts; phones hear of the first at 08:00."""
    now = at("2022-03-21 00:00")
    known = {row.id: row for row in plan(example(), EARLY, APPROVED)}
    found = plan(example(), Situation(1, State.OVERRUN, APPROVED, known=known), now)
    assert [row[:2] for row in _rows(found, "sms") if row[1] == "overrun"] == [
        ("2022-03-21 08:00", "overrun"),
        ("2022-03-22 10:00", "overrun"),
    ]


def test_a_finished_outage_tells_that_alone() -> None:
    """Nothing is left of the other phases; phones hear of it at 08:00, and it stays news for a week."""
    finished = at("2022-03-20 22:30")
    found = plan(example(), Situation(1, State.COMPLETED, APPROVED, finished_at=finished), finished)
    assert _rows(found) == [
        *_on("2022-03-20 22:30", "restored", "banner", "kiosk", "webhook", "wechat"),
        *_on("2022-03-21 08:00", "restored", "sms"),
    ]
    assert {row.expires_at for row in found} == {finished + timedelta(days=7)}


def test_a_cancellation_goes_where_somebody_was_told() -> None:
    """Where nobody was told there is nothing to take back."""
    now = at("2022-02-20 12:00")
    situation = Situation(1, State.CANCELLED, APPROVED, cancelled_at=now, told_channels=frozenset({"sms", "wechat"}))
    found = plan(example(), situation, now)
    assert _rows(found) == _on("2022-02-20 12:00", "cancelled", "sms", "wechat")
    assert _skipped(found, "kiosk") == {"cancelled 2022-02-20T04:00:00.000000Z": "nobody was told on this channel"}


def test_a_second_cancellation_is_told_again() -> None:
    """Cancelled, reinstated, cancelled: the two are not the same message."""
    told = frozenset(CHANNELS)
    times = [at("2022-02-20 12:00"), at("2022-02-21 12:00")]
    ids = [
        {
            row.id
            for row in plan(example(), Situation(1, State.CANCELLED, APPROVED, cancelled_at=t, told_channels=told), t)
        }
        for t in times
    ]
    assert ids[0].isdisjoint(ids[1])


def test_a_postponed_start_is_reminded_of_and_started_anew() -> None:
    """Its occurrences are those of another day: what was sent for the old day does not stand in for them."""
    window_before, window_after = (
        window("2030-05-10 00:00", "2030-05-20 00:00"),
        window("2030-05-17 00:00", "2030-05-27 00:00"),
    )
    told = {row.id: row for row in plan(proposal(window=window_before), EARLY, at("2030-05-01 10:00"))}
    now = at("2030-05-09 12:00")
    found = plan(proposal(window=window_after), replace(EARLY, revision=2, known=told), now)
    fresh = {str(row.phase) for row in found if row.id not in told}
    assert {"reminder", "started"} <= fresh
    assert "notice" not in fresh


def test_what_went_out_late_is_not_put_off_by_planning_again() -> None:
    """Approved two hours into the outage: `started` is due at once, and stays so until it is opened."""
    now, later = at("2022-02-26 09:00"), at("2022-02-26 09:05")
    first = plan(example(), Situation(1, State.IN_PROGRESS, approved_at=now), now)
    known = {row.id: row for row in first}
    again = plan(example(), Situation(1, State.IN_PROGRESS, approved_at=now, known=known), later)
    (before,) = [row for row in first if row.phase is Phase.STARTED and row.channel == "sms"]
    (after,) = [row for row in again if row.phase is Phase.STARTED and row.channel == "sms"]
    assert (after.due_at, after.note) == (before.due_at, before.note)


def test_a_finish_that_is_said_late_is_news_all_the_same() -> None:
    """Back since the 22nd, said on the 30th: whoever was told of the overrun is told so, at once."""
    finished, said = at("2022-03-22 09:00"), at("2022-03-30 09:00")
    found = plan(example(), Situation(1, State.COMPLETED, APPROVED, finished_at=finished, concluded_at=said), said)
    assert _rows(found) == _on("2022-03-30 09:00", "restored", "banner", "kiosk", "sms", "webhook", "wechat")


def test_a_skipped_notice_goes_out_when_a_postponement_makes_it_true() -> None:
    """Too late for the old start, in good time for the new one."""
    evening = at("2030-05-09 22:00")
    first = proposal(window=window("2030-05-10 00:00", "2030-05-20 00:00"))
    postponed = proposal(window=window("2030-05-17 00:00", "2030-05-27 00:00"))
    standing = {row.id: row for row in plan(first, Situation(1, approved_at=evening), evening)}
    (notice,) = [row for row in standing.values() if (row.phase, row.channel) == (Phase.NOTICE, "sms")]
    assert notice.state is BroadcastState.SKIPPED
    found = plan(postponed, Situation(2, approved_at=evening, known=standing), at("2030-05-09 23:00"))
    assert ("2030-05-10 08:00", "notice", "sms") in _rows(found)


def test_the_hour_that_occurs_twice_is_told_apart() -> None:
    """New York, 3 November 2030: a notice at 01:45 before the clocks go back is half an hour before 01:15 after it."""
    one = proposal(
        zone="America/New_York",
        window={"start": "2030-11-03 01:15-05:00", "end": "2030-11-04 00:00"},
        policy={"reminder": [], "quiet_hours": {}},
    )
    now = datetime(2030, 11, 3, 5, 45, tzinfo=UTC)
    found = plan(one, Situation(1, approved_at=now), now)
    (notice,) = [row for row in found if row.phase is Phase.NOTICE and row.channel == "sms"]
    assert notice.state is BroadcastState.PLANNED


def test_an_empty_rule_silences_its_phase() -> None:
    """Without reminders, the notice stays true until the start."""
    one = proposal(policy={"reminder": []})
    found = plan(one, Situation(1), at("2030-05-01 10:00"))
    assert Phase.REMINDER not in {row.phase for row in found}
    (notice,) = [row for row in found if row.phase is Phase.NOTICE and row.channel == "kiosk"]
    assert notice.expires_at == at("2030-05-10 00:00")


def test_what_exists_is_not_judged_again() -> None:
    """A broadcast that was planned in time stays wanted, however late it is looked at."""
    first = plan(example(), EARLY, APPROVED)
    again = plan(example(), replace(EARLY, known={row.id: row for row in first}), at("2022-03-01 00:00"))
    assert [row for row in again if row.id in {old.id for old in first}] == list(first)


def _audiences(found: Iterable[Broadcast], phase: Phase = Phase.REMINDER) -> list[tuple[str, str, str]]:
    """(due, audience, expires) of what is planned of a phase by SMS."""
    rows = [row for row in found if row.state is BroadcastState.PLANNED and row.channel == "sms" and row.phase is phase]
    return [(f"{row.due_at:%m-%d %H:%M}", row.audience, f"{row.expires_at:%m-%d %H:%M}") for row in rows]


def _reminders(*rules: Mapping[str, object], **policy: object) -> Proposal:
    """An outage from 10 May with these reminders by SMS."""
    told = [{"days_before": [1], "channels": ["sms"], **rule} for rule in rules]
    return proposal(policy={"notice": [], "started": [], "ongoing": [], "overrun": [], "reminder": told, **policy})


EARLY_MAY = at("2030-05-01 10:00")


def test_whoever_is_in_two_audiences_is_told_once() -> None:
    """By the first rule that names them, in the order of the file."""
    one = _reminders({"audience": "tag:a"}, {"audience": "tag:b or tag:c"}, {})
    assert _audiences(plan(one, Situation(1), EARLY_MAY)) == [
        ("05-09 10:00", "tag:a", "05-10 00:00"),
        ("05-09 10:00", "(tag:b or tag:c) and not tag:a", "05-10 00:00"),
        ("05-09 10:00", "not tag:a and not (tag:b or tag:c)", "05-10 00:00"),
    ]


def test_audiences_that_have_nobody_in_common_stay_as_they_are() -> None:
    """They are told at the same time, and neither ends the other."""
    one = _reminders({"audience": "language:en"}, {"audience": "language:fr and tag:a"})
    assert _audiences(plan(one, Situation(1), EARLY_MAY)) == [
        ("05-09 10:00", "language:en", "05-10 00:00"),
        ("05-09 10:00", "language:fr and tag:a", "05-10 00:00"),
    ]


@pytest.mark.parametrize("second", [{"audience": "tag:a"}, {"audience": "tag:a and tag:b"}, {"days_before": [1, 1]}])
def test_a_rule_for_which_nobody_is_left_makes_no_broadcast(second: Mapping[str, object]) -> None:
    """The same audience twice, a part of it, or the same day twice."""
    first = {} if "days_before" in second else {"audience": "tag:a"}
    found = plan(_reminders(first, second), Situation(1), EARLY_MAY)
    assert [row.audience for row in found] == [str(first.get("audience", "everyone"))]


def test_another_occasion_is_another_message() -> None:
    """In the evening everyone is told again, also those who were in the morning."""
    one = _reminders({"audience": "tag:a"}, {"at": "18:00"})
    assert _audiences(plan(one, Situation(1), EARLY_MAY)) == [
        ("05-09 10:00", "tag:a", "05-09 18:00"),
        ("05-09 18:00", "everyone", "05-10 00:00"),
    ]


def test_a_message_to_some_does_not_end_one_to_everyone() -> None:
    """Those who get the later one and those who do not: the earlier stays true for the latter."""
    one = _reminders({}, {"at": "18:00", "audience": "tag:a"})
    assert [row[1:] for row in _audiences(plan(one, Situation(1), EARLY_MAY))] == [
        ("everyone", "05-10 00:00"),
        ("tag:a", "05-10 00:00"),
    ]


def test_messages_to_some_end_one_to_everyone_when_they_reach_everyone_together() -> None:
    """At the later of the two."""
    one = _reminders({}, {"at": "18:00", "audience": "tag:a"}, {"at": "19:00", "audience": "not tag:a"})
    assert [row[1:] for row in _audiences(plan(one, Situation(1), EARLY_MAY))] == [
        ("everyone", "05-09 19:00"),
        ("tag:a", "05-10 00:00"),
        ("not tag:a", "05-10 00:00"),
    ]


@pytest.mark.parametrize("state", [BroadcastState.OPEN, BroadcastState.CLOSED])
def test_whoever_is_being_told_is_not_told_again_under_other_rules(state: BroadcastState) -> None:
    """A revision that tells everyone leaves out those who were told already; it does so however often it is planned."""
    before, after = _reminders({"audience": "tag:a"}), _reminders({})
    now = at("2030-05-09 10:01")
    [begun] = [replace(row, state=state) for row in plan(before, Situation(1), EARLY_MAY)]
    known = {begun.id: begun}
    for revision in (2, 3):
        found = plan(after, Situation(revision, known=known), now)
        assert [row.audience for row in found if row.phase is Phase.REMINDER] == ["tag:a", "not tag:a"]
        assert found[0].id == begun.id
        known = {**{row.id: replace(row, state=state) for row in found}, **known}


def test_what_is_under_way_for_nobody_that_is_wanted_is_not_wanted() -> None:
    """The new revision tells others only: nothing more goes to those of the old one."""
    now = at("2030-05-09 10:01")
    before, after = _reminders({"audience": "tag:a and language:en"}), _reminders({"audience": "language:fr"})
    [begun] = [replace(row, state=BroadcastState.OPEN) for row in plan(before, Situation(1), EARLY_MAY)]
    found = plan(after, Situation(2, known={begun.id: begun}), now)
    assert [row.audience for row in found] == ["language:fr"]


def test_what_only_waits_is_shared_out_anew() -> None:
    """Nobody was told by it yet."""
    before, after = _reminders({"audience": "tag:a"}), _reminders({})
    known = {row.id: row for row in plan(before, Situation(1), EARLY_MAY)}
    assert [row.audience for row in plan(after, Situation(2, known=known), EARLY_MAY)] == ["everyone"]


def test_a_retry_takes_nobody_from_the_plan() -> None:
    """It tells those again whom its broadcast failed to tell."""
    one = _reminders({})
    [row] = plan(one, Situation(1), EARLY_MAY)
    retry = replace(row, state=BroadcastState.CLOSED, retries=row.id)
    assert [again.audience for again in plan(one, Situation(1, known={row.id: retry}), EARLY_MAY)] == ["everyone"]


def _slow(people: int, rate: float = 10) -> Situation:
    return Situation(1, capacities={"sms": Capacity((Rate(rate),))}, sizes=lambda _channel, _audience: people)


FINISH_BY = {"finish_by": "10:00"}


@pytest.mark.parametrize(
    ("people", "due"),
    [(0, "05-09 10:00"), (1, "05-09 09:59"), (36_000, "05-09 09:00"), (72_000, "05-09 08:00"), (72_001, "05-08 20:59")],
)
def test_what_is_to_be_done_by_a_time_begins_early_enough(people: int, due: str) -> None:
    """At ten a second, with a silent night in between; a whole minute."""
    found = plan(_reminders(FINISH_BY), _slow(people), EARLY_MAY)
    assert [row[0] for row in _audiences(found)] == [due]


def test_its_occurrence_is_the_time_at_which_it_is_done() -> None:
    """However many people there are, it is the same broadcast."""
    ids = {row.id for people in (0, 1, 72_001) for row in plan(_reminders(FINISH_BY), _slow(people), EARLY_MAY)}
    [row] = plan(_reminders(FINISH_BY), _slow(36_000), EARLY_MAY)
    assert (ids, row.occurrence, row.note) == ({row.id}, "2030-05-09T02:00Z", "to be finished by 05-09 10:00")


def test_audiences_of_one_occasion_are_done_together() -> None:
    """Two of 18,000 take an hour."""
    found = plan(_reminders({**FINISH_BY, "audience": "tag:a"}, FINISH_BY), _slow(18_000), EARLY_MAY)
    assert [row[0] for row in _audiences(found)] == ["05-09 09:00", "05-09 09:00"]


def test_what_cannot_be_done_in_time_goes_out_at_once() -> None:
    """Ten million at ten a second, planned nine days before."""
    found = plan(_reminders(FINISH_BY), _slow(10_000_000), EARLY_MAY)
    assert [row[0] for row in _audiences(found)] == ["05-01 10:00"]


def test_news_of_an_outage_never_begins_before_the_outage() -> None:
    """The guard would stop it: what it says is not true yet."""
    one = _reminders(ongoing=[{"every_days": 1, "channels": ["sms"], **FINISH_BY}], quiet_hours={})
    first, second, *_ = _audiences(plan(one, _slow(720_000), EARLY_MAY), Phase.ONGOING)
    assert (first[0], second[0]) == ("05-10 14:00", "05-11 14:00")
    first, *_ = _audiences(plan(one, _slow(1_440_000), EARLY_MAY), Phase.ONGOING)
    assert first[0] == "05-10 00:00"


_START = at("2030-03-01 00:00")
_MINUTES = st.integers(0, 60 * 24 * 60)
_STATES = st.sampled_from([State.SCHEDULED, State.IN_PROGRESS, State.OVERRUN])
_POLICIES: list[dict[str, Any] | None] = [
    None,
    {"notice": [{"days_before": [3]}], "quiet_hours": {"sms": "12:00-11:00", "wechat": "00:00-06:00"}},
    {"reminder": [{"days_before": [1, 2, 3], "at": "23:30"}], "ongoing": [{"every_days": 1}]},
    {"reminder": [{"days_before": [1, 2], "finish_by": "09:00"}], "ongoing": [{"every_days": 1, "finish_by": "06:00"}]},
]
_SLOW = Situation(1, capacities={"sms": Capacity((Rate(5, per_day=200_000),))}, sizes=lambda *_: 150_000)


Case = tuple[Proposal, datetime, tuple[Broadcast, ...]]


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    start = _START + timedelta(minutes=draw(_MINUTES))
    end = start + timedelta(minutes=draw(st.integers(1, 20 * 24 * 60))) if draw(st.booleans()) else None
    now = start + timedelta(minutes=draw(st.integers(-30 * 24 * 60, 40 * 24 * 60)))
    shown = window(f"{start:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d %H:%M}" if end else None)
    one = proposal(window=shown, policy=draw(st.sampled_from(_POLICIES)))
    return one, now, plan(one, replace(_SLOW, state=draw(_STATES), approved_at=now), now)


def _planned(found: Iterable[Broadcast]) -> list[Broadcast]:
    return [row for row in found if row.state is BroadcastState.PLANNED]


@settings(deadline=None)  # a busy machine is no failure
@given(_cases())
def test_whatever_the_window_a_planned_broadcast_is_worth_sending(case: Case) -> None:
    """It is not due in the past, and still true when it is due; a skipped one has a reason."""
    _, now, found = case
    for row in found:
        assert now <= row.due_at < row.expires_at if row.state is BroadcastState.PLANNED else row.reason


@settings(deadline=None)  # a busy machine is no failure
@given(_cases())
def test_whatever_the_window_no_message_outlives_its_successor(case: Case) -> None:
    """On one channel, what is due first has ended when what is due later goes out."""
    _, _, found = case
    for row in _planned(found):
        later = [other for other in _planned(found) if other.channel == row.channel and other.due_at > row.due_at]
        assert all(row.expires_at <= other.due_at for other in later)


@settings(deadline=None)  # a busy machine is no failure
@given(_cases())
def test_whatever_the_window_no_channel_is_disturbed_in_its_quiet_hours(case: Case) -> None:
    """Neither what is on time nor what is late."""
    one, _, found = case
    hours = one.policy.quiet_hours
    loud = [row for row in _planned(found) if row.channel in hours and hours[row.channel].ends_after(row.due_at)]
    assert loud == []


@settings(deadline=None)  # a busy machine is no failure
@given(_cases())
def test_whatever_the_window_ids_are_unique(case: Case) -> None:
    """One row of the plan, one id."""
    _, _, found = case
    assert len({row.id for row in found}) == len(found)


_RULES = st.lists(
    st.builds(
        lambda audience, clock: {"days_before": [1], "channels": ["sms"], "audience": str(audience), **clock},
        segments(),
        st.sampled_from([{"at": "10:00"}, {"at": "12:00"}, {"finish_by": "10:00"}]),
    ),
    max_size=4,
)
_BEGUN = st.sampled_from([BroadcastState.PLANNED, BroadcastState.OPEN, BroadcastState.CLOSED])


@settings(deadline=None)  # a busy machine is no failure
@given(_RULES, _RULES, st.lists(_BEGUN, min_size=10, max_size=10))
def test_whatever_audiences_overlap_nobody_is_told_an_occasion_twice(
    before: list[dict[str, Any]], after: list[dict[str, Any]], states: list[BroadcastState]
) -> None:
    """Nor left out: also when the rules change after some of it went out."""
    first = plan(_reminders(*before), Situation(1), EARLY_MAY)
    known = {row.id: replace(row, state=state) for row, state in zip(first, states, strict=False)}
    found = plan(_reminders(*after), Situation(2, known=known), EARLY_MAY)
    begun = [row for row in known.values() if row.state is not BroadcastState.PLANNED]
    told = {row.id: row for row in (*found, *begun)}.values()
    for occasion in {row.occurrence for row in told} | {"2030-05-09T02:00Z", "2030-05-09T04:00Z"}:
        wanted = [rule["audience"] for rule in after if _occurrence(rule) == occasion]
        wanted += [row.audience for row in begun if row.occurrence == occasion]
        for person in _PEOPLE:
            times = sum(contains(parse_segment(row.audience), *person) for row in told if row.occurrence == occasion)
            assert times == any(contains(parse_segment(text), *person) for text in wanted)


_PEOPLE = [
    (language, frozenset(tags))
    for language in ("en", "zh-Hans", "fr")
    for size in range(4)
    for tags in combinations("abc", size)
]


def _occurrence(rule: Mapping[str, Any]) -> str:
    return "2030-05-09T04:00Z" if rule.get("at") == "12:00" else "2030-05-09T02:00Z"
