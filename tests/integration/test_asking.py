"""The owner is asked at a real webhook: each question once, until it is taken or no longer true."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from standardwebhooks import Webhook

from broadcaster import clock
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.delivery.messenger import THREAD, Messenger
from broadcaster.errors import InputError
from broadcaster.operations import asking, conclude, holding
from broadcaster.operations.holding import Target
from broadcaster.storage import holds, operator_events
from broadcaster.storage.database import Database
from broadcaster.storage.holds import Hold, Scope
from tests.channels.http_server import Answer, Received
from tests.support.duty_desk import NAME, SECRET, DutyDesk, duty_desk
from tests.support.examples import SLUG, local
from tests.support.figures import plan
from tests.support.polling import eventually

TWO_DAYS, TWO_HOURS = "2022-03-19 00:00", "2022-03-20 22:00"
END = "03-21T00:00"
LONGER = ("end: 2022-03-20 24:00", "end: 2022-03-24 24:00"), ("resume: 2022-03-21", "resume: 2022-03-25")
AWAY = Answer(503)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[DutyDesk]:
    """An operator's webhook, and an announcement whose owner is to be asked."""
    with duty_desk(database, tmp_path / "desk") as found:
        yield found
        eventually(lambda: THREAD not in {thread.name for thread in threading.enumerate()}, "messengers have ended")


def test_the_owner_is_asked_ahead_of_the_end(desk: DutyDesk) -> None:
    """Two days and two hours before; not while there is nothing to ask."""
    for instant in ("2022-02-26 00:00", "2022-03-18 23:59", TWO_DAYS, "2022-03-20 21:59", TWO_HOURS):
        desk.at(instant)
    assert desk.leads() == [(END, "2 days before"), (END, "2 hours before")]


def test_a_question_says_what_is_asked_and_how_to_answer(desk: DutyDesk) -> None:
    """In both languages, with the commands; it is signed as every webhook of ours."""
    desk.at(TWO_HOURS)
    [request] = desk.server.received
    event = Webhook(SECRET).verify(request.body, request.headers)
    data = event["data"]
    assert (event["type"], request.path) == ("owner.asked", f"/{NAME}")
    assert datetime.fromisoformat(event["timestamp"]) - local(TWO_HOURS) < timedelta(minutes=1)
    assert (data["announcement"], data["revision"], data["state"]) == (SLUG, 1, "in_progress")
    assert data["planned_end"] == "2022-03-21T00:00:00+08:00"
    assert "24:00 on 20 March 2022" in data["question"]["en"]
    assert "Nobody is told that service is restored before" in data["public_sees"]["en"]
    assert "2022年3月20日24时" in data["question"]["zh-Hans"]
    assert "无人确认，不会告知任何人已恢复" in data["public_sees"]["zh-Hans"]
    assert data["commands"] == {
        "finish": f"broadcaster finish {SLUG}",
        "finish_earlier": f'broadcaster finish {SLUG} --at "YYYY-MM-DD HH:MM"',
        "extend": f'broadcaster extend {SLUG} --until "YYYY-MM-DD HH:MM"',
    }


def test_a_question_is_asked_once(desk: DutyDesk) -> None:
    """However often anybody looks, also two processes at once."""
    clock.move_to(local(TWO_DAYS), desk.offset_file)
    desk.at(TWO_DAYS)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: desk.messenger().tell_all(), range(6)))
    assert len(desk.heard()) == 1


def test_two_processes_that_begin_at_once_ask_once(desk: DutyDesk) -> None:
    """Each would write the same row, and only one gets it."""
    desk.at("2022-03-18 23:00")
    clock.move_to(local(TWO_DAYS), desk.offset_file)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: desk.messenger().tell_all(), range(4)))
    assert desk.leads() == [(END, "2 days before")]


def test_after_a_downtime_only_the_newest_question_is_asked(desk: DutyDesk) -> None:
    """Down since before the first of them."""
    desk.at("2022-03-18 12:00")
    desk.at("2022-03-20 23:00")
    assert desk.leads() == [(END, "2 hours before")]


def test_while_it_overruns_the_owner_is_told_once_and_asked_every_hour(desk: DutyDesk) -> None:
    """The event at the end asks as well."""
    for hour in range(5):
        desk.at(f"2022-03-21 0{hour}:00")
    [overrun] = desk.heard("announcement.overrun")
    assert (overrun["state"], overrun["lead"]) == ("overrun", "at the end")
    assert "was due to end at 24:00 on 20 March 2022" in overrun["question"]["en"]
    assert [lead for _, lead in desk.leads()] == ["1 hour after", "2 hours after", "3 hours after", "4 hours after"]


def test_a_webhook_that_is_away_is_tried_again_under_the_same_id(desk: DutyDesk) -> None:
    """The same request, until it is taken; what went wrong is written down meanwhile."""
    desk.server.answer = AWAY
    desk.at(TWO_DAYS)
    [row] = desk.rows()
    assert (row.state, row.attempts, row.trouble) == ("waiting", 1, "duty-desk answered 503")
    desk.server.answer = Answer(400)
    desk.end_waits()
    desk.messenger().tell_all()
    desk.server.answer = Answer(204, b"")
    desk.end_waits()
    desk.messenger().tell_all()
    [row] = desk.rows()
    assert (row.state, row.attempts, row.trouble) == ("accepted", 3, "")
    assert len({request.headers["webhook-id"] for request in desk.server.received}) == 1
    assert len({request.body for request in desk.server.received}) == 1


def test_back_off_is_machine_time_and_heeds_the_webhook(desk: DutyDesk) -> None:
    """A minute is a minute, however far campaign time is moved; until then nothing is tried."""
    desk.server.answer = Answer(429, headers={"retry-after": "60"})
    desk.at(TWO_DAYS)
    desk.at("2022-03-20 21:00")
    [row] = desk.rows()
    assert len(desk.server.received) == 1
    assert row.next_attempt_at - datetime.now(UTC) > timedelta(seconds=30)


def test_what_was_not_taken_ends_with_the_next_question(desk: DutyDesk) -> None:
    """No backlog waits for a webhook that comes back."""
    desk.server.answer = AWAY
    desk.at(TWO_DAYS)
    desk.at(TWO_HOURS)
    desk.server.answer = Answer()
    desk.end_waits()
    desk.messenger().tell_all()
    assert [(row.data["lead"], row.state) for row in desk.rows()] == [
        ("2 days before", "no longer needed"),
        ("2 hours before", "accepted"),
    ]


@pytest.mark.parametrize("word", ["finish", "cancel"])
def test_what_is_answered_is_not_asked_any_more(desk: DutyDesk, word: str) -> None:
    """Said while the webhook was away: nothing comes when it is back."""
    desk.server.answer = AWAY
    desk.at(TWO_HOURS)
    with desk.database.begin() as connection:
        if word == "finish":
            conclude.finish(connection, SLUG, clock.now(), "test", clock.now())
        else:
            conclude.cancel(connection, SLUG, "no reason", "test", clock.now())
    desk.server.answer = Answer()
    desk.end_waits()
    desk.at("2022-03-21 02:00")
    assert len(desk.server.received) == 1
    assert [row.state for row in desk.rows()] == ["no longer needed"]


def test_after_an_extension_the_new_end_is_asked_about(desk: DutyDesk) -> None:
    """Also out of an overrun; the old end is not mentioned again."""
    desk.at(TWO_HOURS)
    desk.at("2022-03-21 00:10")
    desk.revise(*LONGER)
    for instant in ("2022-03-21 01:10", "2022-03-23 00:00", "2022-03-24 22:00"):
        desk.at(instant)
    assert desk.leads() == [
        (END, "2 hours before"),
        ("03-25T00:00", "2 days before"),
        ("03-25T00:00", "2 hours before"),
    ]


def test_an_end_that_comes_back_is_not_asked_about_twice(desk: DutyDesk) -> None:
    """From A to B to A: two days before A was asked; two hours before A was not yet."""
    desk.at(TWO_DAYS)
    desk.revise(*LONGER)
    desk.at("2022-03-19 01:00")
    desk.revise()
    desk.at("2022-03-19 02:00")
    desk.at(TWO_HOURS)
    assert desk.leads() == [(END, "2 days before"), (END, "2 hours before")]


def test_a_redirect_is_not_followed(desk: DutyDesk) -> None:
    """Nobody may send our questions elsewhere."""
    desk.server.answer = Answer(307, headers={"location": f"{desk.server.url}/elsewhere"})
    desk.at(TWO_HOURS)
    assert [request.path for request in desk.server.received] == [f"/{NAME}"]
    assert [row.trouble for row in desk.rows()] == ["duty-desk answered 307"]


def test_a_private_address_is_refused_unless_the_site_allows_it(desk: DutyDesk) -> None:
    """As for every provider; whoever mends the site is asked then."""
    desk.transport = Transport()
    desk.at(TWO_HOURS)
    assert desk.server.received == []
    assert [(row.state, row.trouble) for row in desk.rows()] == [("waiting", "duty-desk: its address is private")]


def test_an_operator_without_a_secret_is_a_trouble_and_no_crash(desk: DutyDesk) -> None:
    """The others are told."""

    class Half(DutyDesk):
        def resolve(self, name: str) -> Provider:
            if name == NAME:
                raise InputError.one(f"operator {name}: its secret is not set")
            return super().resolve(name)

    half = Half(desk.database, desk.server, desk.folder, operators=[NAME, "pager"])
    half.at(TWO_HOURS)
    assert [request.path for request in desk.server.received] == ["/pager"]
    assert {row.operator: row.trouble for row in desk.rows()} == {
        NAME: f"operator {NAME}: its secret is not set",
        "pager": "",
    }


def test_every_operator_is_told_for_itself(desk: DutyDesk) -> None:
    """What one has taken the other may still wait for, under a key of its own."""

    def only_the_pager(request: Received) -> Answer:
        return Answer() if request.path == "/pager" else AWAY

    desk.operators = [NAME, "pager"]
    desk.server.answer = only_the_pager
    desk.at(TWO_HOURS)
    assert {row.operator: row.state for row in desk.rows()} == {NAME: "waiting", "pager": "accepted"}
    assert len({request.headers["webhook-id"] for request in desk.server.received}) == 2


def test_an_operator_who_left_the_site_is_told_nothing_more(desk: DutyDesk) -> None:
    """What waited for them is no longer needed."""
    desk.server.answer = AWAY
    desk.at(TWO_HOURS)
    desk.operators = []
    desk.end_waits()
    desk.messenger().tell_all()
    assert [row.state for row in desk.rows()] == ["no longer needed"]
    assert len(desk.server.received) == 1


def test_a_process_that_dies_in_a_call_leaves_it_to_another(desk: DutyDesk) -> None:
    """Not before its lease is over; then under the same id."""
    desk.at("2022-03-18 23:00")
    clock.move_to(local(TWO_DAYS), desk.offset_file)
    with desk.database.begin() as connection:
        asking.keep_asking(connection, desk.operators, clock.now())
        claimed = operator_events.claim(connection, timedelta(minutes=1))
    assert claimed is not None
    desk.messenger().tell_all()
    assert desk.heard() == []
    desk.end_waits()
    desk.messenger().tell_all()
    assert [request.headers["webhook-id"] for request in desk.server.received] == [claimed.key]


def test_a_restored_database_asks_nothing(desk: DutyDesk) -> None:
    """It does not know what was asked since the backup."""
    with desk.database.begin() as connection:
        hold = Hold(Scope.RESTORED, "", halted=True, reason="a backup", actor="test", at=clock.now())
        holds.put(connection, hold)
    desk.at(TWO_HOURS)
    assert (desk.heard(), desk.rows()) == ([], [])


def test_a_broadcast_that_is_halted_is_told_once(desk: DutyDesk) -> None:
    """With why, and how to go on; halted anew after it went on, it is told anew."""
    target = Target(Scope.BROADCAST, "beef0000")
    with desk.database.begin() as connection:
        plan(connection, "beef0000", SLUG, state="open")
    for number in (1, 2):
        with desk.database.begin() as connection:
            holding.hold(connection, target, f"canary {number}", "scheduler", clock.now(), halted=True)
        desk.messenger().tell_all()
        desk.messenger().tell_all()
        with desk.database.begin() as connection:
            holding.resume(connection, target, "test", clock.now())
    first, second = desk.heard("broadcast.halted")
    assert (first["broadcast"], first["reason"], first["channel"]) == ("beef0000", "canary 1", "sms")
    assert first["commands"]["resume"] == "broadcaster resume --broadcast beef0000"
    assert "a broadcast is halted" in first["text"]["en"]
    assert second["reason"] == "canary 2"


def test_a_pause_is_told_to_nobody(desk: DutyDesk) -> None:
    """It is routine."""
    with desk.database.begin() as connection:
        plan(connection, "beef0000", SLUG, state="open")
        holding.hold(connection, Target(Scope.BROADCAST, "beef0000"), "", "test", clock.now(), halted=False)
    desk.messenger().tell_all()
    assert desk.heard() == []


def test_a_round_that_fails_ends_nothing(desk: DutyDesk) -> None:
    """A database that was away for a moment must not silence the asking for good."""
    rounds: list[int] = []

    def fails_once(connection: Connection, now: datetime) -> bool:
        rounds.append(1)
        if len(rounds) == 1:
            raise OSError("away")
        return asking.keep_asking(connection, desk.operators, now)

    desk.at("2022-03-18 23:00")
    clock.move_to(local(TWO_DAYS), desk.offset_file)
    messenger = Messenger(desk.database, desk.transport, desk.resolve, fails_once)
    messenger.wake()
    eventually(lambda: len(rounds) == 1, "the first round fails")
    messenger.wake()
    eventually(lambda: len(desk.server.received) == 1, "the second one asks")


def test_a_webhook_that_hangs_holds_up_nobody(desk: DutyDesk) -> None:
    """Waking the messenger returns at once; it goes on by itself."""
    desk.at("2022-03-18 23:00")
    clock.move_to(local(TWO_DAYS), desk.offset_file)
    desk.server.answer = Answer(hang=True)
    messenger = desk.messenger()
    messenger.wake()
    eventually(lambda: len(desk.server.received) == 1, "the webhook is called")
    assert [row.state for row in desk.rows()] == ["waiting"]
    desk.server.answer = Answer()
    desk.server.released.set()
    eventually(lambda: bool(desk.rows()[0].trouble), "the call failed, and is written down")
    desk.end_waits()
    messenger.wake()
    eventually(lambda: desk.rows()[0].state == "accepted", "it is told all the same")
