"""Partners' endpoints as recipients: told, told anew when they come late or back, and given up when they are gone."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import requests
from sqlalchemy import Row, select, update
from standardwebhooks import Webhook, WebhookVerificationError

from broadcaster import clock
from broadcaster.channels.registry import REGISTERED
from broadcaster.delivery import opening, replaying
from broadcaster.delivery.abreast import MOST_ENDPOINTS
from broadcaster.delivery.courier import Courier
from broadcaster.delivery.messages import Press
from broadcaster.delivery.replaying import Replayed, Span
from broadcaster.operations import advance, asking, conclude, holding, keys
from broadcaster.operations.endpoints import send_test
from broadcaster.operations.holding import Target
from broadcaster.planning.phase import Phase
from broadcaster.sandbox.partners import PARTNERS
from broadcaster.storage import endpoints, vaults
from broadcaster.storage.endpoints import Registration
from broadcaster.storage.holds import Scope
from broadcaster.storage.tables import broadcasts as broadcast_table
from broadcaster.storage.tables import endpoints as endpoint_table
from broadcaster.storage.tables import operator_events
from broadcaster.vault import open_vault
from tests.channels.http_server import Answer, LocalServer, Received, local_server
from tests.support.changing import move
from tests.support.examples import SLUG, local
from tests.support.product import ACTOR, Product

MORNING = local("2022-02-18 10:00")
EVERYTHING = Target(Scope.EVERYTHING)
DURING = local("2022-03-01 10:00")


@pytest.fixture
def bank() -> Iterator[LocalServer]:
    """A bank's own server."""
    with local_server() as running:
        yield running


@pytest.fixture
def published(product: Product) -> Product:
    """The example, approved on a quiet morning before the four partners of the sandbox, its notice due."""
    product.at(MORNING)
    product.register_partners()
    product.publish()
    return product


def add(product: Product, server: LocalServer, name: str = "bank", *events: str) -> str:
    """Register an endpoint at a server of the test; gives its secret."""
    with product.transaction() as connection:
        return product.registry(connection).add(Registration(name, server.url, "银行", "zh-Hans", events))


def row_of(product: Product, name: str = "bank") -> Row[Any]:
    """An endpoint as it stands."""
    with product.transaction() as connection:
        row = endpoints.find(connection, name)
    assert row is not None
    return row


def events(server: LocalServer) -> list[tuple[str, dict[str, Any]]]:
    """What a server received, as (type, data)."""
    bodies = [json.loads(request.body) for request in server.received]
    return [(body["type"], body["data"]) for body in bodies]


def types(server: LocalServer) -> list[str]:
    """The types of what a server received."""
    return [type_ for type_, _ in events(server)]


def outcome(product: Product, broadcast: str, name: str = "bank") -> tuple[str, str]:
    """What the ledger says of an endpoint in a broadcast."""
    vault = product.parts.vault
    with product.transaction() as connection:
        handle = vault.handle(REGISTERED.pool, name)
        id_ = connection.exec_driver_sql("SELECT id FROM recipients WHERE handle = %s LIMIT 1", (handle,)).scalar_one()
    [found] = [row for row in product.ledger(broadcast) if row.recipient_id == id_]
    return found.outcome, found.reason


def go_on(product: Product) -> None:
    """Let time do what it does to announcements, plan again, and open and carry what is due."""
    with product.transaction() as connection:
        advance.advance(connection, clock.now(), product.parts.reach)
        advance.replan_all(connection, clock.now(), product.parts.reach)


def open_newest(product: Product, phase: Phase) -> str:
    """Open what is due; gives the broadcast of this phase that was planned last."""
    product.open("webhook", phase)
    wanted = (broadcast_table.c.channel == "webhook") & (broadcast_table.c.phase == phase)
    query = select(broadcast_table.c.id).where(wanted, broadcast_table.c.opened_at.is_not(None))
    with product.transaction() as connection:
        return str(connection.execute(query.order_by(broadcast_table.c.due_at.desc()).limit(1)).scalar_one())


def _together(everybody: threading.Barrier, _: Received) -> Answer:
    """Answer once so many have been called; a server error where they are not within seconds."""
    try:
        everybody.wait(timeout=10)
    except threading.BrokenBarrierError:
        return Answer(504)
    return Answer()


def _count(seen: list[int], another: LocalServer, _: Received) -> Answer:
    seen.append(len(another.received))
    return Answer()


def _pause(product: Product) -> None:
    with product.transaction() as connection:
        holding.hold(connection, EVERYTHING, "a test", ACTOR, clock.now(), halted=False)


def _cancel(product: Product) -> None:
    with product.transaction() as connection:
        conclude.cancel(connection, SLUG, "a test", ACTOR, clock.now())


def test_every_partner_is_told_once_and_accounted_for(published: Product) -> None:
    """Four endpoints of the registry, as the ledger and the stand-ins have them."""
    broadcast = published.open("webhook")
    published.deliver(broadcast)
    row = published.broadcast(broadcast)
    assert (row.state, row.recipients, row.accepted) == ("closed", 4, 4)
    assert list(published.shown(broadcast).values()) == [1] * 4


def test_without_any_endpoint_a_broadcast_ends_at_once(product: Product) -> None:
    """The default policy names the channel; a site without partners has nothing to do for it."""
    product.at(MORNING)
    product.publish()
    broadcast = product.open("webhook")
    product.deliver_all(broadcast)
    assert product.broadcast(broadcast).recipients == 0


class TestAWorkerThatRuns:
    """It sees at once what changed in the registry since it started."""

    @pytest.fixture
    def courier(self, product: Product) -> Courier:
        """A worker that started before anybody was registered."""
        product.at(MORNING)
        return product.parts.courier()

    def test_an_endpoint_that_was_added(self, product: Product, courier: Courier, bank: LocalServer) -> None:
        """It is told, and its secret verifies."""
        secret = add(product, bank)
        product.publish()
        product.deliver(product.open("webhook"), courier)
        (request,) = bank.received
        assert Webhook(secret).verify(request.body, request.headers)["type"] == "outage.notice"

    def test_an_endpoint_whose_secret_was_rotated(self, product: Product, courier: Courier, bank: LocalServer) -> None:
        """Both secrets verify until the old one ends, then the new one alone."""
        old = add(product, bank)
        product.publish()
        with product.transaction() as connection:
            new, _ = product.registry(connection).rotate("bank", timedelta(hours=24))
        product.deliver(product.open("webhook"), courier)
        (first,) = bank.received
        assert [Webhook(secret).verify(first.body, first.headers)["type"] for secret in (old, new)]
        end_previous(product)
        product.at(local("2022-02-23 10:01"))
        product.deliver(product.open("webhook", Phase.REMINDER), courier)
        second = bank.received[1]
        assert Webhook(new).verify(second.body, second.headers)["type"] == "outage.reminder"
        with pytest.raises(WebhookVerificationError):
            Webhook(old).verify(second.body, second.headers)

    def test_an_endpoint_that_was_disabled(self, product: Product, courier: Courier, bank: LocalServer) -> None:
        """What is under way skips it, and says why."""
        add(product, bank)
        product.publish()
        broadcast = product.open("webhook")
        with product.transaction() as connection:
            product.registry(connection).disable("bank", "moves to another address")
        product.deliver(broadcast, courier)
        assert outcome(product, broadcast) == ("skipped", "its endpoint is disabled: moves to another address")
        assert bank.received == []


class TestComingLate:
    """Whoever joins in the middle gets one event with what is true now."""

    def test_beside_others_who_were_told(self, published: Product, bank: LocalServer) -> None:
        """`ongoing` and nothing else; the others get nothing once more."""
        published.deliver(published.open("webhook"))
        published.at(DURING)
        go_on(published)
        add(published, bank)
        broadcast = open_newest(published, Phase.ONGOING)
        published.deliver_all(broadcast)
        assert types(bank) == ["outage.ongoing"]
        assert len(published.ledger(broadcast)) == 1

    def test_as_the_first_of_all(self, product: Product, bank: LocalServer) -> None:
        """Nobody was there to be told when it began."""
        product.at(MORNING)
        product.publish()
        product.open("webhook")
        opening.close_finished(product.parts.database, clock.now())
        product.at(local("2022-02-19 10:00"))
        add(product, bank)
        product.deliver_all(open_newest(product, Phase.NOTICE))
        assert types(bank) == ["outage.notice"]

    def test_enabled_again_it_is_told_what_is_true_now(self, published: Product, bank: LocalServer) -> None:
        """Although it was told something before it was disabled."""
        add(published, bank)
        published.deliver_all(published.open("webhook"))
        with published.transaction() as connection:
            published.registry(connection).disable("bank", "")
        published.at(DURING)
        go_on(published)
        published.deliver_all(published.open("webhook", Phase.STARTED))
        with published.transaction() as connection:
            published.registry(connection).enable("bank")
        published.deliver_all(open_newest(published, Phase.ONGOING))
        assert types(bank) == ["outage.notice", "outage.ongoing"]
        go_on(published)
        published.open("webhook", Phase.ONGOING)
        assert types(bank) == ["outage.notice", "outage.ongoing"]

    def test_no_event_is_told_twice_when_another_joins(self, published: Product, bank: LocalServer) -> None:
        """Whoever was told since it is back is no newcomer any more."""
        published.deliver_all(published.open("webhook"))
        for step in ("disable", "enable"):
            with published.transaction() as connection:
                registry = published.registry(connection)
                registry.disable("icbc", "") if step == "disable" else registry.enable("icbc")
        published.at(local("2022-02-18 11:00"))
        published.deliver_all(open_newest(published, Phase.NOTICE))
        published.at(local("2022-02-18 12:00"))
        add(published, bank)
        broadcast = open_newest(published, Phase.NOTICE)
        published.deliver_all(broadcast)
        assert len(published.ledger(broadcast)) == 1
        assert types(bank) == ["outage.notice"]


class TestFailing:
    """What was not accepted is sent again as long as it is true, and then the newest alone."""

    def test_a_refusal_is_sent_again_until_it_is_accepted(self, published: Product, bank: LocalServer) -> None:
        """A wrong status today is mended tomorrow."""
        add(published, bank)
        answers = iter([Answer(404), Answer(500), Answer(302), Answer()])
        bank.answer = lambda _: next(answers)
        broadcast = published.open("webhook")
        published.deliver_all(broadcast)
        assert outcome(published, broadcast) == ("accepted", "")
        assert types(bank) == ["outage.notice"] * 4

    def test_what_may_have_arrived_comes_again_under_its_key(self, published: Product, bank: LocalServer) -> None:
        """The same event to the byte, with a new signature."""
        add(published, bank)
        answers = iter([Answer(504), Answer(drop=True), Answer()])
        bank.answer = lambda _: next(answers)
        published.deliver_all(published.open("webhook"))
        assert len({request.headers["webhook-id"] for request in bank.received}) == 1
        assert len({request.body for request in bank.received}) == 1

    def test_nobody_waits_for_another_that_hangs(self, published: Product, bank: LocalServer) -> None:
        """Each answers only when all the others have been called as well."""
        names = [f"bank-{number}" for number in range(MOST_ENDPOINTS - len(PARTNERS))]
        everybody = threading.Barrier(len(names))
        for name in names:
            add(published, bank, name)
        bank.answer = partial(_together, everybody)
        broadcast = published.open("webhook")
        published.deliver(broadcast)
        assert {outcome(published, broadcast, name) for name in names} == {("accepted", "")}
        assert len(bank.received) == len(names)

    def test_one_that_fails_comes_after_all_the_others(self, product: Product, bank: LocalServer) -> None:
        """So that many which hang take nobody else's place."""
        product.at(MORNING)
        add(product, bank)
        seen: list[int] = []
        with local_server() as another:
            for number in range(MOST_ENDPOINTS):
                add(product, another, f"other-{number}")
            with product.transaction() as connection:
                endpoints.note_failure(connection, "bank", clock.machine_now(), clock.machine_now(), "answered 503")
            another.answer = partial(_together, threading.Barrier(MOST_ENDPOINTS))
            bank.answer = partial(_count, seen, another)
            product.publish()
            product.deliver(product.open("webhook"))
        assert seen == [MOST_ENDPOINTS]

    def test_those_in_doubt_do_not_wait_for_each_other_either(self, published: Product, bank: LocalServer) -> None:
        """Whoever hung the first time is asked again side by side, under the same keys."""
        names = [f"bank-{number}" for number in range(5)]
        for name in names:
            add(published, bank, name)
        bank.answer = Answer(504)
        broadcast = published.open("webhook")
        published.deliver(broadcast)
        published.end_waits()
        bank.answer = partial(_together, threading.Barrier(len(names)))
        published.deliver(broadcast)
        assert {outcome(published, broadcast, name) for name in names} == {("accepted", "")}
        assert len({request.headers["webhook-id"] for request in bank.received}) == len(names)

    @pytest.mark.parametrize("halfway", ["paused", "cancelled"])
    def test_the_guard_stands_before_each_of_them(self, published: Product, bank: LocalServer, halfway: str) -> None:
        """Held back while some are under way, none begins any more; what came of those is recorded all the same."""
        names = [f"bank-{number:02}" for number in range(3 * MOST_ENDPOINTS)]
        for name in names:
            add(published, bank, name)
        hold_back = {"paused": _pause, "cancelled": _cancel}[halfway]
        everybody = threading.Barrier(MOST_ENDPOINTS, lambda: hold_back(published))
        bank.answer = partial(_together, everybody)
        with published.transaction() as connection:
            for name in PARTNERS:
                published.registry(connection).disable(name, "a test")
        broadcast = published.open("webhook")
        published.deliver(broadcast)
        assert len(bank.received) == MOST_ENDPOINTS
        told = [row for row in published.ledger(broadcast) if row.outcome == "accepted"]
        assert len(told) == MOST_ENDPOINTS
        bank.answer = Answer()
        if halfway == "paused":
            with published.transaction() as connection:
                holding.resume(connection, EVERYTHING, ACTOR, clock.now())
        published.deliver_all(broadcast)
        last = "accepted" if halfway == "paused" else "skipped"
        became = Counter(row.outcome for row in published.ledger(broadcast))
        assert became == Counter({"accepted": MOST_ENDPOINTS}) + Counter({last: len(names) - MOST_ENDPOINTS})
        assert len({request.headers["webhook-id"] for request in bank.received}) == len(bank.received)

    def test_a_newer_event_takes_the_place_of_one_that_is_still_tried(
        self, published: Product, bank: LocalServer
    ) -> None:
        """Back after an hour, it gets the one that is true now, and no backlog."""
        add(published, bank)
        bank.answer = Answer(503)
        notice = published.open("webhook")
        published.deliver(notice)
        published.at(local("2022-02-18 11:00"))
        with local_server() as another:
            add(published, another, "another")
            newer = open_newest(published, Phase.NOTICE)
            assert newer != notice
            bank.answer, before = Answer(), len(bank.received)
            published.deliver_all(notice)
            assert outcome(published, notice) == ("skipped", "superseded by a newer event")
            published.deliver_all(newer)
            assert len(bank.received) == before + 1
            assert (types(another), outcome(published, newer)) == (["outage.notice"], ("accepted", ""))

    def test_what_is_in_doubt_is_not_sent_again_behind_a_newer_event(
        self, published: Product, bank: LocalServer
    ) -> None:
        """Perhaps it arrived: unknown, and told anew by the newer one's successors."""
        add(published, bank)
        bank.answer = Answer(504)
        notice = published.open("webhook")
        published.deliver(notice)
        published.end_waits()
        published.at(local("2022-02-19 10:00"))
        move(published, end=local("2022-03-24 00:00"), resume=local("2022-03-24 00:00"))
        go_on(published)
        published.open("webhook", Phase.CHANGED)
        bank.answer = Answer()
        published.deliver_all(notice)
        assert outcome(published, notice)[0] == "unknown"
        assert len(bank.received) == 1

    def test_410_disables_it_and_tells_the_operator(self, published: Product, bank: LocalServer) -> None:
        """At once; the ledger has its answer, and it is no recipient any more."""
        add(published, bank)
        bank.answer = Answer(410)
        broadcast = published.open("webhook")
        published.deliver(broadcast)
        row = row_of(published)
        assert (row.disabled_by, row.disabled_for) == ("", "bank answered 410: it wants no more events")
        assert outcome(published, broadcast) == ("rejected", row.disabled_for)
        published.parts.messenger().tell_all()
        assert told_operators(published) == [("endpoint.disabled", "bank")]

    def test_five_days_of_failure_disable_it(self, published: Product, bank: LocalServer) -> None:
        """Real days, whatever the clock of a rehearsal says; a success in between begins anew."""
        add(published, bank)
        bank.answer = Answer(500)
        broadcast = published.open("webhook")
        published.deliver(broadcast)
        assert row_of(published).failing_since is not None
        fail_since(published, timedelta(days=4, hours=23))
        published.end_waits()
        published.deliver(broadcast)
        assert row_of(published).disabled_at is None
        fail_since(published, timedelta(days=5, hours=1))
        published.end_waits()
        published.deliver(broadcast)
        assert row_of(published).disabled_for == "it failed for 5 days: bank answered 500"
        published.end_waits()
        published.deliver(broadcast)
        assert outcome(published, broadcast)[0] == "unknown"

    def test_a_success_ends_the_count(self, published: Product, bank: LocalServer) -> None:
        """Whoever works again has failed for no time."""
        add(published, bank)
        answers = iter([Answer(500), Answer()])
        bank.answer = lambda _: next(answers)
        published.deliver_all(published.open("webhook"))
        row = row_of(published)
        assert (row.failing_since, row.failed_at, row.trouble) == (None, None, "")
        assert row.accepted_at is not None

    def test_an_operator_who_enables_it_is_not_told_of_it_any_more(self, published: Product, bank: LocalServer) -> None:
        """What waits and is no longer true ends."""
        add(published, bank)
        bank.answer = Answer(410)
        published.deliver(published.open("webhook"))
        operators = published.parts.operators
        with published.transaction() as connection:
            asking.keep_asking(connection, operators, clock.now())
            published.registry(connection).enable("bank")
            asking.keep_asking(connection, operators, clock.now())
            states = connection.execute(select(operator_events.c.state)).scalars().all()
        assert states == ["no longer needed"]


class TestCorrections:
    """Whoever was told otherwise is put right."""

    def test_a_change_says_what_changed(self, published: Product, bank: LocalServer) -> None:
        """Old and new, and a revision that rises."""
        add(published, bank)
        published.deliver_all(published.open("webhook"))
        published.at(local("2022-02-19 10:00"))
        move(published, end=local("2022-03-24 00:00"), resume=local("2022-03-24 00:00"))
        published.deliver_all(published.open("webhook", Phase.CHANGED))
        (_, before), (type_, after) = events(bank)
        assert (type_, before["revision"], after["revision"]) == ("outage.changed", 1, 2)
        changed = {row["fact"]: (row["old"], row["new"]) for row in after["changes"]}
        assert changed["window.end"] == (before["window"]["end"], after["window"]["end"])

    def test_restored_says_since_when(self, published: Product, bank: LocalServer) -> None:
        """In the zone of the announcement."""
        add(published, bank)
        published.at(DURING)
        go_on(published)
        published.deliver_all(published.open("webhook", Phase.STARTED))
        with published.transaction() as connection:
            conclude.finish(connection, SLUG, local("2022-03-01 09:00"), ACTOR, clock.now())
        published.deliver_all(published.open("webhook", Phase.RESTORED))
        assert events(bank)[-1][0] == "outage.restored"
        assert events(bank)[-1][1]["restored_at"] == "2022-03-01T09:00:00+08:00"


class TestChosenTypes:
    """An endpoint that takes some types of events only."""

    def test_what_it_did_not_choose_is_skipped(self, published: Product, bank: LocalServer) -> None:
        """With the reason in the ledger."""
        add(published, bank, "bank", "outage.notice", "outage.started")
        published.deliver_all(published.open("webhook"))
        published.at(local("2022-02-23 10:01"))
        broadcast = published.open("webhook", Phase.REMINDER)
        published.deliver_all(broadcast)
        assert outcome(published, broadcast) == ("skipped", "it takes no events of this type")
        assert types(bank) == ["outage.notice"]

    def test_what_puts_it_right_always_comes(self, published: Product, bank: LocalServer) -> None:
        """Nobody is left with what is no longer true because they did not ask for corrections."""
        add(published, bank, "bank", "outage.notice")
        published.deliver_all(published.open("webhook"))
        published.at(local("2022-02-19 10:00"))
        move(published, end=local("2022-03-24 00:00"), resume=local("2022-03-24 00:00"))
        published.deliver_all(published.open("webhook", Phase.CHANGED))
        with published.transaction() as connection:
            conclude.cancel(connection, SLUG, "", ACTOR, clock.now())
        published.deliver_all(published.open("webhook", Phase.CANCELLED))
        assert types(bank) == ["outage.notice", "outage.changed", "outage.cancelled"]

    @pytest.mark.parametrize("instant", ["2022-02-25 23:30", "2022-02-26 00:01"])
    def test_whoever_missed_a_change_gets_what_comes_next(
        self, published: Product, bank: LocalServer, instant: str
    ) -> None:
        """Out of reach until the change had expired, it is not left with what is no longer true."""
        add(published, bank, "bank", "outage.notice")
        published.deliver_all(published.open("webhook"))
        published.at(local("2022-02-25 23:00"))
        move(published, end=local("2022-03-24 00:00"), resume=local("2022-03-24 00:00"))
        go_on(published)
        changed = published.open("webhook", Phase.CHANGED)
        bank.answer = Answer(503)
        published.deliver(changed)
        bank.answer = Answer()
        published.at(local(instant))
        published.deliver_all(changed)
        published.at(local("2022-02-26 00:01"))
        go_on(published)
        published.deliver_all(open_newest(published, Phase.STARTED))
        in_time = instant.startswith("2022-02-25")
        assert types(bank)[2:] == ["outage.changed" if in_time else "outage.started"]

    def test_whoever_was_told_nothing_yet_gets_what_comes_first(self, published: Product, bank: LocalServer) -> None:
        """Out of reach when its own type came, it is not left without a word until the next one."""
        add(published, bank, "bank", "outage.notice")
        bank.answer = Answer(503)
        published.deliver(published.open("webhook"))
        bank.answer = Answer()
        published.at(local("2022-02-23 10:01"))
        published.deliver_all(published.open("webhook", Phase.REMINDER))
        assert types(bank) == ["outage.notice", "outage.reminder"]


class TestReplay:
    """What is true now, once more, on request."""

    def replay(self, product: Product, since: str, until: str) -> list[Replayed]:
        """Replay a range to the bank."""
        parts, span = product.parts, Span(local(since), local(until))
        with product.transaction() as connection:
            provider = endpoints.provider_of(row_of(product), parts.vault, 5.0)
            press = Press(parts.templates)
            calls = replaying.prepare(connection, parts.vault, press, REGISTERED, provider, span)
        found = list(replaying.send(calls, REGISTERED, provider, parts.transport()))
        with product.transaction() as connection:
            replaying.record(connection, provider, found, ACTOR, clock.now())
        return found

    def test_it_is_the_present_truth_under_a_new_key(self, published: Product, bank: LocalServer) -> None:
        """Not the old dates of then; marked, and noted beside what else happened to the announcement."""
        add(published, bank)
        published.deliver_all(published.open("webhook"))
        published.at(local("2022-02-19 10:00"))
        move(published, end=local("2022-03-24 00:00"), resume=local("2022-03-24 00:00"))
        published.deliver_all(published.open("webhook", Phase.CHANGED))
        [again] = self.replay(published, "2022-02-18 00:00", "2022-02-19 00:00")
        assert again.trouble == ""
        type_, data = events(bank)[-1]
        assert (type_, data["replay"], data["revision"]) == ("outage.notice", True, 2)
        assert data["window"]["end"] == "2022-03-24T00:00:00+08:00"
        assert len({request.headers["webhook-id"] for request in bank.received}) == 3
        assert published.value("SELECT count(*) FROM events WHERE verb = 'replay'") == 1

    def test_a_range_without_any_event_replays_nothing(self, published: Product, bank: LocalServer) -> None:
        """Nor does one before the endpoint was there."""
        add(published, bank)
        published.deliver_all(published.open("webhook"))
        assert self.replay(published, "2022-02-10 00:00", "2022-02-18 00:00") == []

    def test_what_is_held_back_is_not_replayed(self, published: Product, bank: LocalServer) -> None:
        """A pause holds for everybody."""
        add(published, bank)
        published.deliver_all(published.open("webhook"))
        with published.transaction() as connection:
            holding.hold(connection, Target(Scope.EVERYTHING), "", ACTOR, clock.now(), halted=False)
        assert self.replay(published, "2022-02-18 00:00", "2022-02-19 00:00") == []

    def test_what_is_not_accepted_is_said(self, published: Product, bank: LocalServer) -> None:
        """The operator sees it, and asks again."""
        add(published, bank)
        published.deliver_all(published.open("webhook"))
        bank.answer = Answer(500)
        [again] = self.replay(published, "2022-02-18 00:00", "2022-02-19 00:00")
        assert again.trouble == "bank answered 500"


def test_the_sandbox_shows_what_each_partner_received(published: Product) -> None:
    """Label, type, time and text; no partner is an account of WeChat."""
    published.deliver_all(published.open("webhook"))
    found = requests.get(f"{published.sandbox_url}/api/partners", timeout=10).json()["partners"]
    assert found[0]["label"] == "工商银行"
    assert {tuple(event["type"] for event in row["events"]) for row in found} == {("outage.notice",)}
    assert "暂停以下业务" in found[0]["events"][0]["text"]
    shown = requests.get(f"{published.sandbox_url}/api/shown", params={"at": 2**52}, timeout=10).json()
    assert shown["wechat"]["accounts"] == []
    assert requests.get(f"{published.sandbox_url}/partners", timeout=10).ok


def test_a_test_event_shows_the_public_nothing(published: Product) -> None:
    """The stand-ins verify and take it."""
    provider = endpoints.provider_of(row_of(published, "icbc"), published.parts.vault, 5.0)
    assert send_test(provider, published.parts.transport()) < 5
    assert published.totals()["received"] == 0


def test_secrets_are_sealed_anew_with_all_else(published: Product) -> None:
    """After a new sealing key and `keys reseal`, no endpoint needs the old one, and all of them are told."""
    parts = published.parts
    with published.transaction() as connection:
        published.registry(connection).rotate("icbc", timedelta(hours=1))
        keys.rotate(connection, parts.settings.keys_file, ACTOR, clock.now())
    vault = open_vault(parts.settings.keys_file)
    for _ in keys.reseal(parts.database, vault):
        pass
    with published.transaction() as connection:
        assert set(vaults.rows_per_key(connection)) == {2}
        keys.drop(connection, parts.settings.keys_file, 1, ACTOR, clock.now())
    broadcast = published.open("webhook")
    published.deliver(broadcast, parts.courier())
    assert published.broadcast(broadcast).accepted == 4


def end_previous(product: Product) -> None:
    """Let the time of every replaced secret be over."""
    with product.transaction() as connection:
        connection.execute(update(endpoint_table).values(previous_until=clock.machine_now()))


def fail_since(product: Product, ago: timedelta) -> None:
    """Let an endpoint have failed for so long of machine time."""
    with product.transaction() as connection:
        connection.execute(update(endpoint_table).values(failing_since=clock.machine_now() - ago))


def told_operators(product: Product) -> list[tuple[str, str]]:
    """What the operators' webhook was told of endpoints."""
    query = select(operator_events).where(operator_events.c.state == "accepted")
    with product.transaction() as connection:
        return [(row.kind, row.data["endpoint"]) for row in connection.execute(query)]
